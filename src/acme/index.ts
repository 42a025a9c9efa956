/**
 * ACME client (RFC 8555): obtains certificates for given keys, and renewal windows
 * (RFC 9773).
 *
 * A CA issues a certificate after it has verified that the applicant controls each name.
 * The client registers an account, places an order, and publishes one challenge response
 * for each name (a file, a TLS certificate or a TXT record). After the CA has validated
 * the responses, the client sends the certificate request and downloads the chain. Every
 * request is a JWS with a fresh nonce.
 *
 * This part implements the protocol. The client never generates a certificate key: a mail
 * host keeps its key when it renews a certificate, so that TLSA records stay valid (RFC
 * 7671 §8.1). The client stores nothing itself: accounts and orders go to an
 * `AccountStore` and an `OrderStore`, which must be durable, because the client continues
 * an open order after a crash. A `ChallengeSolver` publishes challenge responses. Waiting
 * between rounds, retries over days, and installation belong to `publish`.
 *
 * Bounds: response sizes, redirects (none), the number of orders and authorizations, and
 * the duration of one round (`poll`). Requests go through the given `Network`, so a
 * guarded network refuses the private addresses that a malicious directory names.
 *
 * @example
 * ```ts
 * const session = new AcmeSession(server, signal);
 * const directory = await session.directory();
 * if (directory.ok) console.log(directory.value.newOrder);
 * ```
 */
export { changeAccountKey, ensureAccount, type DesiredAccount } from './account.js';
export { type Challenge, type ChallengeSolver, type ChallengeType } from './challenge.js';
export { type SolverOutcome } from './challenge.js';
export { completeOrder } from './complete-order.js';
export { acmeFailures } from './failures.js';
export { accountHash, persistentRecord } from './persistent-record.js';
export { placeOrder } from './place-order.js';
export { planRenewal, type RenewalFacts, type RenewalWindow } from './plan-renewal.js';
export { MAX_WAIT, sameUrl } from './http-headers.js';
export {
  isQueryDue,
  nextQueryAt,
  certificateId,
  fetchRenewalInfo,
  retryAt,
} from './renewal-info.js';
export { AcmeSession, type AcmeFailure, type AcmeServer } from './session.js';
export {
  accountKeyName,
  type AccountKeys,
  type AccountStore,
  type AccountRecord,
  type OpenOrder,
  type OrderStore,
} from './stores.js';
