import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { concat, newKeyPair, type Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import { makeRecord } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { dsDigest, standardAlgorithms } from '../algorithms.js';
import { canonicalName, keyTag, encodeUint16 } from '../canonical.js';

/**
 * Algorithms with which a zone may be signed (RFC 9904; those with SHA-1 are excluded).
 */
export type SigningAlgorithm = 8 | 10 | 13 | 14 | 15 | 16;

/** A zone's signing key: its DNSKEY RDATA and its signing function. */
export interface ZoneSigningKey {
  readonly algorithm: SigningAlgorithm;
  /** DNSKEY RDATA. */
  readonly rdata: Uint8Array;
  readonly tag: number;
  /** Returns the signature over the data, in the format of the RRSIG signature field. */
  sign(recordData: Uint8Array): Uint8Array;
}

/** DNSKEY flags of a zone key with the secure entry point bit (RFC 4034 §2.1.1). */
const KEY_SIGNING = 257;

/**
 * Generates a key. The default is a combined signing key (CSK), one key that signs
 * everything.
 */
export function generateZoneKey(algorithm: SigningAlgorithm, flags = KEY_SIGNING): ZoneSigningKey {
  return zoneKeyOf(algorithm, generate(algorithm), flags);
}

/** Generates a P-256 zone key that can be saved across restarts: PKCS #8 as PEM. */
export function createZoneKeyPem(): string {
  return generate(13).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Reads a P-256 key from PEM (PKCS #8 or SEC 1). Returns undefined for any other input.
 */
export function parseZoneKey(pem: string): ZoneSigningKey | undefined {
  try {
    const privateKey = createPrivateKey(pem);
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
    return zoneKeyOf(13, { privateKey, publicKey: createPublicKey(privateKey) }, KEY_SIGNING);
  } catch {
    return undefined;
  }
}

function zoneKeyOf(
  algorithm: SigningAlgorithm,
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  flags: number,
): ZoneSigningKey {
  const recordData = concat(
    encodeUint16(flags),
    Uint8Array.of(3, algorithm),
    publicOctets(algorithm, publicKey),
  );
  const hash = { 8: 'sha256', 10: 'sha512', 13: 'sha256', 14: 'sha384', 15: null, 16: null }[
    algorithm
  ];
  return {
    algorithm,
    rdata: recordData,
    tag: keyTag(recordData),
    sign: (data) =>
      new Uint8Array(
        sign(
          hash,
          data,
          algorithm === 13 || algorithm === 14
            ? { key: privateKey, dsaEncoding: 'ieee-p1363' }
            : privateKey,
        ),
      ),
  };
}

/** Returns the DNSKEY record of a key. */
export function dnskeyRecord(
  zoneName: Name,
  zoneSigningKey: ZoneSigningKey,
  ttlSeconds = 3600,
): ResourceRecord {
  return makeRecord(zoneName, RRType.DNSKEY, ttlSeconds, zoneSigningKey.rdata);
}

/** Digest types of DS records: SHA-1, SHA-256, SHA-384. */
export type DsDigestType = 1 | 2 | 4;

/**
 * Returns the DS record that the parent zone publishes (RFC 4034 §5.1.4).
 *
 * The default digest is SHA-256: RFC 8624 §3.3 requires all validators to support it.
 */
export function dsRecord(
  zoneName: Name,
  zoneSigningKey: ZoneSigningKey,
  digestType: DsDigestType = 2,
  ttlSeconds = 3600,
): ResourceRecord {
  const digest = dsDigest(
    standardAlgorithms.digests.get(digestType) as string,
    canonicalName(zoneName),
    zoneSigningKey.rdata,
  );
  return makeRecord(
    zoneName,
    RRType.DS,
    ttlSeconds,
    concat(
      encodeUint16(zoneSigningKey.tag),
      Uint8Array.of(zoneSigningKey.algorithm, digestType),
      digest,
    ),
  );
}

/** Generates a key pair; RSA keys have 2048 bits. */
function generate(algorithm: SigningAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case 8:
    case 10:
      return newKeyPair({ type: 'rsa', modulusLength: 2048 });
    case 13:
      return newKeyPair({ type: 'ec', namedCurve: 'P-256' });
    case 14:
      return newKeyPair({ type: 'ec', namedCurve: 'P-384' });
    case 15:
      return newKeyPair({ type: 'ed25519' });
    case 16:
      return newKeyPair({ type: 'ed448' });
  }
}

/** Returns the public key field of the DNSKEY; the inverse of `importKey`. */
function publicOctets(algorithm: SigningAlgorithm, keyObject: KeyObject): Uint8Array {
  const jwk = keyObject.export({ format: 'jwk' });
  const bytes = (text: string | undefined): Uint8Array => Buffer.from(text ?? '', 'base64url');
  if (algorithm === 8 || algorithm === 10)
    return concat(Uint8Array.of(bytes(jwk.e).length), bytes(jwk.e), bytes(jwk.n));
  if (algorithm === 13 || algorithm === 14) return concat(bytes(jwk.x), bytes(jwk.y));
  return bytes(jwk.x);
}
