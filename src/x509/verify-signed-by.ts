import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { SignatureScheme } from './algorithms-registry.js';
import { readSignatureAlgorithm } from './signature-algorithm.js';
import type { Certificate } from './types.js';

/**
 * Returns true when the signature on `certificate` was made with the key of `issuer` (a
 * certificate, or a SubjectPublicKeyInfo in DER).
 */
export function verifySignedBy(
  certificate: Certificate,
  issuer: Certificate | Uint8Array,
): boolean {
  try {
    const { scheme: signatureScheme, pss } = readSignatureAlgorithm(
      certificate.signatureIdentifier,
    );
    const keyObject = keyOf(issuer instanceof Uint8Array ? issuer : issuer.spki);
    if (!signatureScheme || !fits(signatureScheme, keyObject)) return false;
    const { tbs, signature } = certificate;
    if (pss) {
      // node:crypto verifies with one hash for message and mask. RFC 4055 permits two,
      // but CAs do not use them.
      if (pss.hash !== pss.maskHash) return false;
      const { hash, saltLength } = pss;
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return verify(hash, tbs, { key: keyObject, padding, saltLength }, signature);
    }
    return (
      signatureScheme.hash !== undefined && verify(signatureScheme.hash, tbs, keyObject, signature)
    );
  } catch {
    // OpenSSL throws for keys and signatures that it cannot read: the signature is then
    // not valid.
    return false;
  }
}

const keys = new WeakMap<Uint8Array, KeyObject>();

function keyOf(spki: Uint8Array): KeyObject {
  const known = keys.get(spki);
  if (known) return known;
  const keyObject = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  keys.set(spki, keyObject);
  return keyObject;
}

function fits(
  signatureScheme: SignatureScheme,
  { asymmetricKeyType: keyType, asymmetricKeyDetails: details }: KeyObject,
): boolean {
  // Limits the cost of a signature check, because a peer chooses the key size.
  if ((details?.modulusLength ?? 0) > 16_384) return false;
  return (
    keyType === signatureScheme.key || (keyType === 'rsa' && signatureScheme.key === 'rsa-pss')
  );
}
