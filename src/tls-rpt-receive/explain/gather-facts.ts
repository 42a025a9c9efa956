import { groupBy, neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import { isEnforced } from './can-enforce.js';
import { totalSessions } from './count-sessions.js';
import { exactSum } from './exact-sum.js';
import type { DoubtfulRow, ReportedFacts, SessionRow, UnauthenticatedRow } from './facts.js';
import { gatherFailures } from './gather-failures.js';
import { gatherPolicies } from './gather-policies.js';
import { gatherReports } from './gather-reports.js';
import { gatherTrial } from './gather-trial.js';
import { mailHosts } from './mail-hosts.js';
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
 * Maximum number of facts of each kind. A large domain has half as many in a month. Each
 * failure is compared with all facts, so the work grows with the square of this number.
 */
const MAX_ROWS = 4000;
/** Maximum number of MX hosts whose DANE reports belong to the domain. */
const MAX_HOSTS = 50;
/** Maximum number of sender networks, and of quoted policies. */
const MAX_SENDERS = 2000;
const MAX_QUOTED = 1000;
/** Maximum number of lines for unauthenticated sources. */
const MAX_SOURCES = 200;

/**
 * Reads the known facts about a domain for a range of days, in steps of one page. Under
 * DANE the policy domain is the MX host (RFC 8460 §4.4), so the `tlsa` policies of its
 * mail hosts belong to the domain. If a report is stored between two steps, only later
 * queries include it.
 */
export function* gatherFacts(stateStore: Store, options: GatherOptions): Steps<ReportedFacts> {
  const { domain, from, to, now, checks } = options;
  const hostNames = yield* mailHosts(stateStore, { domain, from, to }, checks, MAX_HOSTS);
  const span = { domain, hosts: hostNames, from, to };
  yield;
  const facts = yield* gatherPolicies(stateStore, span, { rows: MAX_ROWS, quoted: MAX_QUOTED });
  const { described, senders } = yield* gatherFailures(stateStore, span, {
    rows: MAX_ROWS,
    senders: MAX_SENDERS,
  });
  // The trial period matters only before mode enforce.
  const trial = isEnforced({ checks, policies: facts.policies, domain })
    ? []
    : yield* gatherTrial(stateStore, domain, to, MAX_ROWS);
  const aboutReports = yield* gatherReports(stateStore, facts.reportIds);
  const domainQuery = new DomainQuery(stateStore, { domain, from, to }, hostNames);
  const doubtful = domainQuery.doubtful();
  yield;
  if (facts.reports.length === 0 && doubtful.length === 0) {
    // The reports may be from an archive of old mail, or about a domain that the settings
    // do not name.
    doubtful.push(...domainQuery.doubtfulOfAnyDay());
    yield;
  }
  const unnamed = facts.reports.length === 0 ? domainQuery.countUnnamed() : 0;
  const unauthenticated = unauthenticatedRows(domainQuery);
  yield;
  return {
    domain,
    from,
    to,
    now,
    checks,
    sessions: facts.sessions,
    reports: facts.reports,
    failures: [...described, ...facts.undescribed],
    senders,
    policies: facts.policies,
    trial,
    doubtful,
    unnamed,
    unauthenticated,
    ...aboutReports,
  };
}

const DOUBTFUL = `SELECT trust, trust_reason AS reason, reporter, min(trust_detail) AS detail,
     count(*) AS reports, max(day) AS "lastDay" FROM report WHERE counted = 0`;
const DOUBTFUL_ORDER = 'GROUP BY trust, trust_reason, reporter ORDER BY reports DESC LIMIT 50';

/**
 * The queries about a domain and its mail hosts. Text in the results is neutralised.
 */
class DomainQuery {
  readonly #store: Store;
  readonly #domain: string;
  readonly #where: string;
  readonly #values: readonly (string | number)[];

  constructor(
    stateStore: Store,
    { domain, from, to }: Pick<GatherOptions, 'domain' | 'from' | 'to'>,
    hostNames: ReadonlySet<string>,
  ) {
    const names = [domain, ...[...hostNames].filter((hostName) => hostName !== domain)];
    this.#store = stateStore;
    this.#domain = domain;
    this.#where = `domain IN (${names.map(() => '?').join(', ')}) AND day BETWEEN ? AND ?
      AND (domain = ? OR type = 'tlsa')`;
    this.#values = [...names, from, to, domain];
  }

  /** Returns the reports of the period that are excluded from the sums. */
  doubtful(): DoubtfulRow[] {
    return this.rows(
      `${DOUBTFUL} AND id IN (SELECT report FROM report_policy WHERE $WHERE AND counted = 0) ${DOUBTFUL_ORDER}`,
    );
  }

  /**
   * Returns the excluded reports of any day, including reports whose policies are not
   * stored because the settings do not name the domain.
   */
  doubtfulOfAnyDay(): DoubtfulRow[] {
    return this.#store
      .prepare<DoubtfulRow>(
        `${DOUBTFUL} AND (id IN (SELECT report FROM report_policy WHERE domain = ? AND counted = 0)
           OR named_domain = ? OR (trust = 'other-domain' AND trust_detail = ?)) ${DOUBTFUL_ORDER}`,
      )
      .all(this.#domain, this.#domain, this.#domain)
      .map(shown);
  }

  /** Returns the number of counted reports of these days that name no domain. */
  countUnnamed(): number {
    const counted = this.#store.prepare<{ n: number }>(
      `SELECT count(DISTINCT report) AS n FROM report_policy
       WHERE domain = '' AND day BETWEEN ? AND ? AND authenticated = 1`,
    );
    const [from, to] = this.#values.slice(-3);
    return counted.get(from ?? 0, to ?? 0)?.n ?? 0;
  }

  rows<Row extends object>(sql: string): Row[] {
    const times = sql.split('$WHERE').length - 1;
    return this.#store
      .prepare<Row>(sql.replaceAll('$WHERE', this.#where))
      .all(...Array.from({ length: times }, () => this.#values).flat())
      .map(shown);
  }
}

/** Neutralises the foreign text of a row once, when the row becomes a fact [8460-7-4]. */
function shown<Row extends object>(row: Row): Row {
  for (const [name, value] of Object.entries(row))
    if (typeof value === 'string') (row as Record<string, unknown>)[name] = neutralise(value);
  return row;
}

/**
 * Returns the unauthenticated reports by day and source, the latest and largest first.
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
