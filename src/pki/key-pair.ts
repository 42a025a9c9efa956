import type { KeyObject } from 'node:crypto';
import { newKeyPair } from '../base/index.js';

/**
 * The algorithm of a key. RSA with 1024 bits exists for certificates that must be refused
 * (RFC 9325 §4.5).
 */
export type KeyAlgorithm =
  'rsa-1024' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'p256' | 'p384' | 'ed25519';

/** A private key and its public key. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * Makes a new key. An EC key takes less than a millisecond, an RSA key of 2048 bits about
 * a hundred milliseconds, so tests should share RSA keys.
 */
export function generateKey(algorithm: KeyAlgorithm = 'p256'): KeyPair {
  switch (algorithm) {
    case 'p256':
      return newKeyPair({ type: 'ec', namedCurve: 'prime256v1' });
    case 'p384':
      return newKeyPair({ type: 'ec', namedCurve: 'secp384r1' });
    case 'ed25519':
      return newKeyPair({ type: 'ed25519' });
    default:
      return newKeyPair({ type: 'rsa', modulusLength: Number(algorithm.slice(4)) });
  }
}
