/**
 * The tables of reports. Days count from 1970, times are milliseconds since then. In the sums the domain `` stands for all of them, and the type `` for all
 * policies of a report together. Policies and failures are numbered by their report: its number times a million, and their place in it, so that those of one
 * report need no index.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE report (
     id INTEGER PRIMARY KEY,
     digest BLOB NOT NULL UNIQUE,
     received_at BIGINT NOT NULL,
     day INTEGER,
     reporter TEXT NOT NULL,
     organization TEXT,
     contact TEXT,
     report_id TEXT,
     via TEXT NOT NULL,
     peer TEXT,
     trust TEXT NOT NULL,
     trust_detail TEXT NOT NULL,
     counted INTEGER NOT NULL,
     copies INTEGER NOT NULL DEFAULT 1,
     ok BIGINT NOT NULL,
     failed BIGINT NOT NULL,
     notes TEXT,
     raw BLOB NOT NULL
   );
   CREATE INDEX report_uncounted ON report (received_at) WHERE counted = 0;
   CREATE INDEX report_odd ON report (received_at) WHERE notes IS NOT NULL;
   CREATE TABLE report_text (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
   CREATE TABLE report_policy (
     id INTEGER PRIMARY KEY,
     report INTEGER NOT NULL,
     domain TEXT NOT NULL,
     day INTEGER NOT NULL,
     reporter TEXT NOT NULL,
     type TEXT NOT NULL,
     mode TEXT NOT NULL,
     text INTEGER NOT NULL,
     counted INTEGER NOT NULL,
     ok BIGINT NOT NULL,
     failed BIGINT NOT NULL
   );
   CREATE INDEX report_policy_by_domain ON report_policy (domain, day);
   CREATE TABLE report_failure (
     id INTEGER PRIMARY KEY,
     domain TEXT NOT NULL,
     day INTEGER NOT NULL,
     reporter TEXT NOT NULL,
     type TEXT NOT NULL,
     mode TEXT NOT NULL,
     counted INTEGER NOT NULL,
     result TEXT NOT NULL,
     mx TEXT NOT NULL,
     ip TEXT NOT NULL,
     sender_ip TEXT NOT NULL,
     reason TEXT NOT NULL,
     info TEXT NOT NULL,
     failed BIGINT NOT NULL
   );
   CREATE INDEX report_failure_by_domain ON report_failure (domain, day);
   CREATE TABLE report_day (
     domain TEXT NOT NULL,
     day INTEGER NOT NULL,
     type TEXT NOT NULL,
     ok BIGINT NOT NULL,
     failed BIGINT NOT NULL,
     reports BIGINT NOT NULL,
     PRIMARY KEY (domain, day, type)
   );
   CREATE INDEX report_day_failing ON report_day (day) WHERE failed > 0;
   CREATE TABLE report_reporter_day (
     day INTEGER NOT NULL,
     reporter TEXT NOT NULL,
     type TEXT NOT NULL,
     ok BIGINT NOT NULL,
     failed BIGINT NOT NULL,
     reports BIGINT NOT NULL,
     PRIMARY KEY (day, reporter, type)
   );
   CREATE TABLE report_alert (
     channel TEXT NOT NULL,
     condition TEXT NOT NULL,
     domain TEXT NOT NULL,
     level BIGINT NOT NULL,
     says TEXT NOT NULL,
     since BIGINT NOT NULL,
     PRIMARY KEY (channel, condition)
   );
   CREATE TABLE report_refusal (day INTEGER NOT NULL, via TEXT NOT NULL, code TEXT NOT NULL, refused BIGINT NOT NULL, PRIMARY KEY (day, via, code));
   CREATE TABLE report_check (domain TEXT NOT NULL, checked_at BIGINT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (domain, checked_at));`,
];
