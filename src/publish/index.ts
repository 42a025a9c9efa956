/**
 * Publishes what makes mail to a domain private without ever holding mail back: MTA-STS
 * policies through their whole life (RFC 8461 §8), TLSA records and the change of keys
 * (RFC 7671 §8), TLS-RPT records. Planners are pure; a ledger remembers what caches may
 * hold; hands carry actions out.
 *
 * @example const wish = { publish: true, types: ['ecdsa'], matchingTypes: [1], ttl: 3600,
 * leave: [] } as const; const seen = { at: 0, nameservers: [], dnssec: 'secure', ds: {
 * records: [], ttl: 60 }, addresses: [], ring: [] } as const; const { state, steps, waits
 * } = stepRollover(startRollover('mx.example.com'), seen, wish); console.log(state.owner,
 * steps.length, waits[0]?.why); // _25._tcp.mx.example.com 0 no answer from any
 * authoritative server
 */
export type {
  Action,
  Alert,
  Certify,
  Deploy,
  FailedAction,
  ImportKey,
  KeyType,
  MakeKey,
  ServePolicy,
  SetRrset,
  Step,
  StopServing,
  Wait,
} from './actions.js';
export { startRollover, stepRollover } from './tlsa/step-rollover.js';
export { covers, recordsOf } from './tlsa/rrset.js';
export type {
  AliveRrset,
  KeySlot,
  RolloverAction,
  RolloverReading,
  RolloverState,
  RolloverStep,
  DesiredRollover,
  Rrset,
  ServerKey,
} from './tlsa/types.js';
export { startPolicy, stepPolicy } from './mta-sts/step-policy.js';
export { policyId, stsRecord } from './records/policy-id.js';
export type {
  PolicyAction,
  PolicyReading,
  PolicyState,
  PolicyStep,
  DesiredPolicy,
  Proposal,
  ReportSummary,
  ServedPolicy,
  ServerAnswer,
} from './mta-sts/types.js';
export { txtRdata } from './records/txt-rdata.js';
export {
  missingRecords,
  type MissingOptions,
  type MissingStep,
  type PanelRecord,
} from './observe/missing-records.js';
export { formatChange } from './records/format-change.js';
export {
  publishSection,
  type DnsTarget,
  type DesiredMailDomain,
  type DesiredMailHost,
  type PublishSection,
} from './config.js';
export { openLedger, type Ledger } from './ledger/ledger.js';
export { KeyRing, serverKey, type RingKey } from './keys/key-ring.js';
export type { Observer } from './observe/observer.js';
export { zoneServers } from './observe/zone-servers.js';
export {
  lookupRecordOwners,
  type RecordOwner,
  type RecordOwners,
} from './observe/record-owners.js';
export { authoritativeCname } from './observe/authoritative-cname.js';
export { heldByWildcard } from './observe/read-host.js';
export { authoritativeTxt } from './observe/authoritative-txt.js';
export type { HostCertificate } from './certificates/types.js';
export { planAll, type PlanOptions, type SubjectPlan } from './apply/plan.js';
export { applyOnce, type Applied } from './apply/apply.js';
export { describe } from './apply/describe.js';
export type { Executor } from './apply/executor.js';
export type { ActionOutcome, DnsWriter } from './actions.js';
export { dnsWriters } from './dns/dns-writers.js';
export { locateRecord, type RecordPlace } from './dns/locate-record.js';
export { localHands, type LocalHandsOptions } from './apply/local-executor.js';
export {
  LazyContexts,
  type ContextSource,
  type LazyContextsOptions,
} from './keys/lazy-contexts.js';
export { ringContexts } from './keys/ring-contexts.js';
export {
  policyAnswers,
  policyDomainOf,
  policyHandler,
  servesPolicy,
  type PolicyAnswer,
  type PolicyHandlerOptions,
} from './policy-host/policy-handler.js';
export { Issuer, type CertifierOptions } from './issue/issuer.js';
export { openAcmeBook, type AcmeStore, type Renewal } from './issue/acme-store.js';
export { renewDue, type RenewOptions } from './issue/renew-due.js';
export { dnsAnswers, persistentAnswers, type TextRecords } from './issue/dns-solver.js';
export { folderAnswers } from './issue/folder-solver.js';
export { WebAnswers } from './issue/web-solver.js';
export { publishFailures } from './failures.js';
