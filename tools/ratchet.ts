import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Holds figures that are not yet within their limits: none may become worse than the
 * committed one. `--ratchet` compares, `--update` writes better figures down. Without the
 * file the limits themselves hold; remove it when they are met.
 */
const FILE = 'tools/ratchet.json';

/** One figure outside its limit; `more`: greater is better. */
export interface RatchetFigure {
  readonly name: string;
  readonly value: number;
  readonly more?: boolean;
}

type Sections = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Returns the figures that are worse than the committed ones, or not among them. Pure. */
export function worseThan(
  committed: Readonly<Record<string, number>>,
  figures: readonly RatchetFigure[],
): readonly string[] {
  return figures.flatMap(({ name, value, more = false }) => {
    const before = committed[name];
    if (before === undefined) return [`${name}: ${round(value)} is outside its limit`];
    const worse = more ? round(value) < before : round(value) > before;
    return worse ? [`${name}: ${round(value)}, but ${before} is committed`] : [];
  });
}

/** Returns what to commit: figures within their limits drop out. Pure. */
export function tightened(
  committed: Readonly<Record<string, number>>,
  figures: readonly RatchetFigure[],
): Readonly<Record<string, number>> {
  const entries = figures.map(({ name, value, more = false }): [string, number] => {
    const before = committed[name] ?? value;
    return [name, round(more ? Math.max(before, value) : Math.min(before, value))];
  });
  return Object.fromEntries(entries);
}

const round = (value: number): number => Math.round(value * 10) / 10;

/**
 * Judges the figures of a command by its arguments, and returns whether it succeeds.
 *
 * @param figures those outside their limits
 */
export function judgeByRatchet(
  section: string,
  figures: readonly RatchetFigure[],
  args: readonly string[],
): boolean {
  const sections = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Sections) : {};
  const committed = sections[section];
  if (args.includes('--update')) {
    const next = { ...sections, [section]: tightened(committed ?? {}, figures) };
    writeFileSync(FILE, `${JSON.stringify(next, null, 2)}\n`);
    return true;
  }
  if (!args.includes('--ratchet') || committed === undefined) return figures.length === 0;
  const worse = worseThan(committed, figures);
  for (const one of worse) console.error(`worse: ${one} (${FILE})`);
  return worse.length === 0;
}
