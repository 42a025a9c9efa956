/**
 * MTA-STS: the record, the policy and how both are had. RFC 8461.
 *
 * @example
 * matchMx('*.example.com', 'mx1.example.com'); // true
 * matchMx('*.example.com', 'a.b.example.com'); // false: the wildcard is one label
 */
export { parseStsRecord, type StsRecord } from './parse-record.js';
export { lintStsRecord, nearStsRecords, type RecordLint } from './lint-record.js';
export { lintPolicy, type PolicyLint } from './lint-policy.js';
export { parsePolicy, formatPolicy, type StsPolicy, type StsMode } from './parse-policy.js';
export { matchMx } from './match-mx.js';
export {
  fetchPolicy,
  fetchPolicyAt,
  type FetchPolicyAtOptions,
  type FetchPolicyOptions,
} from './fetch-policy.js';
export type { CachedPolicy, FailedFetches, StsCache, StsEntry } from './cache-entry.js';
export {
  afterFailure,
  afterFetch,
  callsForFetch,
  expiresAt,
  GRACE,
  isWorthWarning,
  policyInForce,
  refreshAt,
  reopened,
  usefulness,
} from './cache-rules.js';
export { memoryStsCache } from './memory-cache.js';
export {
  createStsSource,
  type StsSource,
  type StsSourceOptions,
  type StsState,
} from './sts-source.js';
export { stsFailures } from './failures.js';
