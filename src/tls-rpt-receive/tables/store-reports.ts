import { hash } from 'node:crypto';
import type { Store } from '../../store/index.js';
import { textsKey } from '../../tls-rpt/index.js';
import { counts, isAuthenticated, trustRank, type ReportTrust } from '../types.js';
import { IntakeSums, type IntakeLimit } from './intake-sums.js';
import { prepareReport, type PreparedReport, type ReceivedReport } from './prepare-report.js';
import { Rollups, type PolicySums, type ReportSums } from './rollups.js';

/**
 * The outcome of storing a report. `stored`: the report is new. `repeated`: it is a copy
 * of an earlier report, which still counts once. `confirmed`: it is a copy that is better
 * authenticated, so it replaces the earlier one. `superseded`: it is stored but not
 * counted, because an authenticated report with the same id has other content.
 */
export type StoreOutcome = 'stored' | 'repeated' | 'confirmed' | 'superseded';

/**
 * The outcome of storing a report within limits. `no-room`: it was not stored, because
 * the unauthenticated reports of the day have reached their limit.
 */
export type IntakeOutcome = StoreOutcome | 'no-room';

/**
 * Stores reports and updates the daily sums in one transaction: all reports or none. A
 * stored report is not counted again [8460-5.3-7], not even after its rows were pruned.
 * The trust in a report is the best trust in any of its copies.
 */
export function storeReports(
  stateStore: Store,
  received: readonly ReceivedReport[],
): readonly StoreOutcome[] {
  return storePrepared(stateStore, prepared(received));
}

/**
 * Yields prepared reports one at a time: a prepared group would outlive the garbage
 * collector's young generation.
 */
function* prepared(received: readonly ReceivedReport[]): Generator<PreparedReport> {
  for (const receivedReport of received) yield prepareReport(receivedReport);
}

/** Stores prepared reports in the same way as `storeReports`. */
export function storePrepared(
  stateStore: Store,
  reports: Iterable<PreparedReport>,
): readonly StoreOutcome[] {
  return stateStore.transaction(() => {
    const steps = storeInSteps(stateStore, reports);
    for (;;) {
      const step = steps.next();
      // Without a limit every report is stored.
      if (step.done === true) return step.value as readonly StoreOutcome[];
    }
  });
}

/**
 * Stores prepared reports inside the transaction of the caller, and yields after each
 * report, so that the event loop can run. With `intakeLimit`, unauthenticated reports
 * beyond the limit of a day are not stored (`no-room`).
 */
export function* storeInSteps(
  stateStore: Store,
  reports: Iterable<PreparedReport>,
  intakeLimit?: IntakeLimit,
): Generator<undefined, readonly IntakeOutcome[]> {
  const rollups = new Rollups();
  const intake = new IntakeSums(stateStore, intakeLimit);
  const hasPruned = stateStore.prepare('SELECT 1 FROM report_pruned LIMIT 1').get() !== undefined;
  // This loop assigns the numbers of reports, because RETURNING would double the cost of
  // the insert.
  let last =
    stateStore.prepare<{ id: number | null }>('SELECT max(id) AS id FROM report').get()?.id ?? 0;
  const outcomes: IntakeOutcome[] = [];
  for (const preparedReport of reports) {
    let outcome: IntakeOutcome | undefined = 'no-room';
    if (intake.hasRoom(preparedReport) || isKnown(stateStore, preparedReport)) {
      outcome = hasPruned ? storeAfterPruning(stateStore, preparedReport, rollups) : undefined;
      outcome ??= storeReport(stateStore, last + 1, preparedReport, rollups);
    }
    if (outcome === 'stored' || outcome === 'superseded') {
      last++;
      intake.add(preparedReport);
    }
    outcomes.push(outcome);
    yield;
  }
  yield* rollups.apply(stateStore);
  intake.apply();
  return outcomes;
}

/**
 * Returns whether a report is a copy of a stored report, which needs no additional space.
 */
function isKnown(stateStore: Store, { digest }: PreparedReport): boolean {
  return stateStore.prepare('SELECT 1 FROM report WHERE digest = ?').get(digest) !== undefined;
}

/**
 * SQL that inserts a report if its digest is new. The database itself compares the
 * digests, so that two processes cannot store one report twice.
 */
const insertReport = `INSERT INTO report
  (id, digest, received_at, day, reporter, organization, contact, report_id, via, peer, trust, trust_detail, counted, ok, failed, notes, raw, named_domain, trust_reason)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`;

/** Stores one report with its rows, or records it as a copy of a stored report. */
function storeReport(
  stateStore: Store,
  reportId: number,
  preparedReport: PreparedReport,
  rollups: Rollups,
): StoreOutcome {
  const loses = isSuperseded(stateStore, preparedReport);
  const reportTrust = loses ? 'superseded' : preparedReport.trust;
  const made = stateStore
    .prepare(insertReport)
    .run(
      reportId,
      preparedReport.digest,
      preparedReport.receivedAt,
      preparedReport.dated ? preparedReport.day : null,
      preparedReport.reporter,
      preparedReport.organization,
      preparedReport.contact,
      preparedReport.reportId,
      preparedReport.via,
      preparedReport.peer,
      reportTrust,
      loses ? SUPERSEDED : preparedReport.detail,
      counts(reportTrust) ? 1 : 0,
      sum(preparedReport.policies, 'ok'),
      sum(preparedReport.policies, 'failed'),
      preparedReport.notes,
      preparedReport.raw,
      preparedReport.namedDomain,
      loses ? '' : preparedReport.reason,
    );
  if (made === 0) return storeAgain(stateStore, preparedReport, rollups);
  storeRows(stateStore, reportId, preparedReport, reportTrust);
  if (counts(reportTrust)) rollups.add(sumsOf(preparedReport, reportTrust));
  if (isAuthenticated(reportTrust)) supersedeRivals(stateStore, preparedReport, rollups);
  return loses ? 'superseded' : 'stored';
}

/**
 * Returns the counts of a report. A spread of the complete report would take as long as
 * storing it.
 */
function sumsOf({ policies, day }: PreparedReport, reportTrust: ReportTrust): ReportSums {
  return { policies, day, authenticated: isAuthenticated(reportTrust) };
}

/** Returns the sum of one column over all policies. */
function sum(rows: readonly PolicySums[], column: 'ok' | 'failed'): number {
  return rows.reduce((total, row) => total + row[column], 0);
}

/**
 * Records a copy of a counted report whose rows were pruned; undefined for another
 * report. Only a better verdict changes the sums.
 */
function storeAfterPruning(
  stateStore: Store,
  preparedReport: PreparedReport,
  rollups: Rollups,
): StoreOutcome | undefined {
  const known = stateStore
    .prepare<{
      day: number;
      authenticated: number;
    }>('SELECT day, authenticated FROM report_pruned WHERE digest = ?')
    .get(preparedReport.digest);
  if (!known) return undefined;
  if (known.authenticated === 1 || !isAuthenticated(preparedReport.trust)) return 'repeated';
  const { policies } = preparedReport;
  rollups.remove({ policies, day: known.day, authenticated: false });
  rollups.add({ policies, day: known.day, authenticated: true });
  stateStore
    .prepare('UPDATE report_pruned SET authenticated = 1 WHERE digest = ?')
    .run(preparedReport.digest);
  return 'confirmed';
}

/** The stored report with which a copy is compared. */
interface KnownReport {
  readonly id: number;
  readonly trust: ReportTrust;
  readonly day: number | null;
}

/**
 * Records a copy of a stored report, and replaces the stored report if the copy is better
 * authenticated.
 */
function storeAgain(
  stateStore: Store,
  preparedReport: PreparedReport,
  rollups: Rollups,
): StoreOutcome {
  const known = stateStore
    .prepare<KnownReport>('SELECT id, trust, day FROM report WHERE digest = ?')
    .get(preparedReport.digest) as KnownReport;
  const [rank, knownRank] = [trustRank(preparedReport.trust), trustRank(known.trust)];
  // A forged copy must not change the stored report of a reporter.
  if (rank === knownRank && rank > 0)
    stateStore.prepare('UPDATE report SET copies = copies + 1 WHERE id = ?').run(known.id);
  if (rank <= knownRank || (known.trust === 'superseded' && !isAuthenticated(preparedReport.trust)))
    return 'repeated';
  replaceCopy(stateStore, known, preparedReport, rollups);
  return 'confirmed';
}

/**
 * Replaces the previous copy by a better one, and subtracts the sums of the previous
 * copy.
 */
function replaceCopy(
  stateStore: Store,
  known: KnownReport,
  better: PreparedReport,
  rollups: Rollups,
): void {
  // A report without a date keeps the day of its first copy.
  const day = known.day ?? dayOfRows(stateStore, known.id) ?? better.day;
  const report = { ...better, day };
  takeBack(stateStore, { ...known, day }, rollups);
  for (const table of ['report_policy', 'report_failure'])
    stateStore.prepare(`DELETE FROM ${table} WHERE id BETWEEN ? AND ?`).run(...partIds(known.id));
  stateStore
    .prepare(
      `UPDATE report SET counted = 1, copies = 1, trust = ?, trust_detail = ?, trust_reason = '', via = ?, peer = ?,
         reporter = ?, named_domain = ?, ok = ?, failed = ?, notes = ?, raw = ? WHERE id = ?`,
    )
    .run(
      report.trust,
      report.detail,
      report.via,
      report.peer,
      report.reporter,
      report.namedDomain,
      sum(report.policies, 'ok'),
      sum(report.policies, 'failed'),
      report.notes,
      report.raw,
      known.id,
    );
  storeRows(stateStore, known.id, report, report.trust);
  rollups.add(sumsOf(report, report.trust));
  if (isAuthenticated(report.trust)) supersedeRivals(stateStore, report, rollups);
}

function dayOfRows(stateStore: Store, reportId: number): number | undefined {
  return stateStore
    .prepare<{ day: number }>('SELECT day FROM report_policy WHERE id BETWEEN ? AND ? LIMIT 1')
    .get(...partIds(reportId))?.day;
}

/** Subtracts the counts of a stored report from the sums. */
function takeBack(
  stateStore: Store,
  { id, trust, day }: KnownReport & { readonly day: number },
  rollups: Rollups,
): void {
  if (!counts(trust)) return;
  const policies = stateStore
    .prepare<PolicySums>(
      'SELECT domain, type, ok, failed FROM report_policy WHERE id BETWEEN ? AND ?',
    )
    .all(...partIds(id));
  rollups.remove({ policies, day, authenticated: isAuthenticated(trust) });
}

const SUPERSEDED = 'an authenticated report of the same id has other content';

/**
 * Returns whether a stored authenticated report with the same id invalidates an
 * unauthenticated report. Two authenticated reports both count, because reporters reuse
 * ids.
 */
function isSuperseded(
  stateStore: Store,
  { trust, reportId, dated, day, reporter }: PreparedReport,
): boolean {
  if (!counts(trust) || isAuthenticated(trust) || reportId === null || !dated) return false;
  return (
    stateStore
      .prepare(
        `SELECT 1 FROM report WHERE report_id = ? AND day = ? AND reporter = ?
           AND trust IN ('signed', 'given') LIMIT 1`,
      )
      .get(reportId, day, reporter) !== undefined
  );
}

/**
 * Maximum number of policy domains of a report for which unauthenticated reports with the
 * same id are searched.
 */
const MAX_RIVAL_DOMAINS = 20;

/**
 * Excludes from the sums the unauthenticated reports that have the id of an authenticated
 * report.
 */
function supersedeRivals(
  stateStore: Store,
  preparedReport: PreparedReport,
  rollups: Rollups,
): void {
  if (preparedReport.reportId === null || !preparedReport.dated) return;
  const domains = [...new Set(preparedReport.policies.map(({ domain }) => domain))];
  for (const domainName of domains.slice(0, MAX_RIVAL_DOMAINS)) {
    const rivals = stateStore
      .prepare<KnownReport>(
        `SELECT DISTINCT r.id, r.trust, r.day FROM report_policy AS p JOIN report AS r ON r.id = p.report
         WHERE p.domain = ? AND p.day = ? AND p.counted = 1 AND p.authenticated = 0 AND p.reporter = ?
           AND r.report_id = ? AND r.digest <> ?`,
      )
      .all(
        domainName,
        preparedReport.day,
        preparedReport.reporter,
        preparedReport.reportId,
        preparedReport.digest,
      );
    for (const rival of rivals)
      supersede(stateStore, { ...rival, day: preparedReport.day }, rollups);
  }
}

function supersede(
  stateStore: Store,
  rival: KnownReport & { readonly day: number },
  rollups: Rollups,
): void {
  takeBack(stateStore, rival, rollups);
  stateStore
    .prepare('UPDATE report SET counted = 0, trust = ?, trust_detail = ? WHERE id = ?')
    .run('superseded', SUPERSEDED, rival.id);
  for (const table of ['report_policy', 'report_failure'])
    stateStore
      .prepare(`UPDATE ${table} SET counted = 0, authenticated = 0 WHERE id BETWEEN ? AND ?`)
      .run(...partIds(rival.id));
}

const insertPolicy = `INSERT INTO report_policy
  (id, report, domain, day, reporter, type, mode, text, counted, authenticated, ok, failed, undescribed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const insertFailure = `INSERT INTO report_failure
  (id, domain, day, reporter, type, mode, counted, authenticated, result, mx, ip, sender_ip, reason, info, failed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function storeRows(
  stateStore: Store,
  reportId: number,
  { policies, failures, day, reporter }: PreparedReport,
  reportTrust: ReportTrust,
): void {
  const flags = [counts(reportTrust) ? 1 : 0, isAuthenticated(reportTrust) ? 1 : 0] as const;
  let [policyId] = partIds(reportId);
  let [failureId] = partIds(reportId);
  const addPolicy = stateStore.prepare(insertPolicy);
  for (const { domain, type, mode, strings, ok, failed, undescribed } of policies) {
    const place = [domain, day, reporter, type, mode, storeText(stateStore, strings)] as const;
    addPolicy.run(policyId++, reportId, ...place, ...flags, ok, failed, undescribed);
  }
  const addFailure = stateStore.prepare(insertFailure);
  for (const failure of failures) {
    const place = [failure.domain, day, reporter, failure.type, failure.mode] as const;
    const fault = [
      failure.result,
      failure.mx,
      failure.ip,
      failure.senderIp,
      failure.reason,
      failure.info,
    ] as const;
    addFailure.run(failureId++, ...place, ...flags, ...fault, failure.failed);
  }
}

/**
 * A cache of the numbers of policy texts. A rollback removes texts that its transaction
 * inserted, so the cache is then discarded.
 */
const knownTexts = new WeakMap<
  Store,
  { readonly texts: Map<string, number>; readonly rollbacks: number }
>();
const mostTexts = 10_000;

function textsOf(stateStore: Store): Map<string, number> {
  const [known, rollbacks] = [knownTexts.get(stateStore), stateStore.rollbacks()];
  if (known?.rollbacks === rollbacks) return known.texts;
  const texts = new Map<string, number>();
  knownTexts.set(stateStore, { texts, rollbacks });
  return texts;
}

/** Discards the cache of the numbers of texts, because some texts were deleted. */
export function forgetTexts(stateStore: Store): void {
  knownTexts.delete(stateStore);
}

/**
 * Returns the number of a policy text; 0 for an empty text. Stores each different text
 * once, because policies repeat.
 */
function storeText(stateStore: Store, strings: readonly string[]): number {
  if (strings.length === 0) return 0;
  const texts = textsOf(stateStore);
  const groupKey = textsKey(strings);
  const known = texts.get(groupKey);
  if (known !== undefined) return known;
  const jsonText = JSON.stringify(strings);
  const digest = hash('sha256', jsonText, 'base64');
  const found = stateStore
    .prepare<{ id: number }>('SELECT id FROM report_text WHERE digest = ?')
    .get(digest);
  const { id } = (found ??
    stateStore
      .prepare<{ id: number }>('INSERT INTO report_text (digest, text) VALUES (?, ?) RETURNING id')
      .get(digest, jsonText)) as { id: number };
  if (texts.size >= mostTexts) texts.clear();
  if (groupKey.length < 4096) texts.set(groupKey, id);
  return id;
}

/**
 * Returns the first and the last number that the policy rows and the failure rows of a
 * report may have.
 */
export function partIds(report: number): readonly [number, number] {
  return [report * 1_000_000, report * 1_000_000 + 999_999];
}
