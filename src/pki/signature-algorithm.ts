import { constants, sign, type KeyObject } from 'node:crypto';
import { explicit, integer, nothing, objectId, sequence } from './der-writer.js';

/**
 * The hash and the padding of a signature. SHA-1 and MD5 exist for certificates that must
 * be refused. `pss-sha1` writes the default parameters, which name no hash.
 * `pss-sha256-mgf1-sha1` names SHA-1 for the mask only; its signature does not verify.
 */
export type SignatureHash =
  | 'md5'
  | 'sha1'
  | 'sha256'
  | 'sha384'
  | 'sha512'
  | 'pss-sha1'
  | 'pss-sha256'
  | 'pss-sha256-mgf1-sha1';

/** Signs the to-be-signed part of a certificate or request. */
export interface CertificateSigner {
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

/** Returns the signer of a key. Throws RangeError for a hash that the key cannot use. */
export function signerFor(
  keyObject: KeyObject,
  signatureHash: SignatureHash = 'sha256',
): CertificateSigner {
  const kind = keyObject.asymmetricKeyType;
  if (kind === 'ed25519')
    return {
      identifier: sequence(objectId('1.3.101.112')),
      sign: (bytes) => sign(null, bytes, keyObject),
    };
  if (kind === 'rsa' && signatureHash.startsWith('pss-')) {
    const digest = signatureHash === 'pss-sha1' ? 'sha1' : 'sha256';
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = digest === 'sha1' ? 20 : 32;
    return {
      identifier: pssIdentifier(signatureHash),
      sign: (bytes) => sign(digest, bytes, { key: keyObject, padding, saltLength }),
    };
  }
  const id = signatureId(kind, signatureHash);
  if (id === undefined)
    throw new RangeError(
      `no signature with ${signatureHash} by a key of type ${kind ?? 'unknown'}`,
    );
  return {
    identifier: kind === 'rsa' ? sequence(objectId(id), nothing()) : sequence(objectId(id)),
    sign: (bytes) => sign(signatureHash, bytes, keyObject),
  };
}

function signatureId(kind: string | undefined, signatureHash: SignatureHash): string | undefined {
  if (kind === 'rsa') return rsaIds[signatureHash];
  return kind === 'ec' ? ecdsaIds[signatureHash] : undefined;
}

/**
 * Returns the AlgorithmIdentifier of RSASSA-PSS (RFC 4055 §3.1). Empty parameters mean
 * the defaults: SHA-1 and 20 octets of salt.
 */
function pssIdentifier(signatureHash: SignatureHash): Uint8Array {
  const id = objectId('1.2.840.113549.1.1.10');
  if (signatureHash === 'pss-sha1') return sequence(id, sequence());
  const sha1 = sequence(objectId('1.3.14.3.2.26'), nothing());
  const sha256 = sequence(objectId('2.16.840.1.101.3.4.2.1'), nothing());
  const mask = signatureHash === 'pss-sha256' ? sha256 : sha1;
  const mgf = sequence(objectId('1.2.840.113549.1.1.8'), mask);
  return sequence(id, sequence(explicit(0, sha256), explicit(1, mgf), explicit(2, integer(32))));
}
