import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';

/**
 * One signature algorithm: how DNSKEY public keys are parsed and signatures are verified.
 */
export interface Algorithm {
  /** Mnemonic from the IANA registry. */
  readonly name: string;
  /** Returns undefined for a key of the wrong size or format. */
  importKey(publicKey: Uint8Array): KeyObject | undefined;
  /**
   * Returns whether the signature over the data is valid. Does not throw for malformed
   * octets.
   */
  verify(keyObject: KeyObject, recordData: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * The algorithms and digests that a validator supports. All others are unknown: a zone
 * that uses only unknown algorithms is insecure (RFC 4035 §5.2).
 */
export interface AlgorithmRegistry {
  readonly signatures: ReadonlyMap<number, Algorithm>;
  /** Hash names by DS digest type. */
  readonly digests: ReadonlyMap<number, string>;
}

/** DS digest type 1, ignored if the zone also has a stronger digest (RFC 4509 §3). */
export const SHA1_DIGEST = 1;

/**
 * Returns the implementation of RSA keys and signatures (RFC 3110 §2, RFC 5702 §3).
 * Public key:
 *
 *   octets   field
 *   1 or 3   length of the exponent: one octet, or 0 and two octets
 *   ...      exponent
 *   ...      modulus
 *
 * Keys have 512 to 4096 bits, or at least 1024 bits for RSASHA512 (RFC 5702 §2). With a
 * larger modulus, or with an exponent of more than eight octets, a zone could make each
 * verification expensive.
 */
export function rsa(name: string, hash: string, minOctets = 64): Algorithm {
  return {
    name,
    importKey(publicKey) {
      const long = publicKey[0] === 0;
      const exponentLength = long
        ? ((publicKey[1] ?? 0) << 8) | (publicKey[2] ?? 0)
        : (publicKey[0] ?? 0);
      const start = long ? 3 : 1;
      const modulus = publicKey.subarray(start + exponentLength);
      const exponent = publicKey.subarray(start, start + exponentLength);
      if (
        exponentLength === 0 ||
        exponentLength > 8 ||
        modulus.length < minOctets ||
        modulus.length > 512
      )
        return undefined;
      return fromJwk({ kty: 'RSA', n: base64url(modulus), e: base64url(exponent) });
    },
    verify: (keyObject, recordData, signature) => verify(hash, recordData, keyObject, signature),
  };
}

/**
 * Returns the implementation of ECDSA (RFC 6605 §4). A key consists of two numbers of
 * fixed size, x and y of the point. A signature consists of r and s. Neither format uses
 * ASN.1.
 */
function ecdsa(name: string, curve: 'P-256' | 'P-384', hash: string): Algorithm {
  const size = curve === 'P-256' ? 32 : 48;
  return {
    name,
    importKey: (octets) => {
      if (octets.length === 2 * size)
        return fromJwk({
          kty: 'EC',
          crv: curve,
          x: base64url(octets.subarray(0, size)),
          y: base64url(octets.subarray(size)),
        });
      return undefined;
    },
    verify: (key, recordData, signature) =>
      signature.length === 2 * size &&
      verify(hash, recordData, { key, dsaEncoding: 'ieee-p1363' }, signature),
  };
}

/**
 * Returns the implementation of Ed25519 or Ed448 (RFC 8080 §3, §4). A key has 32 or
 * 57 octets, and a signature twice as many.
 */
function eddsa(name: 'Ed25519' | 'Ed448'): Algorithm {
  const size = name === 'Ed25519' ? 32 : 57;
  return {
    name,
    importKey: (octets) => {
      if (octets.length === size) return fromJwk({ kty: 'OKP', crv: name, x: base64url(octets) });
      return undefined;
    },
    verify: (keyObject, recordData, signature) =>
      signature.length === 2 * size && verify(null, recordData, keyObject, signature),
  };
}

/**
 * Imports a key as JWK, the only format in which node:crypto accepts the bare coordinates
 * or the modulus.
 */
function fromJwk(jwk: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined; // The key is not a point of the curve, or is invalid in another way.
  }
}

/** Returns octets in the base64url encoding of JWK (RFC 7517). */
function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/**
 * The algorithms that a validator outside tests uses.
 *
 * RFC 9905 §2 retires SHA-1 as a signature algorithm (5 and 7): a zone that is signed
 * only with these is treated as unsigned [9905-2-1]. RFC 9906 §2 retires ECC-GOST,
 * algorithm 12 and digest type 3 [9906-2-1]. Neither RFC retires DS digest type 1.
 * RFC 8624 §3.3 and IANA's registry (RFC 9904 §4) still require validators to support it
 * [9904-4-1]: a DS digest needs second-preimage resistance, which SHA-1 still offers.
 * Digest types 5 and 6 are optional.
 */
export const standardAlgorithms: AlgorithmRegistry = {
  signatures: new Map<number, Algorithm>([
    [8, rsa('RSASHA256', 'sha256')],
    [10, rsa('RSASHA512', 'sha512', 128)],
    [13, ecdsa('ECDSAP256SHA256', 'P-256', 'sha256')],
    [14, ecdsa('ECDSAP384SHA384', 'P-384', 'sha384')],
    [15, eddsa('Ed25519')],
    [16, eddsa('Ed448')],
  ]),
  digests: new Map([
    [SHA1_DIGEST, 'sha1'],
    [2, 'sha256'],
    [4, 'sha384'],
  ]),
};

/**
 * Returns the DS digest over an owner name and its DNSKEY RDATA (RFC 4034 §5.1.4). `hash`
 * is a hash name from the registry.
 */
export function dsDigest(hash: string, canonicalOwner: Uint8Array, dnskey: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(canonicalOwner).update(dnskey).digest());
}

/**
 * Names of unsupported algorithms, most of them retired (IANA DNSSEC Algorithm Numbers).
 */
const unsupportedNames: ReadonlyMap<number, string> = new Map([
  [1, 'RSAMD5'],
  [3, 'DSA'],
  [5, 'RSASHA1'],
  [6, 'DSA-NSEC3-SHA1'],
  [7, 'RSASHA1-NSEC3-SHA1'],
  [12, 'ECC-GOST'],
  [17, 'SM2SM3'],
  [23, 'ECC-GOST12'],
]);

/**
 * Returns the unsupported part of a DS record: its algorithm, or else its digest type.
 */
export function unsupportedText(
  { algorithm, digestType }: { readonly algorithm: number; readonly digestType: number },
  { signatures }: AlgorithmRegistry,
): string {
  if (signatures.has(algorithm)) return `digest type ${digestType}`;
  const name = unsupportedNames.get(algorithm);
  if (name === undefined) return `algorithm ${algorithm}`;
  return `${name} (${algorithm})`;
}
