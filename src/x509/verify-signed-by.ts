import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { hashes, signatureSchemes, type SignatureScheme } from './algorithms-registry.js';
import { DerError, DerReader, readOid, readSmall, Tag } from './der-reader.js';
import type { Certificate } from './types.js';

/** True when the signature on `certificate` was made with the key of `issuer` (a certificate, or a SubjectPublicKeyInfo in DER). */
export function verifySignedBy(
  certificate: Certificate,
  issuer: Certificate | Uint8Array,
): boolean {
  try {
    const algorithm = new DerReader(certificate.signatureIdentifier).enter();
    const scheme = signatureSchemes[readOid(algorithm.take(Tag.objectId).body)];
    const key = keyOf(issuer instanceof Uint8Array ? issuer : issuer.spki);
    if (!scheme || !key || !fits(scheme, key)) return false;
    const { tbs, signature } = certificate;
    if (scheme.key === 'rsa-pss') {
      const { hash, saltLength } = readPss(algorithm);
      return verify(
        hash,
        tbs,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
        signature,
      );
    }
    return scheme.hash !== undefined && verify(scheme.hash, tbs, key, signature);
  } catch {
    // OpenSSL throws for keys and signatures it cannot read: not signed.
    return false;
  }
}

/** True for a signature that collisions have been found for (RFC 9155, RFC 6151). */
export function weaklySigned({ signatureAlgorithm }: Certificate): boolean {
  return /md2|md5|sha-?1(?!\d)/i.test(signatureAlgorithm);
}

const keys = new WeakMap<Uint8Array, KeyObject>();

function keyOf(spki: Uint8Array): KeyObject {
  const known = keys.get(spki);
  if (known) return known;
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  keys.set(spki, key);
  return key;
}

function fits(
  scheme: SignatureScheme,
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
): boolean {
  // A peer must not make us raise to powers of any size it likes.
  if ((details?.modulusLength ?? 0) > 16_384) return false;
  return type === scheme.key || (type === 'rsa' && scheme.key === 'rsa-pss');
}

/** RSASSA-PSS-params (RFC 4055 §3.1); only the same hash inside and outside of MGF1. */
function readPss(algorithm: DerReader): { hash: string; saltLength: number } {
  const parameters = algorithm.enter();
  const outer = parameters.optional(0xa0);
  const generator = parameters.optional(0xa1);
  const salt = parameters.optional(0xa2);
  const hash = outer ? readHash(new DerReader(outer.body)) : 'sha1';
  let inner = 'sha1';
  if (generator) {
    const mgf = new DerReader(generator.body).enter();
    if (readOid(mgf.take(Tag.objectId).body) !== '1.2.840.113549.1.1.8')
      throw new DerError('mask generation is not MGF1');
    inner = readHash(mgf);
  }
  if (inner !== hash) throw new DerError('two hashes in PSS');
  return {
    hash,
    saltLength: salt ? readSmall(new DerReader(salt.body).take(Tag.integer).body) : 20,
  };
}

function readHash(reader: DerReader): string {
  const hash = hashes[readOid(reader.enter().take(Tag.objectId).body)];
  if (hash === undefined) throw new DerError('unknown hash');
  return hash;
}
