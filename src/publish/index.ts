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
export { startRollover, stepRollover } from './rollover/step-rollover.js';
export { covers, recordsOf } from './rollover/rrset.js';
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
} from './rollover/types.js';
export { startPolicy, stepPolicy } from './policy/step-policy.js';
export { policyId, stsRecord } from './policy/policy-id.js';
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
} from './policy/types.js';
export { txtRdata } from './records/txt-rdata.js';
export {
  missingRecords,
  type MissingOptions,
  type MissingStep,
  type PanelRecord,
} from './records/missing-records.js';
export {
  formatMailServerConfig,
  mailServerConfig,
  mailServers,
  type ConfigPart,
  type MailServerName,
  type MailServerOptions,
} from './mail-server/mail-server-config.js';
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
export type { DnsWriter, Executor, ActionOutcome } from './apply/executor.js';
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
export { Issuer, type CertifierOptions } from './acme/issuer.js';
export { openAcmeBook, type AcmeStore, type OpenOrder, type Renewal } from './acme/acme-store.js';
export type { AcmeServer } from './acme/acme-session.js';
export type { Challenge, ChallengeSolver, ChallengeType } from './acme/challenge.js';
export { renewDue, type RenewOptions } from './acme/renew-due.js';
export { dnsAnswers, persistentAnswers, type TextRecords } from './acme/dns-answers.js';
export { folderAnswers } from './acme/folder-answers.js';
export { WebAnswers } from './acme/web-answers.js';
export { planRenewal, type RenewalFacts, type RenewalWindow } from './acme/plan-renewal.js';
export { publishFailures } from './failures.js';
