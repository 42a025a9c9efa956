import type { KeyObject } from 'node:crypto';
import { newKeyPair } from '../base/index.js';

/**
 * What a key is made of. RSA of 1024 bits is only good for showing that it is refused.
 */
export type KeyAlgorithm =
  'rsa-1024' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'p256' | 'p384' | 'ed25519';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * A fresh key. EC keys take well under a millisecond, RSA keys of 2048 bits some hundred:
 * share them where it does not matter.
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
