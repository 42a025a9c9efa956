import type { KeyObject } from 'node:crypto';
import { BoundedMap, equalBytes, latin1 } from '../../base/index.js';
import type { Algorithm, AlgorithmRegistry } from './algorithms.js';

/** Maximum number of cached signatures. Each signature takes about 500 octets. */
const MAX_SIGNATURES = 2000;

/** The key and the signed data of a valid signature. */
interface Verified {
  readonly key: KeyObject;
  readonly recordData: Uint8Array;
}

/**
 * Returns a registry that verifies each signature only once. A top-level domain answers
 * questions about all its unsigned delegations with the same few NSEC3 records, so the
 * same signatures recur. The cache holds only valid signatures, each with its key and all
 * signed octets. The signed octets include the validity period, and the validator
 * compares that period with the time of each question.
 */
export function rememberSignatures(registry: AlgorithmRegistry): AlgorithmRegistry {
  const signatures = [...registry.signatures].map(
    ([number, algorithm]) => [number, remembering(algorithm)] as const,
  );
  return { ...registry, signatures: new Map(signatures) };
}

function remembering(algorithm: Algorithm): Algorithm {
  const known = new BoundedMap<Verified>(MAX_SIGNATURES);
  return {
    name: algorithm.name,
    importKey: (publicKey) => algorithm.importKey(publicKey),
    verify(key, recordData, signature) {
      const text = latin1(signature);
      const verified = known.get(text);
      if (verified?.key === key && equalBytes(verified.recordData, recordData)) return true;
      const holds = algorithm.verify(key, recordData, signature);
      if (holds) known.set(text, { key, recordData });
      return holds;
    },
  };
}
