import type { Store } from '../../store/index.js';
import { totalSessions } from './count-sessions.js';
import type { KindSums } from './domain-view.js';
import { dateOf, plus, type ReportedFacts } from './facts.js';
import { exactSum } from './exact-sum.js';
import { groupFailures, isOngoing } from './group-failures.js';
import type { Steps } from './steps.js';

/** The line of one domain in the overview. */
export interface DomainLine {
  /** The domain; empty for reports that name no domain. */
  readonly domain: string;
  /** The number of failed and of successful sessions. Each session counts once. */
  readonly failed: number;
  readonly successful: number;
  /**
   * The first day of the failures that have not ended; if all have ended, of all
   * failures.
   */
  readonly since: string;
  readonly last: string;
  readonly ongoing: boolean;
}

/** The number of reports that are excluded from the sums for one reason. */
export interface UncountedReports {
  readonly trust: string;
  /** A code of `TrustReason`; empty if no code was stored. */
  readonly reason: string;
  readonly reports: number;
}

/** `hermetic.report-overview/1`: every domain with failures, worst first. */
export interface Overview {
  readonly schema: 'hermetic.report-overview/1';
  readonly from: string;
  readonly to: string;
  readonly domains: number;
  /** Authenticated reports. */
  readonly reports: number;
  readonly kinds: readonly KindSums[];
  readonly failing: readonly DomainLine[];
  /** Reports without authentication. No decision depends on them. */
  readonly unauthenticated: number;
  /** Items that are not reports, by transport and reason. */
  readonly refused: readonly {
    readonly via: string;
    readonly code: string;
    readonly refused: number;
  }[];
  /** Reports of any day that are excluded from these numbers, by reason. */
  readonly uncounted: readonly UncountedReports[];
  /**
   * Number of reports that are authenticated only because the operator trusts a mailbox.
   */
  readonly trustedMailbox: number;
}

/** The days of the overview, and the number of domains that it lists. */
export interface OverviewOptions {
  readonly from: number;
  readonly to: number;
  /**
   * Maximum number of domains whose lines are computed from their reports. Default 50.
   */
  readonly limit?: number;
  /**
   * Whether to list all other failing domains too, with lines computed from their daily
   * sums. Default false.
   */
  readonly withSums?: boolean | undefined;
  /**
   * Whether to list domains with failures whose reports stopped before these days.
   * Default false.
   */
  readonly withSilent?: boolean;
  /**
   * Returns the facts about a domain, the same ones that the page of the domain uses, so
   * that overview and page agree.
   */
  readonly factsOf: (domainName: string) => Steps<ReportedFacts>;
}

/**
 * Returns the overview of all domains with failures in a period, according to
 * authenticated reports.
 */
export function* viewOverview(
  stateStore: Store,
  { from, to, limit = 50, withSilent = false, withSums = false, factsOf }: OverviewOptions,
): Steps<Overview> {
  const all = <Row>(sql: string, ...values: (string | number)[]): Row[] =>
    stateStore.prepare<Row>(sql).all(...values);
  const totals = all<{
    type: string;
    authenticated: number;
    ok: number;
    failed: number;
    reports: number;
  }>(
    `SELECT type, authenticated, ${exactSum('ok')}, ${exactSum('failed')}, ${exactSum('reports')}
     FROM report_day WHERE domain = '' AND day BETWEEN ? AND ? GROUP BY type, authenticated`,
    from,
    to,
  );
  const reportsOf = (authenticated: 0 | 1): number =>
    totals.find((total) => total.type === '' && total.authenticated === authenticated)?.reports ??
    0;
  const [known] = all<{ n: number }>(
    `SELECT count(DISTINCT domain) AS n FROM report_day
     WHERE domain <> '' AND type NOT IN ('', 'tlsa') AND authenticated = 1`,
  );
  const failing: DomainLine[] = [];
  if (withSilent)
    for (const domainName of silentDomains(stateStore, from, to, limit)) {
      const reportedFacts = yield* factsOf(domainName);
      if (groupFailures(reportedFacts).length > 0) failing.push(lineOf(reportedFacts));
      yield;
    }
  const listed = new Set(failing.map(({ domain }) => domain));
  for (const domainName of failingDomains(stateStore, from, to, limit)) {
    if (listed.has(domainName)) continue;
    const reportedFacts = yield* factsOf(domainName);
    const hasGroups = groupFailures(reportedFacts).length > 0;
    failing.push(hasGroups ? lineOf(reportedFacts) : lineOfSums(stateStore, domainName, from, to));
    yield;
  }
  if (withSums) yield* addSums(stateStore, failing, from, to);
  return {
    schema: 'hermetic.report-overview/1',
    from: dateOf(from),
    to: dateOf(to),
    // Under DANE the policy domain is an MX host, which has no line in the overview.
    domains: Math.max(known?.n ?? 0, failing.filter(({ domain }) => domain !== '').length),
    reports: reportsOf(1),
    kinds: totals
      .filter((total) => total.type !== '' && total.authenticated === 1)
      .map(({ type, ok, failed }) => ({ type, successful: ok, failed })),
    failing,
    unauthenticated: reportsOf(0),
    refused: all<{ via: string; code: string; refused: number }>(
      'SELECT via, code, sum(refused) AS refused FROM report_refusal WHERE day BETWEEN ? AND ? GROUP BY via, code ORDER BY refused DESC',
      from,
      to,
    ),
    uncounted: all<UncountedReports>(
      `SELECT trust, trust_reason AS reason, count(*) AS reports FROM report
       WHERE counted = 0 GROUP BY trust, trust_reason ORDER BY reports DESC`,
    ),
    trustedMailbox:
      all<{ n: number }>(
        `SELECT count(*) AS n FROM report
         WHERE trust = 'given' AND via = 'mailbox' AND day BETWEEN ? AND ?`,
        from,
        to,
      )[0]?.n ?? 0,
  };
}

/**
 * Returns the domains with the most failures. Reports of failures under DANE name the MX
 * host as the policy domain. Such failures are listed under the recipient domain of the
 * same report, or under the host if no report names a recipient domain.
 */
function failingDomains(
  stateStore: Store,
  from: number,
  to: number,
  limit: number,
): readonly string[] {
  const worst = stateStore
    .prepare<{ domain: string; daneOnly: number }>(
      `SELECT domain, min(type = 'tlsa') AS "daneOnly" FROM report_day
       WHERE failed > 0 AND authenticated = 1 AND day BETWEEN ? AND ? AND domain <> ''
       GROUP BY domain ORDER BY sum(failed) DESC, domain LIMIT ?`,
    )
    .all(from, to, limit);
  const names = worst.flatMap(({ domain, daneOnly }) => {
    const owners = daneOnly === 1 ? ownersOf(stateStore, domain, from, to) : [];
    return owners.length > 0 ? owners : [domain];
  });
  const unnamed = stateStore
    .prepare<{ n: number }>(
      `SELECT count(*) AS n FROM report_policy
       WHERE domain = '' AND day BETWEEN ? AND ? AND authenticated = 1 AND failed > 0`,
    )
    .get(from, to);
  return [...new Set([...((unnamed?.n ?? 0) > 0 ? [''] : []), ...names])];
}

/** Number of days for which the overview still lists a domain whose reports stopped. */
const MAX_SILENT_DAYS = 90;

/**
 * Returns the domains whose last reports are older than this period and contain failures:
 * without a newer report a failure has not ended. The page of such a domain shows the
 * days of its last reports.
 */
function silentDomains(
  stateStore: Store,
  from: number,
  to: number,
  limit: number,
): readonly string[] {
  const failing = stateStore
    .prepare<{ domain: string; last: number; daneOnly: number }>(
      `SELECT d.domain, min(d.type = 'tlsa') AS "daneOnly", (
         SELECT l.day FROM report_day AS l WHERE l.domain = d.domain AND l.authenticated = 1
         ORDER BY l.day DESC LIMIT 1) AS last
       FROM report_day AS d
       WHERE d.failed > 0 AND d.authenticated = 1 AND d.day BETWEEN ? AND ? AND d.domain <> ''
       GROUP BY d.domain HAVING last < ? AND max(d.day) >= last - ?
       ORDER BY sum(d.failed) DESC, d.domain LIMIT ?`,
    )
    .all(from - MAX_SILENT_DAYS, from - 1, from, to - from, limit);
  const names = failing.flatMap(({ domain, last, daneOnly }) => {
    const owners = daneOnly === 1 ? ownersOf(stateStore, domain, last - (to - from), last) : [];
    return owners.length > 0 ? owners : [domain];
  });
  return [...new Set(names)];
}

/**
 * Returns the recipient domains of the reports that contain a `tlsa` policy for a host.
 */
function ownersOf(
  stateStore: Store,
  hostName: string,
  from: number,
  to: number,
): readonly string[] {
  return stateStore
    .prepare<{ domain: string }>(
      `SELECT DISTINCT o.domain FROM report_policy AS p JOIN report_policy AS o
         ON o.id BETWEEN p.report * 1000000 AND p.report * 1000000 + 999999
       WHERE p.domain = ? AND p.day BETWEEN ? AND ? AND p.type = 'tlsa' AND p.authenticated = 1
         AND o.type <> 'tlsa' AND o.domain NOT IN ('', p.domain) ORDER BY o.domain LIMIT 5`,
    )
    .all(hostName, from, to)
    .map(({ domain }) => domain);
}

function lineOf(reportedFacts: ReportedFacts): DomainLine {
  const failureGroups = groupFailures(reportedFacts);
  const ongoing = failureGroups.filter((failureGroup) => isOngoing(failureGroup, reportedFacts));
  const { ok, failed } = totalSessions(reportedFacts.sessions);
  const since = (ongoing.length > 0 ? ongoing : failureGroups).map(
    (failureGroup) => failureGroup.firstDay,
  );
  return {
    domain: reportedFacts.domain,
    failed,
    successful: ok,
    since: dateOf(Math.min(...since)),
    last: dateOf(Math.max(...failureGroups.map((failureGroup) => failureGroup.lastDay))),
    ongoing: ongoing.length > 0,
  };
}

/** Number of domains whose daily sums are read in one step. */
const SUMS_STEP = 200;

/**
 * Adds a line for each failing domain that has no line yet, computed from the daily sums.
 */
function* addSums(
  stateStore: Store,
  failing: DomainLine[],
  from: number,
  to: number,
): Steps<undefined> {
  const listed = new Set(failing.map(({ domain }) => domain));
  const step = stateStore.prepare<{ domain: string; daneOnly: number }>(
    `SELECT domain, min(type = 'tlsa') AS "daneOnly" FROM report_day
     WHERE failed > 0 AND authenticated = 1 AND day BETWEEN ? AND ? AND domain > ?
     GROUP BY domain ORDER BY domain LIMIT ${SUMS_STEP}`,
  );
  for (let rows = step.all(from, to, ''); rows.length > 0;) {
    for (const { domain, daneOnly } of rows) {
      const owners = daneOnly === 1 ? ownersOf(stateStore, domain, from, to) : [];
      for (const name of owners.length > 0 ? owners : [domain]) {
        if (listed.has(name)) continue;
        listed.add(name);
        failing.push({ ...lineOfSums(stateStore, domain, from, to), domain: name });
      }
    }
    yield;
    rows = step.all(from, to, rows.at(-1)?.domain ?? '');
  }
  return undefined;
}

/**
 * Returns the line of a domain, computed from the daily sums. These remain when reports
 * are deleted, and contain failed sessions but no reporters.
 */
function lineOfSums(stateStore: Store, domainName: string, from: number, to: number): DomainLine {
  const days = stateStore
    .prepare<{ day: number; ok: number; failed: number }>(
      `SELECT day, max(ok) AS ok, max(failed) AS failed FROM report_day
       WHERE domain = ? AND authenticated = 1 AND day BETWEEN ? AND ? GROUP BY day ORDER BY day`,
    )
    .all(domainName, from, to);
  const failing = days.filter((day) => day.failed > 0).map((day) => day.day);
  const last = failing.at(-1) ?? to;
  return {
    domain: domainName,
    failed: days.reduce((count, day) => plus(count, day.failed), 0),
    successful: days.reduce((count, day) => plus(count, day.ok), 0),
    since: dateOf(failing[0] ?? last),
    last: dateOf(last),
    ongoing: last >= (days.at(-1)?.day ?? last),
  };
}
