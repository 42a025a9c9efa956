import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type ECKeyPairOptions,
  type KeyObject,
} from 'node:crypto';

/** The supported key types with their parameters. */
export type NewKey =
  | { readonly type: 'rsa'; readonly modulusLength: number }
  | { readonly type: 'ec'; readonly namedCurve: string }
  | { readonly type: 'ed25519' | 'ed448' | 'x25519' | 'x448' };

/**
 * Generates a key pair. The keys are imported again from their encoding, so that they
 * share no memory with the job that generated them. In Node 20 a garbage collection
 * inside `KeyObject.export()` can destroy that job while the export holds its lock, which
 * deadlocks the process.
 */
export function newKeyPair(newKey: NewKey): { privateKey: KeyObject; publicKey: KeyObject } {
  const { type, ...parameters } = newKey;
  const encoded = generateKeyPairSync(type as 'ec', {
    ...(parameters as ECKeyPairOptions<'der', 'der'>),
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  return {
    privateKey: createPrivateKey({ key: encoded.privateKey, type: 'pkcs8', format: 'der' }),
    publicKey: createPublicKey({ key: encoded.publicKey, type: 'spki', format: 'der' }),
  };
}
