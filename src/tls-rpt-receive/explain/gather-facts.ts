import { matchMx } from '../../mta-sts/index.js';
import { groupBy, neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import { TRIAL_DAYS } from './can-enforce.js';
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
  type UnauthenticatedRow,
} from './facts.js';
import { patternsOf } from './quoted.js';
import type { Steps } from './steps.js';

/** The domain and the days about which facts are read. */
export interface GatherOptions {
  readonly domain: string;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly checks: readonly CheckResult[];
}

/** The limit for each kind of fact. A large domain has a tenth of that in a month. */
const MAX_ROWS = 20_000;
/** MX hosts whose own reports belong to the domain. */
const MAX_HOSTS = 50;
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
  const domainQuery = new DomainQuery(stateStore, options);
  yield;
  const sessions = domainQuery.rows<SessionRow>(
    `SELECT reporter, day, type, domain, ${total('ok')}, ${total('failed')}, ${total('undescribed')}
     FROM report_policy WHERE $WHERE AND authenticated = 1
     GROUP BY reporter, day, type, domain ORDER BY day DESC, reporter, type, domain LIMIT ${MAX_ROWS}`,
  );
  yield;
  const reports = domainQuery.rows<ReportRow>(
    `SELECT reporter, day, count(DISTINCT report) AS reports FROM report_policy
     WHERE $WHERE AND authenticated = 1 GROUP BY reporter, day ORDER BY day DESC, reporter LIMIT ${MAX_ROWS}`,
  );
  yield;
  const described = describedFailures(domainQuery);
  yield;
  const failures = [...described, ...otherFailures(domainQuery)];
  yield;
  const senders = domainQuery.rows<SenderRow>(
    `SELECT DISTINCT result, mx, reporter, sender_ip AS ip FROM report_failure
     WHERE $WHERE AND authenticated = 1 AND sender_ip <> ''
     ORDER BY result, mx, reporter, sender_ip LIMIT 2000`,
  );
  yield;
  const policies = quotedPolicies(domainQuery);
  yield;
  const trial = trialOf(stateStore, domain, to);
  yield;
  const doubtful = domainQuery.rows<DoubtfulRow>(
    `SELECT trust, reporter, min(trust_detail) AS detail, count(*) AS reports, max(day) AS "lastDay" FROM report
     WHERE counted = 0 AND id IN (SELECT report FROM report_policy WHERE $WHERE AND counted = 0)
     GROUP BY trust, reporter ORDER BY reports DESC LIMIT 50`,
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

/** A sum as an integer that JavaScript holds exactly. */
function total(column: string): string {
  return `CAST(min(total(${column}), ${Number.MAX_SAFE_INTEGER}) AS INTEGER) AS ${column}`;
}

/**
 * Queries on the rows of a domain and its mail hosts. Text in the answers is neutralised.
 */
class DomainQuery {
  readonly #store: Store;
  readonly #where: string;
  readonly #values: readonly (string | number)[];

  constructor(stateStore: Store, { domain, from, to, checks }: GatherOptions) {
    const hostNames = [...mailHosts(stateStore, { domain, from, to, checks })].slice(0, MAX_HOSTS);
    const names = [domain, ...hostNames.filter((hostName) => hostName !== domain)];
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

/**
 * The mail hosts of a domain: those that a check found, those that its MTA-STS policy
 * names, and the TLSA base domains in reports about the domain, by authenticated reports.
 */
function mailHosts(
  stateStore: Store,
  { domain, from, to, checks }: Omit<GatherOptions, 'now'>,
): ReadonlySet<string> {
  const span = [domain, from, to];
  const checked = checks.flatMap((check) => check.hosts.map((mailHost) => mailHost.name));
  const named = stateStore
    .prepare<{ text: string }>(
      `SELECT DISTINCT t.text FROM report_policy AS p JOIN report_text AS t ON t.id = p.text
       WHERE p.domain = ? AND p.day BETWEEN ? AND ? AND p.authenticated = 1 AND p.type = 'sts' LIMIT 100`,
    )
    .all(...span)
    .flatMap(({ text }) => patternsOf({ strings: JSON.parse(text) as string[] }));
  // `alone`: the report is about no other recipient domain.
  const reported = stateStore
    .prepare<{ host: string; alone: number }>(
      `SELECT p.domain AS host, max(NOT EXISTS (
         SELECT 1 FROM report_policy AS o
         WHERE o.id BETWEEN own.report * 1000000 AND own.report * 1000000 + 999999
           AND o.type <> 'tlsa' AND o.domain NOT IN (own.domain, '', p.domain))) AS alone
       FROM report_policy AS own JOIN report_policy AS p
         ON p.id BETWEEN own.report * 1000000 AND own.report * 1000000 + 999999
       WHERE own.domain = ? AND own.day BETWEEN ? AND ? AND own.authenticated = 1 AND own.type <> 'tlsa'
         AND p.type = 'tlsa' AND p.domain NOT IN (own.domain, '') GROUP BY p.domain LIMIT 200`,
    )
    .all(...span)
    .filter(({ host, alone }) => alone === 1 || named.some((pattern) => matchMx(pattern, host)))
    .map(({ host }) => host);
  const exact = named.filter((name) => !name.startsWith('*'));
  return new Set([
    ...checked,
    ...exact,
    ...reported,
    ...failingHosts(stateStore, { domain, from, to }),
  ]);
}

/**
 * Hosts below the domain that fail under DANE and are no recipient domain themselves:
 * some reporters send a separate report for each TLSA base domain.
 */
function failingHosts(
  stateStore: Store,
  { domain, from, to }: Pick<GatherOptions, 'domain' | 'from' | 'to'>,
): readonly string[] {
  if (domain === '') return [];
  return stateStore
    .prepare<{ host: string }>(
      `SELECT DISTINCT domain AS host FROM report_day AS d
       WHERE failed > 0 AND day BETWEEN ? AND ? AND authenticated = 1 AND type = 'tlsa'
         AND substr(domain, -length(?)) = ? AND NOT EXISTS (
           SELECT 1 FROM report_day AS o WHERE o.domain = d.domain AND o.day BETWEEN ? AND ?
             AND o.type <> 'tlsa' AND o.authenticated = 1) LIMIT ${MAX_HOSTS}`,
    )
    .all(from, to, `.${domain}`, `.${domain}`, from, to)
    .map(({ host }) => host);
}

function describedFailures(domainQuery: DomainQuery): readonly FailureFact[] {
  return domainQuery.rows<FailureFact>(
    `SELECT domain, type, mode, result, mx, ip, reporter, reason, ${total('failed')},
       min(day) AS firstDay, max(day) AS lastDay, count(DISTINCT day) AS days
     FROM report_failure WHERE $WHERE AND authenticated = 1
     GROUP BY domain, type, mode, result, mx, ip, reporter, reason
     ORDER BY failed DESC, domain, type, mode, result, mx, ip, reporter, reason LIMIT ${MAX_ROWS}`,
  );
}

/** Failed sessions that the summary counts and no detail describes [8460-4.4-11]. */
function otherFailures(domainQuery: DomainQuery): readonly FailureFact[] {
  return domainQuery
    .rows<
      Omit<FailureFact, 'result' | 'mx' | 'ip' | 'reason' | 'failed'> & { undescribed: number }
    >(
      `SELECT domain, type, mode, reporter, ${total('undescribed')},
         min(day) AS firstDay, max(day) AS lastDay, count(DISTINCT day) AS days
       FROM report_policy WHERE $WHERE AND authenticated = 1 AND undescribed > 0
       GROUP BY domain, type, mode, reporter ORDER BY undescribed DESC, domain, type, mode, reporter LIMIT ${MAX_ROWS}`,
    )
    .map(({ undescribed, ...row }) => ({
      ...row,
      result: NOT_DESCRIBED,
      mx: '',
      ip: '',
      reason: '',
      failed: undescribed,
    }));
}

function quotedPolicies(domainQuery: DomainQuery): readonly QuotedPolicy[] {
  return domainQuery
    .rows<Omit<QuotedPolicy, 'strings'> & { text: string }>(
      `SELECT p.domain, p.type, p.reporter, t.text, p.firstDay, p.lastDay FROM (
         SELECT domain, type, reporter, text, min(day) AS firstDay, max(day) AS lastDay FROM report_policy
         WHERE $WHERE AND authenticated = 1 AND text > 0 GROUP BY domain, type, reporter, text
       ) AS p JOIN report_text AS t ON t.id = p.text 
       ORDER BY p.lastDay DESC, p.firstDay DESC, p.domain, p.type, p.reporter, t.text LIMIT 1000`,
    )
    .reverse()
    .map(({ text, ...rest }) => ({
      ...rest,
      strings: (JSON.parse(text) as string[]).map((textLine) => neutralise(textLine)),
    }));
}

function trialOf(stateStore: Store, domainName: string, to: number): readonly SessionRow[] {
  return stateStore
    .prepare<SessionRow>(
      `SELECT reporter, day, type, domain, ${total('ok')}, ${total('failed')}, ${total('undescribed')}
       FROM report_policy WHERE domain = ? AND day BETWEEN ? AND ? AND type = 'sts' AND authenticated = 1
       GROUP BY reporter, day ORDER BY day DESC, reporter LIMIT ${MAX_ROWS}`,
    )
    .all(domainName, to - TRIAL_DAYS, to);
}

/**
 * Reports that count without authentication, by day and source, the latest and largest
 * first.
 */
function unauthenticatedRows(domainQuery: DomainQuery): readonly UnauthenticatedRow[] {
  const rows = domainQuery.rows<SessionRow & { reports: number }>(
    `SELECT coalesce(r.peer, '') AS reporter, p.day, p.type, p.domain, ${total('p.ok').replace('AS p.', 'AS ')},
       ${total('p.failed').replace('AS p.', 'AS ')}, 0 AS undescribed, count(DISTINCT p.report) AS reports
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
