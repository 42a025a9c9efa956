/**
 * Sends TLS reports (RFC 8460, "TLS-RPT"): the sender's part of the protocol.
 *
 * A domain publishes a TXT record at `_smtp._tls` with addresses for reports. Senders
 * count their sessions to the domain by policy and result, and deliver one JSON report
 * for each UTC day. A report shows the operator of the domain, for example, that an
 * attacker removes STARTTLS or that a certificate does not match the policy.
 *
 * The stages, each saved to disk before the next one starts:
 *
 * 1. Events. A session becomes an event: from an outcome of `send`, from a datagram of
 *    libtlsrpt (Postfix), or from a line of a feed. `EventBuffer` groups them.
 * 2. Counts. `countSessions` adds events to exact sums by day, domain, policy and
 *    failure. The number of rows is limited, so that a hostile server cannot fill the
 *    disk. The sums remain exact.
 * 3. Reports. `Outbox` builds one report for each domain after the end of the day, and sends
 *    it after a random delay within the following hours (RFC 8460 §4.1).
 * 4. Delivery. `deliverReport` sends a report by HTTPS POST, or by mail with a DKIM
 *    signature (RFC 8460 §3). Failures are retried for 24 hours (§5.5). Sessions of
 *    report mail are never counted.
 *
 * A record can name an address without consent of its owner, so the number of reports for
 * one organisational domain is limited (RFC 8460 §7).
 *
 * `tls-rpt` parses and formats the JSON, `tls-rpt-receive` receives reports, and `send`
 * delivers report mail.
 *
 * @example
 * ```ts
 * countSessions(store, eventsOfOutcome(outcome));
 * const reporter = { organization: 'Example', contact: 'tls-reports@example.com' };
 * const outbox = new Outbox({ store, reporter, random: Math.random });
 * await outbox.close(Date.now()); // builds the reports of the days that are over
 * ```
 */
export { eventsOfOutcome, type SessionEvent } from './session-event.js';
export { parseDatagram } from './parse-datagram.js';
export { FeedLines, parseFeedLine } from './read-feed.js';
export {
  collectDatagrams,
  inheritedDescriptor,
  type DatagramCollectorOptions,
} from './collect-datagrams.js';
export { countedPolicies, countSessions } from './count-sessions.js';
export { EventBuffer, type EventBufferOptions } from './event-buffer.js';
export { prepareReporting, reportingTables } from './tables.js';
export { buildReport, submitterOf, type Reporter } from './build-report.js';
export { destinationsOf, parseDestination, type Destination } from './destinations.js';
export {
  Outbox,
  type QueuedReport,
  type OutboxOptions,
  type DeliverySettlement,
} from './outbox.js';
export { composeReportMail, type DkimKey, type ReportMail } from './compose-report-mail.js';
export { deliverReport, type DeliverReportOptions } from './deliver-report.js';
export { reportRound, runReportJob, type ReportJobOptions } from './report-job.js';
export { previewReports, type PreviewedReport } from './preview-reports.js';
export { reportingSection, type ReportingSettings } from './settings.js';
export { reportingFailures } from './failures.js';
