import type { ScannedDomain } from '../../src/scan/index.js';

/**
 * Returns the facts with one value replaced by the value that another scenario has at the
 * same place: changes one in `every` places that have several values.
 */
export function* mutatedFacts(
  all: readonly ScannedDomain[],
  every: number,
): Generator<{ readonly facts: ScannedDomain; readonly path: string }> {
  const values = new Map<string, Set<string>>();
  const leavesOf = all.map((facts) => [...leaves(facts, [])]);
  for (const leaf of leavesOf.flat()) {
    const seen = values.get(leaf.place) ?? new Set();
    values.set(leaf.place, seen.add(JSON.stringify(leaf.value)));
  }
  let count = 0;
  for (const [index, facts] of all.entries())
    for (const { path, place, value } of leavesOf[index] ?? []) {
      const others = [...(values.get(place) ?? [])].filter(
        (text) => text !== JSON.stringify(value),
      );
      const other = others[count++ % Math.max(others.length, 1)];
      if (other === undefined || count % every !== 0) continue;
      yield { facts: replaceAt(facts, path, JSON.parse(other)) as ScannedDomain, path: place };
    }
}

type Path = readonly (string | number)[];

/** Returns all values that are not objects, except certificates and text of servers. */
function* leaves(
  value: unknown,
  path: Path,
): Generator<{ readonly path: Path; readonly place: string; readonly value: unknown }> {
  const skipped = ['transcript', 'lines', 'chain', 'name', 'host', 'ip', 'addresses', 'observedAt'];
  if (typeof value !== 'object' || value === null) {
    const place = path.map((step) => (typeof step === 'number' ? '*' : step)).join('.');
    yield { path, place, value };
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(key) : key;
    const isText = skipped.includes(key) && !(key === 'chain' && typeof item === 'string');
    if (!isText) yield* leaves(item, [...path, step]);
  }
}

function replaceAt(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === step ? replaceAt(item, rest, by) : item));
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...fields, [step]: replaceAt(fields[step], rest, by) };
}
