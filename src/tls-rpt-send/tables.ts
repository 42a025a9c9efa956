import { migrateStore, type Store, type TableSet } from '../store/index.js';

/**
 * `count` and `failure` contain the sums that are not yet in a report, `report` the built
 * reports, `delivery` their destinations and states, `receiver` the number of reports to
 * a receiver on a day, and `refusal` the permanent refusals of a URI. Times are
 * milliseconds since 1970. A day is represented by the time of its midnight (UTC).
 */
const migrations = [
  `CREATE TABLE send_report_domain (
     day BIGINT NOT NULL,
     domain TEXT NOT NULL,
     record TEXT NOT NULL,
     PRIMARY KEY (day, domain)
   );
   CREATE TABLE send_report_count (
     day BIGINT NOT NULL,
     domain TEXT NOT NULL,
     policy TEXT NOT NULL,
     ok BIGINT NOT NULL,
     failed BIGINT NOT NULL,
     PRIMARY KEY (day, domain, policy)
   );
   CREATE TABLE send_report_failure (
     day BIGINT NOT NULL,
     domain TEXT NOT NULL,
     policy TEXT NOT NULL,
     failure TEXT NOT NULL,
     sessions BIGINT NOT NULL,
     PRIMARY KEY (day, domain, policy, failure)
   );
   CREATE TABLE send_report (
     id TEXT PRIMARY KEY,
     day BIGINT NOT NULL,
     domain TEXT NOT NULL,
     body TEXT NOT NULL
   );
   CREATE TABLE send_report_delivery (
     report TEXT NOT NULL,
     uri TEXT NOT NULL,
     queued_at BIGINT NOT NULL,
     first_at BIGINT,
     due_at BIGINT,
     tries INTEGER NOT NULL,
     state TEXT NOT NULL,
     detail TEXT NOT NULL,
     PRIMARY KEY (report, uri)
   );
   CREATE INDEX send_report_delivery_due ON send_report_delivery (due_at);
   CREATE TABLE send_report_receiver (
     receiver TEXT NOT NULL,
     day BIGINT NOT NULL,
     reports BIGINT NOT NULL,
     PRIMARY KEY (receiver, day)
   );
   CREATE TABLE send_report_refusal (
     uri TEXT PRIMARY KEY,
     refusals INTEGER NOT NULL,
     since BIGINT NOT NULL
   );`,
];

/** The table set of outgoing reports. */
export const reportingTables: TableSet = { job: 'send-report', migrations };

/** Creates missing tables and migrates older ones. */
export function prepareReporting(stateStore: Store): void {
  migrateStore(stateStore, reportingTables.job, migrations);
}
