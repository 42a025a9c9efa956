/**
 * The data contracts that the jobs share, as plain JSON with types, validation and JSON
 * Schemas:
 * - `hermetic.evidence/1`: the observations of a check, without any judgement;
 * - `hermetic.check/1`: the graded result of a check;
 * - `hermetic.diff/1`: the differences between two results;
 * - `hermetic.policy/1`: the requirements of a sender for a next hop;
 * - `hermetic.outcome/1`: one delivery attempt, with everything a TLS-RPT report needs.
 *
 * Evidence and verdict are separate on purpose. Saved evidence can be graded again
 * offline, under another profile or with newer rules, and a report always contains the
 * observation that caused a finding.
 *
 * The contracts are stable: fields are added, never renamed or removed. Text from peers
 * is stored as received, in ISO 8859-1, and neutralised if it is shown. "Could not be
 * determined" is a separate value in every field that can be unknown.
 *
 * This part contains no rules. `check` writes and grades evidence, `tls-policy` derives
 * the requirements, `send` writes outcomes, and `tls-rpt-send` reports them.
 *
 * @example
 * ```ts
 * const stored = checkResultSchema.safeParse(JSON.parse(text));
 * if (stored.success) console.log(stored.data.verdict);
 * ```
 */
export type {
  AddressEvidence,
  ConnectionEvidence,
  Depth,
  Evidence,
  HandshakeEvidence,
  HostEvidence,
  MtaStsEvidence,
  NetworkEvidence,
  PresentedChain,
  TrustPath,
  SubmissionEvidence,
  ReplyEvidence,
  RouteEvidence,
  TlsaEvidence,
  TlsRptEvidence,
  TranscriptLine,
  TxtEvidence,
} from './evidence.js';
export type {
  CaaEvidence,
  ContinuityEvidence,
  PolicyAddressEvidence,
  ReferenceEvidence,
  ServerSignature,
  SignatureEvidence,
} from './continuity.js';
export type {
  CheckResult,
  PassedTest,
  PolicyHostAddress,
  Provenance,
  Topic,
  Finding,
  FixStep,
  MailAddress,
  SubmissionPort,
  MailCertificate,
  MailHost,
  Severity,
  SenderResult,
  TlsVersion,
  Verdict,
  ZoneSignature,
} from './check-result.js';
export type { FactChange, Comparison, Direction } from './comparison.js';
export { topics } from './check-result.js';
export { evidenceDigest } from './evidence-digest.js';
export { comparisonSchema } from './comparison-schema.js';
export type { FailureEvidence } from './failure-evidence.js';
export type { KeyExchangeEvidence, ProbeEvidence } from './probe-evidence.js';
export type {
  AppliedPolicy,
  DeliveryAttempt,
  DeliveryOutcome,
  PolicyFailure,
  PolicyResult,
  SessionFacts,
} from './delivery-outcome.js';
export { deliveryOutcomeSchema } from './delivery-outcome-schema.js';
export { domainDecisionSchema } from './domain-decision-schema.js';
export { certificateFacts } from './certificate-facts.js';
export { probeEvidence, probeLog } from './probe-log.js';
export { checkResultSchema } from './check-result-schema.js';
export { evidenceSchema } from './evidence-schema.js';
export { jsonSchemas } from './json-schema.js';
