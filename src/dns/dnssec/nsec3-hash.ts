import { createHash } from 'node:crypto';
import { concat, type Name } from '../../base/index.js';
import { canonicalName } from './canonical.js';

/**
 * Returns the hash IH of RFC 5155 §5 with SHA-1, the only assigned algorithm. Computing
 * it takes `iterations` + 1 hashes, so callers must check `iterations` first.
 *
 *   IH(salt, x, 0) = H(x || salt)
 *   IH(salt, x, k) = H(IH(salt, x, k - 1) || salt)
 *
 * `name` must be in canonical wire format.
 */
export function nsec3Hash(domainName: Name, salt: Uint8Array, iterations: number): Uint8Array {
  let hash: Uint8Array = canonicalName(domainName);
  for (let index = 0; index <= iterations; index++)
    hash = createHash('sha1').update(concat(hash, salt)).digest();
  return new Uint8Array(hash);
}
