import type { TlsaData } from '../dns/index.js';

/** Octets a digest has. */
const digestLength: Readonly<Record<number, number>> = { 1: 32, 2: 64 };

/** True for a record that can authenticate a mail server: usages 2 and 3, known selector and matching type, data of the right size (RFC 7672 §3.1, RFC 6698 §4.1).
 *
 * [7672-3.1.3-1, 7671-4-1] */
export function isUsable({ usage, selector, matchingType, data }: TlsaData): boolean {
  if (usage !== 2 && usage !== 3) return false;
  if (selector !== 0 && selector !== 1) return false;
  if (matchingType === 0) return data.length > 0;
  return digestLength[matchingType] === data.length;
}

/**
 * The records that count: usable ones, and of several digests for the same usage and selector only the strongest (digest agility, RFC 7671 §9 [7671-9-1, 7672-5-1]).
 * Full data (matching type 0) always counts.
 */
export function usableRecords<T extends TlsaData>(records: readonly T[]): readonly T[] {
  const usable = records.filter(isUsable);
  const strongest = new Map<string, number>();
  for (const { usage, selector, matchingType } of usable) {
    const key = `${usage} ${selector}`;
    strongest.set(key, Math.max(strongest.get(key) ?? 0, matchingType));
  }
  return usable.filter(
    (r) => r.matchingType === 0 || r.matchingType === strongest.get(`${r.usage} ${r.selector}`),
  );
}
