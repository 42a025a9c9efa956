import { createPublicKey, verify } from 'node:crypto';
import {
  rsa,
  standardAlgorithms,
  type Algorithm,
  type AlgorithmRegistry,
} from '../../src/dns/index.js';

/** DSA (RFC 2536), implemented only for the replay of historic vectors. */
const dsa: Algorithm = {
  name: 'DSA',
  importKey(k) {
    const size = 64 + (k[0] ?? 0) * 8;
    if (k.length !== 21 + 3 * size) return undefined;
    const [q, p, g, y] = [
      k.subarray(1, 21),
      k.subarray(21, 21 + size),
      k.subarray(21 + size, 21 + 2 * size),
      k.subarray(21 + 2 * size),
    ];
    const parameters = der(0x30, integer(p), integer(q), integer(g));
    const algorithm = der(0x30, [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], parameters);
    try {
      return createPublicKey({
        key: Buffer.from(der(0x30, algorithm, der(3, [0], integer(y)))),
        format: 'der',
        type: 'spki',
      });
    } catch {
      return undefined;
    }
  },
  verify(key, data, signature) {
    // The vectors hold RFC 2536 form (T, R, S) and, from an old signer, plain DER.
    const raw = signature.length === 41;
    return verify(
      'sha1',
      data,
      raw ? { key, dsaEncoding: 'ieee-p1363' } : key,
      raw ? signature.subarray(1) : signature,
    );
  },
};

function der(tag: number, ...parts: readonly (readonly number[])[]): number[] {
  const content = parts.flat();
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 255];
  return [tag, ...length, ...content];
}

function integer(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((b) => b !== 0);
  const trimmed = [...bytes.subarray(Math.max(0, first))];
  return der(2, (trimmed[0] ?? 0) & 0x80 ? [0, ...trimmed] : trimmed);
}

/**
 * The algorithms that were valid at the time of the vectors. Real answers are never
 * validated with these algorithms.
 */
export const legacyAlgorithms: AlgorithmRegistry = {
  signatures: new Map([
    ...standardAlgorithms.signatures,
    [3, dsa],
    [6, dsa],
    [5, rsa('RSASHA1', 'sha1')],
    [7, rsa('RSASHA1-NSEC3-SHA1', 'sha1')],
  ]),
  digests: new Map([...standardAlgorithms.digests, [1, 'sha1']]),
};
