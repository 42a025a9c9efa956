import { hash } from 'node:crypto';
import type { Store } from '../../store/index.js';
import { textsKey } from '../../tls-rpt/index.js';
import { counts, isAuthenticated, trustRank, type ReportTrust } from '../types.js';
import { IntakeSums, type IntakeLimit } from './intake-sums.js';
import { partIds } from './part-ids.js';
import { prepareReport, type PreparedReport, type ReceivedReport } from './prepare-report.js';
import { Rollups, type PolicySums, type ReportSums } from './rollups.js';

/**
 * `stored`: new. `repeated`: a copy of one that came before; it counts once. `confirmed`:
 * a copy that is better authenticated than those before, so it takes their place.
 * `superseded`: stored but not counted, because an authenticated report of the same id
 * says something else.
 */
export type StoreOutcome = 'stored' | 'repeated' | 'confirmed' | 'superseded';

/**
 * `no-room`: not stored, because the unauthenticated reports of a day have used up their
 * share.
 */
export type IntakeOutcome = StoreOutcome | 'no-room';

/**
 * Stores reports with their rollups in one transaction: all of them or none. A report
 * that came before is not counted again [8460-5.3-7], not even after its rows were
 * pruned. The trust of a report is the best trust of its copies.
 */
export function storeReports(
  store: Store,
  received: readonly ReceivedReport[],
): readonly StoreOutcome[] {
  return storePrepared(store, prepared(received));
}

/**
 * One by one: a group of prepared reports outlives what the garbage collector does
 * cheaply.
 */
function* prepared(received: readonly ReceivedReport[]): Generator<PreparedReport> {
  for (const report of received) yield prepareReport(report);
}

/** Stores prepared reports as `storeReports` does. */
export function storePrepared(
  store: Store,
  reports: Iterable<PreparedReport>,
): readonly StoreOutcome[] {
  return store.transaction(() => {
    const steps = storeInSteps(store, reports);
    for (;;) {
      const step = steps.next();
      // Without a limit there is always room.
      if (step.done === true) return step.value as readonly StoreOutcome[];
    }
  });
}

/**
 * Stores prepared reports inside the transaction of the caller, and yields after each of
 * them: the event loop can run in between. With `limit`, unauthenticated reports beyond
 * the bounds of a day are not stored (`no-room`).
 */
export function* storeInSteps(
  store: Store,
  reports: Iterable<PreparedReport>,
  limit?: IntakeLimit,
): Generator<undefined, readonly IntakeOutcome[]> {
  const rollups = new Rollups();
  const intake = new IntakeSums(store, limit);
  const hasPruned = store.prepare('SELECT 1 FROM report_pruned LIMIT 1').get() !== undefined;
  // Numbers are given here: RETURNING would cost as much again as the insert.
  let last =
    store.prepare<{ id: number | null }>('SELECT max(id) AS id FROM report').get()?.id ?? 0;
  const outcomes: IntakeOutcome[] = [];
  for (const report of reports) {
    let outcome: IntakeOutcome | undefined = 'no-room';
    if (intake.hasRoom(report) || isKnown(store, report)) {
      outcome = hasPruned ? storeAfterPruning(store, report, rollups) : undefined;
      outcome ??= storeReport(store, last + 1, report, rollups);
    }
    if (outcome === 'stored' || outcome === 'superseded') {
      last++;
      intake.add(report);
    }
    outcomes.push(outcome);
    yield;
  }
  yield* rollups.apply(store);
  intake.apply();
  return outcomes;
}

/** True for a copy of a stored report, which needs no room. */
function isKnown(store: Store, { digest }: PreparedReport): boolean {
  return store.prepare('SELECT 1 FROM report WHERE digest = ?').get(digest) !== undefined;
}

/**
 * The digest decides whether a report is new; the database checks it, so that two
 * processes cannot store one report twice.
 */
const insertReport = `INSERT INTO report
  (id, digest, received_at, day, reporter, organization, contact, report_id, via, peer, trust, trust_detail, counted, ok, failed, notes, raw, named_domain, trust_reason)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`;

/** Stores one report with its rows, or as a copy of one that is there. */
function storeReport(
  store: Store,
  id: number,
  report: PreparedReport,
  rollups: Rollups,
): StoreOutcome {
  const loses = isSuperseded(store, report);
  const trust = loses ? 'superseded' : report.trust;
  const made = store
    .prepare(insertReport)
    .run(
      id,
      report.digest,
      report.receivedAt,
      report.dated ? report.day : null,
      report.reporter,
      report.organization,
      report.contact,
      report.reportId,
      report.via,
      report.peer,
      trust,
      loses ? SUPERSEDED : report.detail,
      counts(trust) ? 1 : 0,
      sum(report.policies, 'ok'),
      sum(report.policies, 'failed'),
      report.notes,
      report.raw,
      report.namedDomain,
      loses ? '' : report.reason,
    );
  if (made === 0) return storeAgain(store, report, rollups);
  storeRows(store, id, report, trust);
  if (counts(trust)) rollups.add(sumsOf(report, trust));
  if (isAuthenticated(trust)) supersedeRivals(store, report, rollups);
  return loses ? 'superseded' : 'stored';
}

/** Without a spread: that of a whole report takes as long as storing it. */
function sumsOf({ policies, day }: PreparedReport, trust: ReportTrust): ReportSums {
  return { policies, day, authenticated: isAuthenticated(trust) };
}

/** The sum of one column of the policies. */
function sum(rows: readonly PolicySums[], column: 'ok' | 'failed'): number {
  return rows.reduce((total, row) => total + row[column], 0);
}

/**
 * A copy of a counted report whose rows were pruned: only a better verdict changes the
 * sums.
 */
function storeAfterPruning(
  store: Store,
  report: PreparedReport,
  rollups: Rollups,
): StoreOutcome | undefined {
  const known = store
    .prepare<{
      day: number;
      authenticated: number;
    }>('SELECT day, authenticated FROM report_pruned WHERE digest = ?')
    .get(report.digest);
  if (!known) return undefined;
  if (known.authenticated === 1 || !isAuthenticated(report.trust)) return 'repeated';
  const { policies } = report;
  rollups.remove({ policies, day: known.day, authenticated: false });
  rollups.add({ policies, day: known.day, authenticated: true });
  store.prepare('UPDATE report_pruned SET authenticated = 1 WHERE digest = ?').run(report.digest);
  return 'confirmed';
}

/** The stored report that a copy is compared with. */
interface KnownReport {
  readonly id: number;
  readonly trust: ReportTrust;
  readonly day: number | null;
}

/** A copy of a report that is there. */
function storeAgain(store: Store, report: PreparedReport, rollups: Rollups): StoreOutcome {
  const known = store
    .prepare<KnownReport>('SELECT id, trust, day FROM report WHERE digest = ?')
    .get(report.digest) as KnownReport;
  const [rank, knownRank] = [trustRank(report.trust), trustRank(known.trust)];
  // A forged copy leaves no trace in the record of a reporter.
  if (rank === knownRank && rank > 0)
    store.prepare('UPDATE report SET copies = copies + 1 WHERE id = ?').run(known.id);
  if (rank <= knownRank || (known.trust === 'superseded' && !isAuthenticated(report.trust)))
    return 'repeated';
  replaceCopy(store, known, report, rollups);
  return 'confirmed';
}

/** The better copy takes the place of the one before, whose sums are taken back. */
function replaceCopy(
  store: Store,
  known: KnownReport,
  better: PreparedReport,
  rollups: Rollups,
): void {
  // The day of an undated report is that of its first copy.
  const day = known.day ?? dayOfRows(store, known.id) ?? better.day;
  const report = { ...better, day };
  takeBack(store, { ...known, day }, rollups);
  for (const table of ['report_policy', 'report_failure'])
    store.prepare(`DELETE FROM ${table} WHERE id BETWEEN ? AND ?`).run(...partIds(known.id));
  store
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
  storeRows(store, known.id, report, report.trust);
  rollups.add(sumsOf(report, report.trust));
  if (isAuthenticated(report.trust)) supersedeRivals(store, report, rollups);
}

function dayOfRows(store: Store, id: number): number | undefined {
  return store
    .prepare<{ day: number }>('SELECT day FROM report_policy WHERE id BETWEEN ? AND ? LIMIT 1')
    .get(...partIds(id))?.day;
}

/** Takes what a stored report counts out of the sums. */
function takeBack(
  store: Store,
  { id, trust, day }: KnownReport & { readonly day: number },
  rollups: Rollups,
): void {
  if (!counts(trust)) return;
  const policies = store
    .prepare<PolicySums>(
      'SELECT domain, type, ok, failed FROM report_policy WHERE id BETWEEN ? AND ?',
    )
    .all(...partIds(id));
  rollups.remove({ policies, day, authenticated: isAuthenticated(trust) });
}

const SUPERSEDED = 'an authenticated report of the same id says something else';

/**
 * Whether an authenticated report makes this one void. Among equals both count: ids are
 * reused.
 */
function isSuperseded(
  store: Store,
  { trust, reportId, dated, day, reporter }: PreparedReport,
): boolean {
  if (!counts(trust) || isAuthenticated(trust) || reportId === null || !dated) return false;
  return (
    store
      .prepare(
        `SELECT 1 FROM report WHERE report_id = ? AND day = ? AND reporter = ?
           AND trust IN ('signed', 'given') LIMIT 1`,
      )
      .get(reportId, day, reporter) !== undefined
  );
}

/**
 * Policy domains of a report by which unauthenticated reports under its id are looked
 * for.
 */
const MAX_RIVAL_DOMAINS = 20;

/**
 * Takes the unauthenticated reports that claim the id of an authenticated one out of the
 * sums.
 */
function supersedeRivals(store: Store, report: PreparedReport, rollups: Rollups): void {
  if (report.reportId === null || !report.dated) return;
  const domains = [...new Set(report.policies.map(({ domain }) => domain))];
  for (const domain of domains.slice(0, MAX_RIVAL_DOMAINS)) {
    const rivals = store
      .prepare<KnownReport>(
        `SELECT DISTINCT r.id, r.trust, r.day FROM report_policy AS p JOIN report AS r ON r.id = p.report
         WHERE p.domain = ? AND p.day = ? AND p.counted = 1 AND p.authenticated = 0 AND p.reporter = ?
           AND r.report_id = ? AND r.digest <> ?`,
      )
      .all(domain, report.day, report.reporter, report.reportId, report.digest);
    for (const rival of rivals) supersede(store, { ...rival, day: report.day }, rollups);
  }
}

function supersede(
  store: Store,
  rival: KnownReport & { readonly day: number },
  rollups: Rollups,
): void {
  takeBack(store, rival, rollups);
  store
    .prepare('UPDATE report SET counted = 0, trust = ?, trust_detail = ? WHERE id = ?')
    .run('superseded', SUPERSEDED, rival.id);
  for (const table of ['report_policy', 'report_failure'])
    store
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
  store: Store,
  id: number,
  { policies, failures, day, reporter }: PreparedReport,
  trust: ReportTrust,
): void {
  const flags = [counts(trust) ? 1 : 0, isAuthenticated(trust) ? 1 : 0] as const;
  let [policyId] = partIds(id);
  let [failureId] = partIds(id);
  const addPolicy = store.prepare(insertPolicy);
  for (const { domain, type, mode, strings, ok, failed, undescribed } of policies) {
    const place = [domain, day, reporter, type, mode, storeText(store, strings)] as const;
    addPolicy.run(policyId++, id, ...place, ...flags, ok, failed, undescribed);
  }
  const addFailure = store.prepare(insertFailure);
  for (const f of failures) {
    const place = [f.domain, day, reporter, f.type, f.mode] as const;
    const fault = [f.result, f.mx, f.ip, f.senderIp, f.reason, f.info] as const;
    addFailure.run(failureId++, ...place, ...flags, ...fault, f.failed);
  }
}

/**
 * Numbers of texts. A rollback takes back numbers that were given in it, so they are
 * forgotten then.
 */
const knownTexts = new WeakMap<
  Store,
  { readonly texts: Map<string, number>; readonly rollbacks: number }
>();
const mostTexts = 10_000;

function textsOf(store: Store): Map<string, number> {
  const [known, rollbacks] = [knownTexts.get(store), store.rollbacks()];
  if (known?.rollbacks === rollbacks) return known.texts;
  const texts = new Map<string, number>();
  knownTexts.set(store, { texts, rollbacks });
  return texts;
}

/** Forgets the numbers of texts, some of which were deleted. */
export function forgetTexts(store: Store): void {
  knownTexts.delete(store);
}

/**
 * Returns the number of a policy text; policies repeat, so each text is stored once. 0:
 * none.
 */
function storeText(store: Store, strings: readonly string[]): number {
  if (strings.length === 0) return 0;
  const texts = textsOf(store);
  const key = textsKey(strings);
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(strings);
  const digest = hash('sha256', text, 'base64');
  const found = store
    .prepare<{ id: number }>('SELECT id FROM report_text WHERE digest = ?')
    .get(digest);
  const { id } = (found ??
    store
      .prepare<{ id: number }>('INSERT INTO report_text (digest, text) VALUES (?, ?) RETURNING id')
      .get(digest, text)) as { id: number };
  if (texts.size >= mostTexts) texts.clear();
  if (key.length < 4096) texts.set(key, id);
  return id;
}
