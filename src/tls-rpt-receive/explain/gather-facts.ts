import { groupBy, neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import { byTurns, firstByTurns } from './by-turns.js';
import { TRIAL_DAYS } from './can-enforce.js';
import { kindOf } from './check-evidence.js';
import { totalSessions } from './count-sessions.js';
import {
  NOT_DESCRIBED,
  plus,
  type ReportedFacts,
  type DoubtfulRow,
  type FailureFact,
  type NoteRow,
  type QuotedPolicy,
  type ReportRow,
  type SenderRow,
  type SessionRow,
  type TrialRow,
  type UnauthenticatedRow,
} from './facts.js';
import { exactSum } from './exact-sum.js';
import { mailHosts } from './mail-hosts.js';
import { isConnectionTrouble } from './reason-texts-registry.js';
import type { Steps } from './steps.js';

/** The domain and the days about which facts are read. */
export interface GatherOptions {
  readonly domain: string;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly checks: readonly CheckResult[];
}

/**
 * The limit for each kind of fact. A large domain has half of that in a month. Each failure
 * is compared with all of them, so the work grows with the square.
 */
const MAX_ROWS = 4000;
/** MX hosts whose own reports belong to the domain. */
const MAX_HOSTS = 50;
/** Networks of senders, and quoted policies. */
const MAX_SENDERS = 2000;
const MAX_QUOTED = 1000;
/** Lines for unauthenticated sources. */
const MAX_SOURCES = 200;

/**
 * Reads the known facts about a domain for a range of days, one query per step. Under
 * DANE the policy domain is the MX host (RFC 8460 §4.4), so the `tlsa` policies of its
 * mail hosts belong to the domain. Reports that are stored between two steps appear in
 * later queries only.
 */
export function* gatherFacts(stateStore: Store, options: GatherOptions): Steps<ReportedFacts> {
  const { domain, from, to, now, checks } = options;
  const hostNames = yield* mailHosts(stateStore, { domain, from, to }, checks, MAX_HOSTS);
  const domainQuery = new DomainQuery(stateStore, { domain, from, to }, hostNames);
  yield;
  const sessions = domainQuery.rows<SessionRow>(
    byTurns(
      `SELECT reporter, day, type, domain, ${sums}
       FROM report_policy WHERE $WHERE AND authenticated = 1 GROUP BY reporter, day, type, domain`,
      'day DESC, reporter, type, domain',
      MAX_ROWS,
    ),
  );
  yield;
  const reports = domainQuery.rows<ReportRow>(
    `SELECT reporter, day, count(DISTINCT report) AS reports FROM report_policy
     WHERE $WHERE AND authenticated = 1 GROUP BY reporter, day ORDER BY day DESC, reporter LIMIT ${MAX_ROWS}`,
  );
  yield;
  const described = yield* describedFailures(domainQuery);
  const failures = [...described, ...(yield* otherFailures(domainQuery))];
  const senders = domainQuery.rows<SenderRow>(
    byTurns(
      `SELECT DISTINCT result, mx, reporter, sender_ip AS ip FROM report_failure
       WHERE $WHERE AND authenticated = 1 AND sender_ip <> ''`,
      'result, mx, reporter, ip',
      MAX_SENDERS,
    ),
  );
  yield;
  const policies = quotedPolicies(domainQuery);
  yield;
  const trial = yield* trialOf(stateStore, domain, to);
  yield;
  const doubtful = domainQuery.rows<DoubtfulRow>(
    `SELECT trust, trust_reason AS reason, reporter, min(trust_detail) AS detail, count(*) AS reports, max(day) AS "lastDay" FROM report
     WHERE counted = 0 AND id IN (SELECT report FROM report_policy WHERE $WHERE AND counted = 0)
     GROUP BY trust, trust_reason, reporter ORDER BY reports DESC LIMIT 50`,
  );
  yield;
  const unauthenticated = unauthenticatedRows(domainQuery);
  yield;
  const about = 'id IN (SELECT report FROM report_policy WHERE $WHERE AND authenticated = 1)';
  const notes = domainQuery.rows<{ reporter: string; notes: string }>(
    `SELECT reporter, notes FROM report WHERE notes IS NOT NULL AND ${about} LIMIT 1000`,
  );
  yield;
  const reusedIds = domainQuery.count(
    `SELECT count(*) AS n FROM (
       SELECT 1 FROM report WHERE report_id IS NOT NULL AND ${about}
       GROUP BY reporter, report_id, day HAVING count(*) > 1
     ) AS reused`,
  );
  yield;
  const copies = domainQuery.count(
    `SELECT sum(copies - 1) AS n FROM report WHERE copies > 1 AND ${about}`,
  );
  yield;
  const trustedMailbox = domainQuery.count(
    `SELECT count(*) AS n FROM report WHERE trust = 'given' AND via = 'mailbox' AND ${about}`,
  );
  yield;
  return {
    domain,
    from,
    to,
    now,
    checks,
    sessions: sessions.reverse(),
    reports: reports.reverse(),
    failures,
    senders,
    policies,
    trial,
    doubtful,
    unauthenticated,
    notes: notesOf(notes),
    reusedIds,
    copies,
    trustedMailbox,
  };
}

/** The sums of a {@link SessionRow}. */
const sums = [
  exactSum('ok'),
  exactSum('failed'),
  exactSum('undescribed'),
  exactSum("CASE mode WHEN 'none' THEN ok + failed ELSE 0 END", '"modeNone"'),
].join(', ');

/**
 * Queries on the rows of a domain and its mail hosts. Text in the answers is neutralised.
 */
class DomainQuery {
  readonly #store: Store;
  readonly #where: string;
  readonly #values: readonly (string | number)[];

  constructor(
    stateStore: Store,
    readonly days: Pick<GatherOptions, 'domain' | 'from' | 'to'>,
    private readonly hostNames: ReadonlySet<string>,
  ) {
    const { domain, from, to } = days;
    const names = [domain, ...[...hostNames].filter((hostName) => hostName !== domain)];
    this.#store = stateStore;
    this.#where = `domain IN (${names.map(() => '?').join(', ')}) AND day BETWEEN ? AND ?
      AND (domain = ? OR type = 'tlsa')`;
    this.#values = [...names, from, to, domain];
  }

  rows<Row extends object>(sql: string): Row[] {
    const times = sql.split('$WHERE').length - 1;
    return this.#store
      .prepare<Row>(sql.replaceAll('$WHERE', this.#where))
      .all(...Array.from({ length: times }, () => this.#values).flat())
      .map(shown);
  }

  /** The same queries for one day. */
  on(day: number): DomainQuery {
    const { domain } = this.days;
    return new DomainQuery(this.#store, { domain, from: day, to: day }, this.hostNames);
  }

  count(sql: string): number {
    return this.rows<{ n: number | null }>(sql)[0]?.n ?? 0;
  }
}

/** Foreign text is neutralised once, when it becomes a fact [8460-7-4]. */
function shown<Row extends object>(row: Row): Row {
  for (const [name, value] of Object.entries(row))
    if (typeof value === 'string' && name !== 'text' && name !== 'notes')
      (row as Record<string, unknown>)[name] = neutralise(value);
  return row;
}

function describedFailures(domainQuery: DomainQuery): Steps<readonly FailureFact[]> {
  return failuresOf(
    domainQuery,
    byTurns(
      `SELECT domain, type, mode, result, mx, ip, reporter, reason, ${exactSum('failed')}, day
       FROM report_failure WHERE $WHERE AND authenticated = 1
       GROUP BY domain, type, mode, result, mx, ip, reporter, reason, day`,
      'failed DESC, domain, type, mode, result, mx, ip, reporter, reason',
      MAX_ROWS,
    ),
  );
}

/** Failed sessions that the summary counts and no detail describes [8460-4.4-11]. */
function otherFailures(domainQuery: DomainQuery): Steps<readonly FailureFact[]> {
  return failuresOf(
    domainQuery,
    byTurns(
      `SELECT domain, type, mode, '${NOT_DESCRIBED}' AS result, '' AS mx, '' AS ip, reporter,
         '' AS reason, ${exactSum('undescribed').replace(/undescribed$/, 'failed')}, day
       FROM report_policy WHERE $WHERE AND authenticated = 1 AND undescribed > 0
       GROUP BY domain, type, mode, reporter, day`,
      'failed DESC, domain, type, mode, reporter',
      MAX_ROWS,
    ),
  );
}

/** The failures of one day. */
interface DayFailure extends Omit<FailureFact, 'firstDay' | 'lastDay' | 'days'> {
  readonly day: number;
}

/**
 * Failures of equal circumstances, in steps of one day: the days together may have more
 * rows than one turn of the event loop can read.
 */
function* failuresOf(domainQuery: DomainQuery, sql: string): Steps<readonly FailureFact[]> {
  const merged = new Map<string, FailureFact>();
  const { from, to } = domainQuery.days;
  for (let dayNumber = from; dayNumber <= to; dayNumber++) {
    for (const { day, ...failure } of domainQuery.on(dayNumber).rows<DayFailure>(sql)) {
      const { domain, type, mode, result, mx, ip, reporter, reason, failed } = failure;
      const key = JSON.stringify([domain, type, mode, result, mx, ip, reporter, reason]);
      const known = merged.get(key);
      merged.set(key, {
        ...(known ?? { ...failure, firstDay: day, days: 0 }),
        failed: plus(known?.failed ?? 0, failed),
        lastDay: day,
        days: (known?.days ?? 0) + 1,
      });
    }
    yield;
  }
  const largest = [...merged.values()].sort((left, right) => right.failed - left.failed);
  return firstByTurns(largest, MAX_ROWS, ({ reporter }) => [reporter]);
}

function quotedPolicies(domainQuery: DomainQuery): readonly QuotedPolicy[] {
  return domainQuery
    .rows<Omit<QuotedPolicy, 'strings'> & { text: string }>(
      byTurns(
        `SELECT p.domain, p.type, p.reporter, t.text, p.firstDay, p.lastDay FROM (
           SELECT domain, type, reporter, text, min(day) AS firstDay, max(day) AS lastDay FROM report_policy
           WHERE $WHERE AND authenticated = 1 AND text > 0 GROUP BY domain, type, reporter, text
         ) AS p JOIN report_text AS t ON t.id = p.text`,
        'lastDay DESC, firstDay DESC, domain, type, reporter, text',
        MAX_QUOTED,
      ),
    )
    .reverse()
    .map(({ text, ...rest }) => ({
      ...rest,
      strings: (JSON.parse(text) as string[]).map((textLine) => neutralise(textLine)),
    }));
}

/**
 * The sessions of the trial of a policy; the failures of each day are a separate step.
 */
function* trialOf(stateStore: Store, domainName: string, to: number): Steps<readonly TrialRow[]> {
  const sessions = stateStore
    .prepare<SessionRow>(
      byTurns(
        `SELECT reporter, day, type, domain, ${sums}
         FROM report_policy WHERE domain = ? AND day BETWEEN ? AND ? AND type = 'sts' AND authenticated = 1
         GROUP BY reporter, day`,
        'day DESC, reporter',
        MAX_ROWS,
      ),
    )
    .all(domainName, to - TRIAL_DAYS, to);
  yield;
  const failures = stateStore.prepare<
    Pick<FailureFact, 'reporter' | 'result' | 'reason' | 'failed'>
  >(
    byTurns(
      `SELECT reporter, result, reason, ${exactSum('failed')} FROM report_failure
       WHERE domain = ? AND day = ? AND type = 'sts' AND authenticated = 1
       GROUP BY reporter, result, reason`,
      'failed DESC, result, reason',
      MAX_ROWS,
    ),
  );
  const rows: TrialRow[] = [];
  for (const [, ofDay] of groupBy(sessions, (row) => String(row.day))) {
    const day = ofDay[0]?.day ?? to;
    const hasFailed = ofDay.some(({ failed }) => failed > 0);
    const own = groupBy(hasFailed ? failures.all(domainName, day) : [], (row) => row.reporter);
    rows.push(...ofDay.map((row) => ({ ...row, ...kindsOf(own.get(row.reporter) ?? []) })));
    yield;
  }
  return rows;
}

/** The failures of one reporter and day, by their statement about a policy. */
function kindsOf(
  failures: readonly Pick<FailureFact, 'result' | 'reason' | 'failed'>[],
): Pick<TrialRow, 'named' | 'lost'> {
  const sumOf = (rows: typeof failures): number =>
    rows.reduce((count, { failed }) => plus(count, failed), 0);
  const vague = failures.filter(({ result }) => kindOf(result) === 'any');
  const named = failures.filter(({ result }) => kindOf(result) !== 'any');
  return {
    named: sumOf(named),
    lost: sumOf(vague.filter(({ reason }) => isConnectionTrouble(reason))),
  };
}

/**
 * Reports that count without authentication, by day and source, the latest and largest
 * first.
 */
function unauthenticatedRows(domainQuery: DomainQuery): readonly UnauthenticatedRow[] {
  const rows = domainQuery.rows<SessionRow & { reports: number }>(
    `SELECT coalesce(r.peer, '') AS reporter, p.day, p.type, p.domain, ${exactSum('p.ok').replace('AS p.', 'AS ')},
       ${exactSum('p.failed').replace('AS p.', 'AS ')}, 0 AS undescribed, count(DISTINCT p.report) AS reports
     FROM (SELECT * FROM report_policy WHERE $WHERE AND authenticated = 0 AND counted = 1) AS p
     JOIN report AS r ON r.id = p.report
     GROUP BY r.peer, p.day, p.type, p.domain ORDER BY p.day DESC LIMIT ${MAX_ROWS}`,
  );
  return [...groupBy(rows, (row) => `${row.day} ${row.reporter}`).values()]
    .map((same) => ({
      day: same[0]?.day ?? 0,
      source: same[0]?.reporter ?? '',
      reports: Math.max(...same.map((row) => row.reports)),
      ...totalSessions(same),
    }))
    .sort(
      (left, right) =>
        right.day - left.day || right.failed - left.failed || (left.source < right.source ? -1 : 1),
    )
    .slice(0, MAX_SOURCES);
}

function notesOf(rows: readonly { reporter: string; notes: string }[]): readonly NoteRow[] {
  const counted = new Map<string, { reporter: string; code: string; reports: number }>();
  for (const { reporter, notes } of rows)
    for (const { code } of (JSON.parse(notes) as { notes: readonly { code: string }[] }).notes) {
      const known = counted.get(`${reporter} ${code}`) ?? { reporter, code, reports: 0 };
      known.reports = plus(known.reports, 1);
      counted.set(`${reporter} ${code}`, known);
    }
  return [...counted.values()].sort((left, right) => right.reports - left.reports);
}
