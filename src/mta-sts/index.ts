/**
 * MTA-STS (RFC 8461): record lookup, policy fetch, cache.
 *
 * MTA-STS lets a domain require TLS without DNSSEC. The domain publishes a policy at
 * `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`: a mode, the patterns of its MX hosts
 * and a lifetime (`max_age`). A TXT record at `_mta-sts.DOMAIN` announces it, and its
 * `id` changes with each new policy. Under mode `enforce` a sender delivers only to MX
 * hosts that match a pattern and present a certificate that a public CA issued for the
 * host name. Otherwise the sender defers the mail (§5). Mode `testing` only reports
 * failures, and mode `none` withdraws the policy.
 *
 * The record is not protected, so an on-path attacker can suppress the first fetch. After
 * the first fetch, the cached policy protects the mail. Therefore one rule governs this
 * part: no failure of DNS, TLS or HTTPS ever removes an unexpired policy (§3.3).
 *
 * - `parseStsRecord` and `parsePolicy` are as tolerant as a sender must be.
 *   `lintStsRecord` and `lintPolicy` report every tolerated deviation from the standard.
 * - `fetchPolicy` fetches a policy over HTTPS, without redirects or an HTTP cache.
 * - `cache-rules.ts` decides without I/O when an entry binds, when it is fetched again,
 *   and which entry a full cache evicts.
 * - `createStsSource` combines discovery and cache for a sender, over the interface
 *   `StsCache`.
 *
 * This part leaves the certificate of the MX host and the decision to deliver to
 * `tls-policy`, and durable storage to the caller.
 *
 * @example
 * ```ts
 * matchMx('*.example.com', 'mx1.example.com'); // true
 * matchMx('*.example.com', 'a.b.example.com'); // false: the wildcard is one label
 * ```
 */
export { parseStsRecord, type StsRecord } from './parse-record.js';
export { lintStsRecord, nearStsRecords, type RecordLint } from './lint-record.js';
export { lintPolicy, type PolicyLint } from './lint-policy.js';
export { parsePolicy, formatPolicy, type StsPolicy, type StsMode } from './parse-policy.js';
export { matchMx } from './match-mx.js';
export {
  fetchPolicy,
  fetchPolicyAt,
  lookupPolicyHost,
  visitPolicyHost,
  type FetchedPolicy,
  type FetchPolicyAtOptions,
  type FetchPolicyOptions,
  type PolicyHostAddresses,
  type PolicyHostReply,
  type PolicyVisit,
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
