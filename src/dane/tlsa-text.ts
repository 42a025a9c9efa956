import { fromHex, toHex } from '../base/index.js';
import type { TlsaData } from '../dns/index.js';

/**
 * Formats a record as `3 1 1 <lower-case hex>`: the form of evidence and reports (RFC
 * 8460 §4.5).
 */
export function formatTlsa({ usage, selector, matchingType, data }: TlsaData): string {
  return `${usage} ${selector} ${matchingType} ${toHex(data)}`;
}

/**
 * Parses the text that {@link formatTlsa} writes; spaces inside the hexadecimal part are
 * allowed. Undefined for any other text.
 */
export function parseTlsa(recordText: string): TlsaData | undefined {
  const parts = /^\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+([0-9a-fA-F\s]+)$/.exec(recordText);
  const data = parts && fromHex((parts[4] as string).replace(/\s/g, ''));
  if (!parts || !data) return undefined;
  const [usage, selector, matchingType] = parts.slice(1, 4).map(Number) as [number, number, number];
  if (Math.max(usage, selector, matchingType) > 255) return undefined;
  return { usage, selector, matchingType, data };
}
