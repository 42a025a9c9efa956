/**
 * Tests the sending side of a mail server. A receiver cannot distinguish a protected
 * delivery from an unprotected one, so only receivers with deliberate faults reveal the
 * rules of a sender.
 *
 * - `cases/` is the catalogue: receiving domains with one property each, as data. The
 *   receiver, the records and the prediction use the same description.
 * - `observation.ts` is the record of the receivers: DNS questions, policy fetches, and
 *   the course of each SMTP connection. Message content is never recorded.
 * - `receive/` implements the cases: SMTP connections, records and policies. It opens no
 *   port; the callers pass connections.
 * - `judge/` computes a result from observations, without a clock or I/O.
 * - `verdict.ts` is the result: one verdict for each case, one for each mechanism.
 * - `slots/` is the public test: slots that are allocated to clients, and the records of their
 *   names, `<case>.<slot>.<zone>`.
 *
 * Three rules keep the verdicts correct. Silence is never a refusal: a case without an
 * attempt is `not-seen`. A verdict on a mechanism needs a case that the sender must
 * deliver and one that it must refuse. A sender that left before the property of a case
 * was visible has made no decision about this property.
 *
 * @example
 * ```ts
 * for (const { id, says, expect } of senderCases) console.log(id, expect, says);
 * console.log(caseNames('dane-mismatch', 'me', 'sender.example').mxHost);
 * ```
 */
export { senderCase, senderCases } from './cases/all-cases.js';
export {
  caseNames,
  caseOfName,
  openableCases,
  type CaseNames,
  type NamedCase,
} from './cases/case-names.js';
export {
  caseGroups,
  deliverySteps,
  senderMechanisms,
  type CaseCertificate,
  type CaseGroup,
  type CaseHost,
  type CasePolicy,
  type CaseTlsa,
  type CaseZone,
  type DeliveryStep,
  type SenderCase,
  type SenderMechanism,
} from './cases/sender-case.js';
export { TEST_MAX_AGE, viewOfCase } from './cases/view-of-case.js';
export {
  CaseCertificates,
  tlsaDigests,
  type CertificateSource,
  type HostKeyAndChain,
} from './receive/case-certificates.js';
export {
  caseRecords,
  type CaseRecord,
  type CaseRecordOptions,
  type CaseZoneRecords,
} from './receive/case-records.js';
export { policyAnswer, type PolicyAnswer } from './receive/policy-answer.js';
export { reportObservations } from './receive/report-observations.js';
export { Recorder, type CasePlace, type UnplacedObservation } from './receive/recorder.js';
export { SmtpReceiver, type SmtpReceiverOptions } from './receive/smtp-receiver.js';
export type { ReceiverLimits } from './receive/receiver-session.js';
export { isSettled, judgeSender, type SenderJudgeOptions } from './judge/judge-sender.js';
export { isDelivered } from './judge/judge-case.js';
export { comparePrediction, type ComparedCase } from './judge/compare-prediction.js';
export { observedExposure } from './judge/observed-exposure.js';
export {
  testHeadline,
  identityLines,
  renderComparison,
  renderSenderTest,
  type TestLayout,
} from './render/render-test.js';
export {
  adviceFor,
  mechanismReason,
  mechanismWord,
  reportLines,
  verdictText,
} from './render/words.js';
export { attackTable, renderSenderHtml } from './render/render-html.js';
export { renderSenderJunit } from './render/render-junit.js';
export { senderSchemas } from './json-schemas.js';
export {
  fileTypes,
  policyServers,
  predictionSchema,
  predictionSchemas,
  predictSender,
  readExim,
  readOpenSmtpd,
  readOwn,
  readPostfix,
  renderPrediction,
  resolverStates,
  senderPrograms,
  splitTlsLibrary,
  type PolicyServer,
  type ReadTable,
  type ResolverState,
  type OwnSettings,
  type SenderModel,
  type SenderPrediction,
  type SenderProgram,
  type TableName,
} from './predict/index.js';
export {
  cutText,
  MAX_OBSERVATIONS,
  observationSchema,
  observationsSchema,
  type Observation,
  type ObservationOf,
} from './observation.js';
export {
  caseNotes,
  caseResultSchema,
  caseVerdicts,
  mechanismResultSchema,
  mechanismVerdicts,
  senderResultSchema,
  type CaseNote,
  type CaseResult,
  type CaseVerdict,
  type MechanismResult,
  type MechanismVerdict,
  type SenderIdentity,
  type SenderTestResult,
  type SenderTls,
} from './verdict.js';
export { CaseAddresses, type MailAddresses } from './slots/case-addresses.js';
export { siteRecords, type SiteData } from './slots/site-records.js';
export { SiteZones, type SiteZonesOptions } from './slots/site-zones.js';
export { slotTables, SlotTable, type Allocation, type Slot } from './slots/slot-table.js';
export { allocateSlot, type AllocationOptions, type AllocatedSlot } from './slots/allocate-slot.js';
export { slotFailures, type SlotFailureCode } from './slots/failures.js';
export { ObservationBuffer } from './slots/observation-buffer.js';
export {
  delegationText,
  staticZones,
  type StaticZone,
  type StaticZoneOptions,
} from './slots/zone-text.js';
export { SlotReceivers, type SlotReceiversOptions } from './slots/slot-receivers.js';
export { SlotCertificates, type SlotCertificatesOptions } from './slots/slot-certificates.js';
export { SlotPolicySite, type PolicySiteOptions } from './slots/policy-site.js';
export { addressesOf, closedCases, openCases, type ClosedCase } from './slots/open-cases.js';
