/**
 * TLS-RPT, receiving: reports by HTTPS, mail and files, who vouches for them, what they
 * add up to, and what to do about it. RFC 8460.
 *
 * @example const store = await openReports(':memory:'); for await (const { status, totals
 * } of importReports(walkSources('reports/'), { clock: systemClock, store }))
 * console.log(status, totals?.failed);
 */
export { intakeFailures } from './failures.js';
export { openReports, prepareReports } from './tables/open-reports.js';
export { importReports, type ImportOptions } from './read/import-reports.js';
export { walkSources, type Source } from './read/walk-sources.js';
export { reportRecordSchema, type ReportRecord } from './read/report-record.js';
export { reportSchemas } from './render/report-schemas.js';
export { arrivalOf } from './verify/arrival-of.js';
export { loadDkimVerifier, lookupKeys, verifyDkim, type LookupKeys } from './verify/verify-dkim.js';
export type { ReceivedReport } from './tables/prepare-report.js';
export { storeReports, type StoreOutcome } from './tables/store-reports.js';
export { reportEvidence, type ReportEvidence } from './tables/report-evidence.js';
export {
  counts,
  isAuthenticated,
  type DkimSignature,
  type DkimVerdict,
  type VerifiedItem,
  type MailEnvelope,
  type ReportItem,
  type ReportTrust,
  type TrustReason,
  type Via,
} from './types.js';
export {
  createReceiver,
  type Receipt,
  type Receiver,
  type ReceiverOptions,
} from './intake/receiver.js';
export { httpsHandler, type HttpsHandlerOptions } from './intake/https-handler.js';
export { smtpIntake, type SmtpIntake, type SmtpIntakeOptions } from './intake/smtp-intake.js';
export { reportSection, type ReportSettings } from './settings.js';
export { reportedDomains, showDomain, showOverview, type ShowOptions } from './explain/show.js';
export type { DomainView, KindSums, ReporterSums } from './explain/domain-view.js';
export type { Explanation, DeliveryImpact } from './explain/explain-group.js';
export type { DomainLine, Overview } from './explain/overview.js';
export type { FaultParty } from './explain/judge-fault.js';
export { renderDomain, type RenderOptions } from './render/render-domain.js';
export { renderOverview } from './render/render-overview.js';
export { knownHosts, readChecks, storeCheck } from './tables/checks.js';
export {
  runAlerts,
  type AlertFailure,
  type AlertOptions,
  type Notice,
} from './alert/run-alerts.js';
export { planAlerts, type ReportAlert, type Condition, type Told } from './alert/plan-alerts.js';
export { alertJson, alertSubject, alertText } from './alert/alert-text.js';
export { pruneReports, type PruneOptions } from './tables/prune-reports.js';
export { exportReports, type ExportOptions } from './tables/export-reports.js';
export { postWebhook, type WebhookOptions } from './alert/post-webhook.js';
