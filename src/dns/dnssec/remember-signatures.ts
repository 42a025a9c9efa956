import type { KeyObject } from 'node:crypto';
import { BoundedMap, equalBytes, latin1 } from '../../base/index.js';
import type { Algorithm, AlgorithmRegistry } from './algorithms.js';

/** Maximum cached signatures, about 500 octets each. */
const MAX_SIGNATURES = 2000;

/** A valid signature with its data and its key. */
interface Verified {
  readonly key: KeyObject;
  readonly recordData: Uint8Array;
}

/**
 * Returns a registry that verifies each signature once. A top-level domain answers
 * questions about all its unsigned delegations with the same few NSEC3 records. The cache
 * holds only valid signatures, each with its key and all signed octets. The validity
 * period is part of these octets, and the validator compares it with the time of each
 * question.
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
