/** Maximum number of sessions in one row of `report_policy` or `report_failure`. */
const MAX_COUNT = 10_000_000_000;
/**
 * Maximum number of sessions in one row of `report_day`, so that sums of many rows stay
 * exact.
 */
export const MAX_DAY_SUM = 1_000_000_000_000_000;

/**
 * The tables of reports. A day is the number of days since 1970, and a time is in
 * milliseconds since 1970.
 *
 * `report.trust` is the best verdict among the copies of a report. `counted` is 1 for
 * rows that are in the sums. `authenticated` is 1 for rows that are evidence
 * (`ReportTrust`); such rows are always counted. In every table, the condition
 * `AND authenticated = 1` selects authenticated reports only.
 *
 * `report_policy.undescribed` is the number of failed sessions that no failure detail of
 * the policy describes. `report_policy.domain` is empty if the report names no domain.
 *
 * In `report_day`, the domain `` means all domains, and the type `` means all policies of
 * a report together. The sums of authenticated and of unauthenticated reports are in
 * separate rows. `report_pruned` contains the digests of counted reports whose rows were
 * deleted, so that a later copy does not count again. `report_intake` counts the reports
 * that were stored on each day of arrival, with their rows and octets.
 *
 * `report_mailbox` contains the position of the reader in each folder, and
 * `report_mailbox_pending` the mails to try again.
 *
 * The number of a policy or failure is the number of the report times a million, plus the
 * place in the report. The rows of one report can therefore be found without an index.
 */
export const reportMigrations: readonly string[] = [
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
  `ALTER TABLE report ADD COLUMN trust_reason TEXT NOT NULL DEFAULT '';
   ALTER TABLE report ADD COLUMN named_domain TEXT;
   ALTER TABLE report_policy ADD COLUMN authenticated INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE report_policy ADD COLUMN undescribed BIGINT NOT NULL DEFAULT 0;
   ALTER TABLE report_failure ADD COLUMN authenticated INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX report_by_id ON report (report_id, day) WHERE report_id IS NOT NULL;
   CREATE TABLE report_pruned (digest BLOB PRIMARY KEY, day INTEGER NOT NULL, authenticated INTEGER NOT NULL);
   ${['report', 'report_policy'].map(clampSums).join('')}
   UPDATE report_failure SET failed = ${MAX_COUNT} WHERE failed > ${MAX_COUNT};
   UPDATE report_policy SET authenticated = 1 WHERE counted = 1
     AND report IN (SELECT id FROM report WHERE trust IN ('signed', 'given'));
   UPDATE report_failure SET authenticated = 1 WHERE counted = 1
     AND id / 1000000 IN (SELECT id FROM report WHERE trust IN ('signed', 'given'));
   UPDATE report_policy SET undescribed = max(0, failed - (
     SELECT coalesce(sum(f.failed), 0) FROM report_failure AS f
     WHERE f.id BETWEEN report_policy.report * 1000000 AND report_policy.report * 1000000 + 999999
       AND f.domain = report_policy.domain AND f.type = report_policy.type))
     WHERE failed > 0;
   CREATE TABLE report_day_split (
     domain TEXT NOT NULL,
     day INTEGER NOT NULL,
     type TEXT NOT NULL,
     authenticated INTEGER NOT NULL,
     ok BIGINT NOT NULL,
     failed BIGINT NOT NULL,
     reports BIGINT NOT NULL,
     PRIMARY KEY (domain, day, type, authenticated)
   );
   INSERT INTO report_day_split
     SELECT domain, day, type, 1, ${daySum('ok')}, ${daySum('failed')}, count(*)
     FROM report_policy WHERE authenticated = 1 AND domain <> '' GROUP BY domain, day, type;
   INSERT INTO report_day_split
     SELECT '', day, type, 1, ${daySum('ok')}, ${daySum('failed')}, count(*)
     FROM report_policy WHERE authenticated = 1 GROUP BY day, type;
   INSERT INTO report_day_split
     SELECT '', day, '', 1, 0, 0, count(DISTINCT report)
     FROM report_policy WHERE authenticated = 1 GROUP BY day;
   INSERT INTO report_day_split
     SELECT whole.domain, whole.day, whole.type, 0, ${restOf('ok')}, ${restOf('failed')}, ${restOf('reports')}
     FROM report_day AS whole LEFT JOIN report_day_split AS part
       ON part.domain = whole.domain AND part.day = whole.day AND part.type = whole.type
     WHERE whole.reports > coalesce(part.reports, 0);
   DROP TABLE report_day;
   DROP TABLE report_reporter_day;
   ALTER TABLE report_day_split RENAME TO report_day;
   CREATE INDEX report_day_failing ON report_day (day) WHERE failed > 0;`,
  `CREATE TABLE report_intake (
     day INTEGER NOT NULL,
     authenticated INTEGER NOT NULL,
     reports BIGINT NOT NULL,
     entries BIGINT NOT NULL,
     octets BIGINT NOT NULL,
     PRIMARY KEY (day, authenticated)
   );
   CREATE INDEX report_unauthenticated ON report (received_at) WHERE trust NOT IN ('signed', 'given');`,
  // Indexes over reports from any client would slow down writes more than they speed up
  // reads.
  `DROP INDEX report_unauthenticated;
   DROP INDEX report_by_id;
   CREATE INDEX report_authenticated_id ON report (report_id, day) WHERE trust IN ('signed', 'given');`,
  `CREATE TABLE report_mailbox (
     mailbox TEXT PRIMARY KEY,
     uid_validity TEXT NOT NULL,
     next_uid BIGINT NOT NULL
   );
   CREATE TABLE report_mailbox_pending (
     mailbox TEXT NOT NULL,
     uid BIGINT NOT NULL,
     tries INTEGER NOT NULL,
     since BIGINT NOT NULL,
     due BIGINT NOT NULL,
     PRIMARY KEY (mailbox, uid)
   );
   CREATE INDEX report_trusted_mailbox ON report (day) WHERE trust = 'given' AND via = 'mailbox';`,
  // When a signed report is stored, unauthenticated reports with the same id are
  // searched. Without this index the search would read all reports of the day.
  `CREATE INDEX report_policy_unauthenticated ON report_policy (domain, day, reporter)
     WHERE counted = 1 AND authenticated = 0;`,
];

/**
 * Returns SQL that limits stored counts. Older versions stored counts whose sums exceed
 * the range of exact integers.
 */
function clampSums(table: string): string {
  return ['ok', 'failed']
    .map((sum) => `UPDATE ${table} SET ${sum} = ${MAX_COUNT} WHERE ${sum} > ${MAX_COUNT};`)
    .join('');
}

function daySum(column: string): string {
  return `min(sum(${column}), ${MAX_DAY_SUM})`;
}

/**
 * Returns an SQL expression for an older sum without the authenticated reports. The older
 * sum may have overflowed.
 */
function restOf(column: string): string {
  const rest = `whole.${column} - coalesce(part.${column}, 0)`;
  return `CAST(max(0, min(${rest}, ${MAX_DAY_SUM})) AS INTEGER)`;
}
