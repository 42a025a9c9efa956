import type { TlsaData } from '../dns/index.js';

/** Length of each digest in octets, by matching type. */
const digestLength: Readonly<Record<number, number>> = { 1: 32, 2: 64 };

/**
 * Returns true for a record that can authenticate a mail server: usages 2 and 3, known
 * selector and matching type, data of the right size (RFC 7672 §3.1, RFC 6698 §4.1).
 *
 * [7672-3.1.3-1, 7671-4-1]
 */
export function isUsable(record: TlsaData): boolean {
  return explainUnusable(record) === undefined;
}

/** Explains why senders cannot use a record. Returns undefined for a usable record. */
export function explainUnusable(record: TlsaData): string | undefined {
  const { usage, selector, matchingType, data } = record;
  if (usage === 0 || usage === 1)
    return `usage ${usage} has no effect for mail between servers, only 2 and 3 have`;
  if (usage !== 2 && usage !== 3)
    return `usage ${usage} is not defined, only 2 and 3 apply to mail`;
  if (selector !== 0 && selector !== 1)
    return `selector ${selector} is not defined: 0 is the certificate, 1 the key`;
  if (matchingType === 0) {
    if (data.length > 0) return undefined;
    return 'it has no data';
  }
  const { [matchingType]: expected } = digestLength;
  if (expected === undefined)
    return `matching type ${matchingType} is not defined: 1 is SHA-256, 2 SHA-512`;
  const name = matchingType === 1 ? 'SHA-256' : 'SHA-512';
  if (expected === data.length) return undefined;
  return `it has ${data.length} octets of data where ${name} has ${expected}${shapeOf(data)}`;
}

/** Names the likely mistake that explains data of a wrong length. */
function shapeOf(data: Uint8Array): string {
  if (data.length === 20) return ', the length of SHA-1';
  if (data.length === 32) return ', the length of SHA-256';
  if (data.length === 64 && data.some((octet) => octet > 0x66)) return ', the length of SHA-512';
  if (data.length > 0 && /^[0-9a-f]+$/i.test(Buffer.from(data).toString('latin1')))
    return ': it is hexadecimal text';
  return '';
}

/**
 * Returns the usable records. Of several digests for one usage and selector it returns
 * only the strongest (digest agility, RFC 7671 §9 [7671-9-1, 7672-5-1]), and always the
 * records with full data (matching type 0).
 */
export function usableRecords<T extends TlsaData>(records: readonly T[]): readonly T[] {
  const usable = records.filter(isUsable);
  const strongest = new Map<string, number>();
  for (const { usage, selector, matchingType } of usable) {
    const lookupKey = `${usage} ${selector}`;
    strongest.set(lookupKey, Math.max(strongest.get(lookupKey) ?? 0, matchingType));
  }
  return usable.filter(
    (r) => r.matchingType === 0 || r.matchingType === strongest.get(`${r.usage} ${r.selector}`),
  );
}
