import { createHash } from 'node:crypto';
import { curves } from './algorithms-registry.js';
import { DerReader, readOctetBits, readOid, Tag } from './der-reader.js';
import type { Certificate } from './types.js';

type KeyFields = Pick<Certificate, 'keyAlgorithm' | 'keyBits' | 'curve' | 'unnamedCurve'>;

/**
 * Algorithm, size and curve of a SubjectPublicKeyInfo.
 *
 *   algorithm      SEQUENCE: OID, parameters (a curve for EC, p q g for DSA)
 *   public key     BIT STRING: a SEQUENCE of modulus and exponent for RSA
 *
 * `keyBits` is 0 for a key whose size is unknown.
 */
export function readPublicKey(spki: Uint8Array): KeyFields {
  return { unnamedCurve: false, ...readKey(spki) };
}

/**
 * Returns the SHA-256 of the SubjectPublicKeyInfo in lower-case hex: the data of a TLSA
 * record `3 1 1` (RFC 6698 §2.1).
 */
export function spkiSha256({ spki }: Pick<Certificate, 'spki'>): string {
  return createHash('sha256').update(spki).digest('hex');
}

/** Reads algorithm and size; RSASSA-PSS keys count as RSA. */
function readKey(spki: Uint8Array): Omit<KeyFields, 'unnamedCurve'> & Partial<KeyFields> {
  const info = new DerReader(spki).enter();
  const algorithm = info.enter();
  const bits = readOctetBits(info.take(Tag.bitString).body);
  info.end();
  switch (readOid(algorithm.take(Tag.objectId).body)) {
    case '1.2.840.113549.1.1.1':
    case '1.2.840.113549.1.1.10':
      return {
        keyAlgorithm: 'RSA',
        keyBits: magnitudeBits(new DerReader(bits).enter().take(Tag.integer).body),
      };
    case '1.2.840.10045.2.1': {
      if (algorithm.next !== Tag.objectId)
        return { keyAlgorithm: 'ECDSA', keyBits: 0, unnamedCurve: true };
      const [curve, keyBits] = curves[readOid(algorithm.any().body)] ?? [undefined, 0];
      return { keyAlgorithm: 'ECDSA', keyBits, curve };
    }
    case '1.3.101.112':
      return { keyAlgorithm: 'Ed25519', keyBits: 256 };
    case '1.3.101.113':
      return { keyAlgorithm: 'Ed448', keyBits: 456 };
    case '1.2.840.10040.4.1':
      return {
        keyAlgorithm: 'DSA',
        keyBits:
          algorithm.next === Tag.sequence
            ? magnitudeBits(algorithm.enter().take(Tag.integer).body)
            : 0,
      };
    default:
      return { keyAlgorithm: 'unknown', keyBits: 0 };
  }
}

/** Returns the size of a positive INTEGER in bits. */
function magnitudeBits(bodyBytes: Uint8Array): number {
  const start = bodyBytes.findIndex((octet) => octet !== 0);
  if (start < 0) return 0;
  return (bodyBytes.length - start) * 8 - (Math.clz32(bodyBytes[start] as number) - 24);
}
