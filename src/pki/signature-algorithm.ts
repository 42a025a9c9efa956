import { constants, sign, type KeyObject } from 'node:crypto';
import { explicit, integer, nothing, objectId, sequence } from './der-writer.js';

/** How a certificate is signed. SHA-1 and MD5 exist to make certificates that must be refused. */
export type SignatureHash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'pss-sha256';

interface Signer {
  /** DER AlgorithmIdentifier. */
  readonly identifier: Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

const rsaIds: Readonly<Record<string, string>> = {
  md5: '1.2.840.113549.1.1.4',
  sha1: '1.2.840.113549.1.1.5',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};

const ecdsaIds: Readonly<Record<string, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

/** The signer of a key. Throws RangeError for a hash the key cannot be used with. */
export function signerFor(key: KeyObject, hash: SignatureHash = 'sha256'): Signer {
  const kind = key.asymmetricKeyType;
  if (kind === 'ed25519')
    return {
      identifier: sequence(objectId('1.3.101.112')),
      sign: (bytes) => sign(null, bytes, key),
    };
  if (kind === 'rsa' && hash === 'pss-sha256') {
    return {
      identifier: pssIdentifier(),
      sign: (bytes) =>
        sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
    };
  }
  const id = kind === 'rsa' ? rsaIds[hash] : kind === 'ec' ? ecdsaIds[hash] : undefined;
  if (id === undefined)
    throw new RangeError(`no signature with ${hash} by a key of type ${kind ?? 'unknown'}`);
  return {
    identifier: kind === 'rsa' ? sequence(objectId(id), nothing()) : sequence(objectId(id)),
    sign: (bytes) => sign(hash, bytes, key),
  };
}

/** RSASSA-PSS with SHA-256, MGF1 with SHA-256, 32 octets of salt (RFC 4055 §3.1). */
function pssIdentifier(): Uint8Array {
  const sha256 = sequence(objectId('2.16.840.1.101.3.4.2.1'), nothing());
  const mgf = sequence(objectId('1.2.840.113549.1.1.8'), sha256);
  return sequence(
    objectId('1.2.840.113549.1.1.10'),
    sequence(explicit(0, sha256), explicit(1, mgf), explicit(2, integer(32))),
  );
}
