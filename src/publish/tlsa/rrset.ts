import type { Rrset, ServerKey } from './types.js';

/**
 * The records of keys: DANE-EE(3) SPKI(1), one for each key and matching type; no usage
 * 2. [7672-3.1-1, 7672-3.1.1-3, 7672-3.1.2-2]
 */
export function recordsOf(
  keys: readonly ServerKey[],
  matchingTypes: readonly (1 | 2)[],
): readonly string[] {
  return sorted(
    keys.flatMap((key) =>
      matchingTypes.map((type) => `3 1 ${type} ${type === 1 ? key.sha256 : key.sha512}`),
    ),
  );
}

/**
 * True when every combination of usage, selector and matching type in the RRset has a
 * record of this key [7671-8.4-1]. An empty RRset covers every key: nobody verifies by
 * it. Of records other than `3 1 1` and `3 1 2` it cannot be told here what they match,
 * so they cover nothing.
 */
export function covers({ records }: Pick<Rrset, 'records'>, key: ServerKey): boolean {
  const own = new Set(recordsOf([key], [1, 2]));
  return combinations(records).every((combination) =>
    records.some((r) => own.has(r) && combinationOf(r) === combination),
  );
}

/** Usage, selector and matching type of each record, each once. */
export function combinations(records: readonly string[]): readonly string[] {
  return [...new Set(records.map(combinationOf))].sort();
}

function combinationOf(record: string): string {
  return record.split(' ').slice(0, 3).join(' ');
}

/** Sorted, each once: RRsets are sets. */
export function sorted(records: readonly string[]): readonly string[] {
  return [...new Set(records)].sort();
}

/** Same records, whatever the TTL. */
export function sameRecords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((r, i) => r === b[i]);
}
