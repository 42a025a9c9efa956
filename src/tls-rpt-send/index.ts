/**
 * Telling others how TLS to them went: events of sessions, exact sums a UTC day, one
 * report a domain, delivered by HTTPS or signed mail. RFC 8460.
 *
 * @example countSessions(store, eventsOfOutcome(outcome)); const outbox = new Outbox({
 * store, reporter: { organization: 'Example', contact: 'tls-reports@example.com' },
 * random: Math.random }); await outbox.close(Date.now()); // the days that are over
 */
export { eventsOfOutcome, type SessionEvent } from './session-event.js';
export { parseDatagram } from './parse-datagram.js';
export { FeedLines, parseFeedLine } from './read-feed.js';
export { collectDatagrams, inheritedDescriptor, type CollectOptions } from './collect-datagrams.js';
export { countedPolicies, countSessions } from './count-sessions.js';
export { EventBuffer, type EventBufferOptions } from './event-buffer.js';
export { prepareReporting } from './tables.js';
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
