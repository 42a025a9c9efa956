import { createHash } from 'node:crypto';
import { curves } from './algorithms-registry.js';
import {
  DerError,
  DerReader,
  readInteger,
  readOctetBits,
  readOid,
  takeNull,
  Tag,
} from './der-reader.js';
import type { Certificate } from './types.js';

type KeyFields = Pick<Certificate, 'keyAlgorithm' | 'keyBits' | 'curve' | 'unnamedCurve'>;

/**
 * Reads algorithm, size and curve of a SubjectPublicKeyInfo.
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

/**
 * Minimum bits of an RSA key. Smaller keys are rejected; profiles may grade larger ones
 * as weak.
 */
const MIN_RSA_BITS = 1024;
const MIN_EC_BITS = 192;

/**
 * Returns true for a key that is rejected: an RSA key that can be factored, or a key on a
 * small or unknown curve.
 */
export function hasWeakKey({ keyAlgorithm, keyBits, unnamedCurve }: KeyFields): boolean {
  if (keyAlgorithm === 'RSA') return keyBits < MIN_RSA_BITS;
  return keyAlgorithm === 'ECDSA' && !unnamedCurve && keyBits < MIN_EC_BITS;
}

/** Reads algorithm and size; RSASSA-PSS keys count as RSA. */
function readKey(spki: Uint8Array): Omit<KeyFields, 'unnamedCurve'> & Partial<KeyFields> {
  const info = DerReader.sequence(spki);
  const algorithm = info.enter();
  const bits = readOctetBits(info.take(Tag.bitString).body);
  info.end();
  switch (readOid(algorithm.take(Tag.objectId).body)) {
    case '1.2.840.113549.1.1.1':
      takeNull(algorithm);
      algorithm.end();
      return { keyAlgorithm: 'RSA', keyBits: rsaBits(DerReader.sequence(bits)) };
    case '1.2.840.113549.1.1.10':
      return { keyAlgorithm: 'RSA', keyBits: rsaBits(DerReader.sequence(bits)) };
    case '1.2.840.10045.2.1': {
      if (algorithm.next !== Tag.objectId)
        return { keyAlgorithm: 'ECDSA', keyBits: 0, unnamedCurve: true };
      const [curve, keyBits] = curves[readOid(algorithm.any().body)] ?? [undefined, 0];
      algorithm.end();
      return { keyAlgorithm: 'ECDSA', keyBits, curve };
    }
    case '1.3.101.112':
      algorithm.end();
      return { keyAlgorithm: 'Ed25519', keyBits: 256 };
    case '1.3.101.113':
      algorithm.end();
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

/**
 * Returns the size of the modulus. With an exponent of 1 every number is a signature, and
 * an even exponent has no private key (RFC 8017 §3.1).
 */
function rsaBits(publicKey: DerReader): number {
  const modulus = readInteger(publicKey.take(Tag.integer).body);
  const exponent = readInteger(publicKey.take(Tag.integer).body);
  publicKey.end();
  if ((modulus[0] as number) >= 0x80) throw new DerError('RSA modulus is negative');
  const isEven = ((exponent.at(-1) ?? 0) & 1) === 0;
  if (isEven || magnitudeBits(exponent) < 2) throw new DerError('RSA exponent out of range');
  return magnitudeBits(modulus);
}

/** Returns the size of a positive INTEGER in bits. */
function magnitudeBits(bodyBytes: Uint8Array): number {
  const start = bodyBytes.findIndex((octet) => octet !== 0);
  if (start < 0) return 0;
  return (bodyBytes.length - start) * 8 - (Math.clz32(bodyBytes[start] as number) - 24);
}
