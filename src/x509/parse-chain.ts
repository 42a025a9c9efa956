import { parseCertificate } from './parse-certificate.js';
import type { Certificate } from './types.js';

/**
 * A chain as sent, DER: what can be read of it. Nothing where the server's own
 * certificate cannot: the next one must not be judged in its place.
 */
export function parseChain(chain: readonly Uint8Array[]): readonly Certificate[] {
  const [first, ...rest] = chain.map(parseCertificate);
  if (first?.ok)
    return [first.value, ...rest.flatMap((parsed) => (parsed.ok ? [parsed.value] : []))];
  return [];
}
