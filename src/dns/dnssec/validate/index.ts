/**
 * A complete validating stub resolver as a pure function: it takes a question and a query
 * function, and returns an answer with its proof (RFC 4033-4035, 5155, 6840, 9276).
 */
export { validate } from './validate.js';
export { verifyProof } from './proof.js';
export { WrittenProof } from './written-proof.js';
export { recordMemory } from './used-records.js';
export { rootAnchors, parseTrustAnchors } from './anchors.js';
export { defaultLimits, MAX_CLOCK_SKEW } from './types.js';
export type {
  Fetch,
  Fetched,
  TrustAnchor,
  ValidationLimits,
  ValidateRequest,
  ZoneCache,
  CachedZone,
  ZoneStatus,
  Proof,
  ProofRecords,
} from './types.js';
