import { parseCertificate } from './parse-certificate.js';
import type { Certificate } from './types.js';

/**
 * Parses a chain as sent (DER). Unreadable certificates are left out, except the server's
 * own: without it the result is empty, so that the next one is never judged in its place.
 */
export function parseChain(certificateChain: readonly Uint8Array[]): readonly Certificate[] {
  const [first, ...rest] = certificateChain.map(parseCertificate);
  if (first?.ok)
    return [first.value, ...rest.flatMap((parsed) => (parsed.ok ? [parsed.value] : []))];
  return [];
}
