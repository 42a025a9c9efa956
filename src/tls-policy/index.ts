/**
 * TLS policy: the requirements of a sending mail server for each MX host of a domain.
 *
 * Without a policy, mail between servers uses opportunistic TLS (RFC 3207): an on-path
 * attacker removes the STARTTLS offer, or presents any certificate, and the mail goes to
 * the attacker. Two standards let a domain require more:
 *
 * - DANE (RFC 7672): TLSA records in a DNSSEC-signed zone pin the key of each MX host. A
 *   sender that validates DNSSEC must then use TLS and match a record. A TLSA lookup that
 *   fails, or is bogus, defers the mail: otherwise an attacker who blocks DNS would
 *   disable DANE.
 * - MTA-STS (RFC 8461): a policy on an HTTPS host lists the MX names and a mode. In mode
 *   `enforce` only listed hosts with a certificate from a trusted CA are used. A sender
 *   caches the policy; the first contact can still be suppressed.
 *
 * If both apply, both are enforced (RFC 8461 §2). A refused host is skipped, and mail
 * without a usable host is deferred, never bounced because of policy.
 *
 * The part has three layers:
 *
 * - `decideHost`, `decideDomain`: pure decision tables over completed lookups. Each
 *   ground has a stable code, a sentence and the clause.
 * - `resolvePolicy`: runs the lookups (MX, addresses, TLSA, policy) and decides. Network
 *   faults are part of the decision, not exceptions.
 * - `exposureOf`: predicts the delivery for six classes of sender under five attacks.
 *
 * Connecting and enforcing belong to `send`, fetching and caching policies to `mta-sts`,
 * matching certificates to `dane` and `x509`.
 *
 * @example
 * ```ts
 * const host = { name: 'mx.example.com', dnssec: 'secure', tlsa: 'usable' };
 * decideHost(host, 'secure', { dane: true, mtaSts: undefined });
 * // { action: 'use', tls: 'mandatory', authenticate: ['dane'],
 * //   reasons: ['dane-usable', 'sts-no-policy'] }
 * ```
 */
export {
  decideHost,
  type Decision,
  type AuthMechanism,
  type Reason,
  type Rules,
} from './decide-host.js';
export {
  decideDomain,
  enforced,
  exemptionOf,
  type DecideOptions,
  type DomainFacts,
  type HostFacts,
} from './decide-domain.js';
export { resolvePolicy, type PolicyDeps } from './resolve-policy.js';
export { parseNextHop, type NextHop } from './next-hop.js';
export { judgeServer, type ServerQuestion, type ServerVerdict } from './judge-server.js';
export { serverFailures } from './failures.js';
export { reasonTable } from './explain.js';
export { decidingCause, causeOfHost, causeText, type DecidingCause } from './explain-decision.js';
export type {
  DomainDecision,
  Exemption,
  Rationale,
  HostDecision,
  SenderSettings,
  StsDecision,
  LookupFailure,
  Waiver,
} from './domain-decision.js';
export { exposureOf, cell, type Exposure } from './exposure-of.js';
export { referenceNames, type WayToHost } from './reference-names.js';
export { attackView } from './attack-view.js';
export { deliverTo } from './deliver-to.js';
export { senders, attacks, outcomes } from './types.js';
export type {
  SenderClass,
  Attack,
  DeliveryResult,
  Known,
  View,
  HostView,
  ServerView,
  StsView,
} from './types.js';
