/**
 * Publishes and maintains the records, policies, keys and certificates that let senders
 * encrypt mail to a domain, without making mail undeliverable at any moment.
 *
 * Three protocols need an order of changes, because senders cache:
 *
 * - **MTA-STS.** A sender caches a policy for its `max_age`. So the policy body changes
 *   before the `_mta-sts` record, and the MX records change after both (RFC 8461 §8.1).
 *   To remove a policy, publish one of mode `none`, and keep its name until every policy
 *   has expired (§8.3).
 * - **DANE.** A resolver caches a TLSA RRset for its TTL. So a new key is announced next
 *   to the old one, and the server changes its key when no cache contains an RRset
 *   without it (RFC 7671 §8.1). A renewal keeps the key, and no record changes.
 * - **TLS-RPT.** One record requests reports from senders (RFC 8460 §3). Signed reports
 *   are part of the evidence for `mode: enforce`.
 *
 * The reconcile loop is *observe, plan, save, execute*. An `Observer` queries every
 * authoritative server, every address of the policy host and every mail server directly.
 * Planners (`stepRollover`, `stepPolicy`, `stepReports`) are pure functions from saved
 * state, observation and desired state to the next safe steps. The `Ledger` saves the new
 * state. Then an `Executor` executes the actions. Each action can be repeated, so a crash
 * at any point is harmless. A step that could weaken protection is a `Proposal` that the
 * operator confirms.
 *
 * Other parts contain the ACME protocol (`acme`), certificate encoding (`pki`), settings
 * of mail servers (`mta-config`), and the timer that runs `applyOnce` (`server`).
 *
 * @example
 * ```ts
 * const desired = {
 *   publish: true,
 *   types: ['ecdsa'],
 *   matchingTypes: [1],
 *   ttl: 3600,
 *   retire: [],
 * } as const;
 * const observed = {
 *   at: 0,
 *   nameservers: [],
 *   dnssec: 'secure',
 *   ds: { records: [], ttl: 60 },
 *   addresses: [],
 *   ring: [],
 * } as const;
 * const { state, steps, waits } = stepRollover(
 *   startRollover('mx.example.com'),
 *   observed,
 *   desired,
 * );
 * console.log(state.owner, steps.length, waits[0]?.why);
 * // _25._tcp.mx.example.com 0 no answer from any authoritative server
 * ```
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
  CachedRrset,
  KeySlot,
  RolloverAction,
  RolloverObservation,
  TlsaRolloverState,
  RolloverStep,
  DesiredRollover,
  Rrset,
  ServerKey,
} from './tlsa/types.js';
export { startPolicy, stepPolicy } from './mta-sts/step-policy.js';
export { policyId, stsRecord } from './records/policy-id.js';
export type {
  PolicyAction,
  PolicyObservation,
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
export {
  planCaaRecords,
  type CaaBinding,
  type CaaHost,
  type CertificateInUse,
} from './observe/caa-records.js';
export { formatChange } from './records/format-change.js';
export {
  publishSection,
  type DnsTarget,
  type DesiredMailDomain,
  type DesiredMailHost,
  type PublishSection,
} from './config.js';
export { ledgerTables, openLedger, type Ledger, type LedgerNote } from './ledger/ledger.js';
export { KeyRing, serverKey, type RingKey } from './keys/key-ring.js';
export type { Observer } from './observe/observer.js';
export { zoneServers } from './observe/zone-servers.js';
export {
  lookupRecordOwners,
  type RecordOwner,
  type RecordOwners,
} from './observe/record-owners.js';
export { addressWildcardBlocker } from './observe/observe-host.js';
export { authoritativeCname, authoritativeTxt } from './observe/query-authoritatives.js';
export type { HostCertificate } from './certificates/types.js';
export { planAll, type PlanOptions, type SubjectPlan } from './apply/plan.js';
export { applyOnce, type Applied } from './apply/apply.js';
export { describeAction } from './apply/describe.js';
export type { Executor } from './apply/executor.js';
export type { ActionOutcome, DnsWriter } from './actions.js';
export { dnsWriters } from './dns/dns-writers.js';
export { locateRecord, type RecordLocation } from './dns/locate-record.js';
export { localExecutor, type LocalExecutorOptions } from './apply/local-executor.js';
export {
  LazyContexts,
  type ContextSource,
  type LazyContextsOptions,
} from './keys/lazy-contexts.js';
export { ringContexts } from './keys/ring-contexts.js';
export {
  policyResponder,
  policyDomainOf,
  policyHandler,
  servesPolicy,
  type PolicyResponse,
  type PolicyHandlerOptions,
} from './policy-host/policy-handler.js';
export { Issuer, type IssuerOptions } from './issue/issuer.js';
export { findIssuanceBlocker, type IssuanceRequest } from './issue/issuance-blocker.js';
export {
  acmeTables,
  openAcmeStore,
  type AcmeStore,
  type RenewalState,
} from './issue/acme-store.js';
export { renewDue, type RenewOptions } from './issue/renew-due.js';
export { dnsSolver, persistentDnsSolver, type TextRecords } from './issue/dns-solver.js';
export { folderSolver } from './issue/folder-solver.js';
export { WebSolver } from './issue/web-solver.js';
export { publishFailures } from './failures.js';
