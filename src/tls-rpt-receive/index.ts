/**
 * Receives TLS-RPT reports (RFC 8460): verifies their senders, adds them up, and finds
 * the cause of each failure.
 *
 * A domain requests reports with a TXT record at `_smtp._tls` (§3). Each sender then
 * reports once a day how many sessions met the domain's MTA-STS or DANE policy, and how
 * the other sessions failed (§4). Reports arrive as mail with a DKIM signature (§5.3), or
 * by an HTTPS POST that does not authenticate the sender (§5.4). A receiver must expect
 * forged, repeated, oversized and malformed reports (§7).
 *
 * A report passes through these folders:
 *
 * - `intake` accepts mail and POSTs within limits of octets, time and memory, and
 *   acknowledges a report only after storing it durably.
 * - `mailbox` fetches mail from IMAP folders and passes it to `intake`.
 * - `read` finds every report in a mail, archive, mailbox or file.
 * - `verify` determines whether a report is authentic. Only a signature of the reporting
 *   organisation, or an import by the operator, authenticates it. Unauthenticated reports
 *   are shown, but no decision depends on them.
 * - `tables` stores each report once, and adds it to sums by day.
 * - `explain` groups failures and judges the cause by a table of rules: your domain, the
 *   reporter, the network between, or unclear. A rule names a cause only if it is proved,
 *   and otherwise names the missing proof. Reports count sessions by day and omit many
 *   details, so two reporters prove a fault only if noise and coincidence are excluded.
 * - `render` prints pages, and `alert` sends changes by mail and to webhooks.
 *
 * `tls-rpt` parses records and reports, and `tls-rpt-send` sends reports. `storeCheck`
 * stores the evidence of `hermetic check`.
 *
 * @example
 * ```ts
 * const store = await openReports(':memory:');
 * const sources = walkSources('reports/');
 * for await (const { status, totals } of importReports(sources, {
 *   clock: systemClock,
 *   store,
 * }))
 *   console.log(status, totals?.failed);
 * console.log(showDomain(store, 'example.com', { now: Date.now() }).failures);
 * ```
 */
export { intakeFailures } from './failures.js';
export { openReports, prepareReports, reportTables } from './tables/open-reports.js';
export { importReports, type ImportOptions } from './read/import-reports.js';
export { walkSources, type Source } from './read/walk-sources.js';
export { reportRecordSchema, type ReportRecord } from './read/report-record.js';
export { reportSchemas } from './render/report-schemas.js';
export { arrivalOf } from './verify/arrival-of.js';
export { lookupKeys, verifyDkim, type LookupKeys } from './verify/verify-dkim.js';
export type { ReceivedReport } from './tables/prepare-report.js';
export { storeReports, type StoreOutcome } from './tables/store-reports.js';
export { domainReports, type DomainReport } from './tables/domain-reports.js';
export { sumSessions, type SessionSums } from './tables/session-sums.js';
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
export {
  isOtherMail,
  MailboxReader,
  type MailboxReaderOptions,
  type MailboxStatus,
  type MailFate,
} from './mailbox/mailbox-reader.js';
export {
  importMailbox,
  type ImportMailboxOptions,
  type MailboxImport,
} from './mailbox/import-mailbox.js';
export {
  openMailbox,
  type MailboxAddress,
  type MailboxNetwork,
  type MailboxSecret,
} from './mailbox/open-mailbox.js';
export type { FetchedMail, ReportMailbox, MailEntry } from './mailbox/mailbox.js';
export {
  bodyIntake,
  httpsHandler,
  type BodyIntake,
  type HttpsHandlerOptions,
} from './intake/https-handler.js';
export { smtpIntake, type SmtpIntake, type SmtpIntakeOptions } from './intake/smtp-intake.js';
export {
  alertChannelFields,
  domainField,
  mailboxName,
  reportSection,
  type ReportSettings,
} from './settings.js';
export {
  isReported,
  reportedDomains,
  showDomain,
  showDomainInTurns,
  showOverview,
  showOverviewInTurns,
  type ShowOptions,
} from './explain/show.js';
export type { DomainView, KindSums, ReporterSums } from './explain/domain-view.js';
export type { Explanation, DeliveryImpact } from './explain/explain-group.js';
export type { DomainLine, Overview } from './explain/overview.js';
export { rules as causeRules, type FaultParty } from './explain/judge-fault.js';
export {
  coverageLine,
  domainHeadline,
  enforceNames,
  renderDomain,
  type RenderOptions,
} from './render/render-domain.js';
export { overviewHeadline, renderReportOverview } from './render/render-overview.js';
export { describeExtent, fateNames } from './render/render-failures.js';
export { trustNames, uncountedName, whyNotCounted } from './render/render-arrivals.js';
export {
  listReporters,
  listReports,
  readReport,
  type ListedReport,
  type ListedReporter,
  type ReadReport,
} from './explain/list-reports.js';
export { knownHosts, readChecks, storeCheck } from './tables/checks.js';
export {
  runAlerts,
  type AlertFailure,
  type AlertOptions,
  type Notice,
} from './alert/run-alerts.js';
export {
  planAlerts,
  type ReportAlert,
  type Condition,
  type SentAlert,
} from './alert/plan-alerts.js';
export { alertJson, alertSubject, alertText } from './alert/alert-text.js';
export { pruneReports, type PruneOptions } from './tables/prune-reports.js';
export { exportReports, type ExportOptions } from './tables/export-reports.js';
export { postWebhook, type WebhookOptions } from './alert/post-webhook.js';
