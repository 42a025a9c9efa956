import { migrate, type Store } from '../store/index.js';

/**
 * `count` and `failure` add up what is not in a report yet, `report` holds what was built
 * and not settled, `delivery` where each goes, `receiver` how many each receiver was
 * given a day, `refusal` who refuses for good. Times in milliseconds since 1970, days as
 * that of their midnight (UTC).
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

/** Makes the tables where they are not there yet. */
export function prepareReporting(store: Store): void {
  migrate(store, 'send-report', migrations);
}
