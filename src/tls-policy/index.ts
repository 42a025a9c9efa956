/**
 * The one brain: what a sender must do with each MX host (RFC 7672, RFC 8461), and what
 * that comes to under attack. `check` asks it what every class of sender would do; a
 * sender obeys it; nobody decides twice.
 *
 * @example const decision = decideHost({ name: 'mx.example.com', dnssec: 'secure', tlsa:
 * 'usable' }, 'secure', { dane: true, mtaSts: undefined }); // { action: 'use', tls:
 * 'mandatory', authenticate: ['dane'], reasons: ['dane-usable', 'sts-no-policy'] }
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
