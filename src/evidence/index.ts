/**
 * The facts the jobs share, as plain JSON: what was seen (`hermetic.evidence/1`) and what
 * it comes to (`hermetic.check/1`). What a sender must do (`hermetic.policy/1`) and what
 * became of it (`hermetic.outcome/1`) are here as well. Types, validation and JSON
 * Schemas only; the records come from RFC 8461, RFC 8460 and RFC 7672.
 *
 * @example const stored = checkResultSchema.safeParse(JSON.parse(text)); if
 * (stored.success) console.log(stored.data.verdict);
 */
export type {
  AddressEvidence,
  ConnectionEvidence,
  Depth,
  Evidence,
  FailureEvidence,
  HandshakeEvidence,
  HostEvidence,
  MtaStsEvidence,
  NetworkEvidence,
  PresentedChain,
  SubmissionEvidence,
  ReplyEvidence,
  RouteEvidence,
  TlsaEvidence,
  TlsRptEvidence,
  TranscriptLine,
  TxtEvidence,
} from './evidence.js';
export type {
  CheckResult,
  PassedTest,
  Provenance,
  Topic,
  Finding,
  FixStep,
  MailAddress,
  SubmissionPort,
  MailCertificate,
  MailHost,
  Severity,
  TlsVersion,
  Verdict,
} from './check-result.js';
export type { FactChange, Comparison, Direction } from './comparison.js';
export { topics } from './check-result.js';
export { evidenceDigest } from './evidence-digest.js';
export { comparisonSchema } from './comparison-schema.js';
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
