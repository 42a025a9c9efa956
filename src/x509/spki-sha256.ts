import { createHash } from 'node:crypto';
import type { Certificate } from './types.js';

/**
 * Returns the SHA-256 of the SubjectPublicKeyInfo in lower-case hex: the data of a TLSA
 * record `3 1 1` (RFC 6698 §2.1).
 */
export function spkiSha256({ spki }: Pick<Certificate, 'spki'>): string {
  return createHash('sha256').update(spki).digest('hex');
}
