import { curves } from './algorithms-registry.js';
import { DerReader, readBits, readOid, Tag } from './der-reader.js';
import type { Certificate } from './types.js';

type KeyFields = Pick<Certificate, 'keyAlgorithm' | 'keyBits' | 'curve'>;

/** What a SubjectPublicKeyInfo holds. */
export function readPublicKey(spki: Uint8Array): KeyFields {
  const info = new DerReader(spki).enter();
  const algorithm = info.enter();
  const bits = readBits(info.take(Tag.bitString).body).bytes;
  info.end();
  switch (readOid(algorithm.take(Tag.objectId).body)) {
    case '1.2.840.113549.1.1.1':
    case '1.2.840.113549.1.1.10':
      return {
        keyAlgorithm: 'RSA',
        keyBits: magnitudeBits(new DerReader(bits).enter().take(Tag.integer).body),
      };
    case '1.2.840.10045.2.1': {
      const [name, size] = (algorithm.next === Tag.objectId &&
        curves[readOid(algorithm.any().body)]) || [undefined, 0];
      return {
        keyAlgorithm: 'ECDSA',
        keyBits: size,
        ...(name === undefined ? {} : { curve: name }),
      };
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

function magnitudeBits(body: Uint8Array): number {
  const start = body.findIndex((octet) => octet !== 0);
  if (start < 0) return 0;
  return (body.length - start) * 8 - (Math.clz32(body[start] as number) - 24);
}
