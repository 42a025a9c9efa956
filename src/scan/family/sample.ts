import { createHash } from 'node:crypto';

/**
 * Returns a number from 0 up to 1 that depends only on the parts, so that every worker,
 * and every run with one seed, selects the same sample.
 */
export function hashFraction(...parts: readonly string[]): number {
  const digest = createHash('sha256').update(parts.join('\0')).digest();
  return digest.readUInt32BE(0) / 0x1_0000_0000;
}
