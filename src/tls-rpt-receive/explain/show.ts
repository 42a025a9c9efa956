import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import { readChecks } from '../tables/checks.js';
import { viewDomain, type DomainView } from './domain-view.js';
import { dayMs, dayOf, type ReportedFacts } from './facts.js';
import { gatherFacts } from './gather-facts.js';
import { viewOverview, type Overview } from './overview.js';
import { atOnce, inTurns, type Steps } from './steps.js';

/** The period to show, and the current time. */
export interface ShowOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Days to look back. Default 14. */
  readonly days?: number;
  /**
   * Last day of the period, milliseconds since 1970. Default: today, or the last day with
   * authenticated reports if those are older.
   */
  readonly to?: number;
  /** Hours after the end of a day until its reports count as missing. Default 36. */
  readonly silenceHours?: number;
  /** In the overview: list every failing domain, most of them by their daily sums. */
  readonly withSums?: boolean;
  /** Results of `hermetic check`, in addition to those in the database. */
  readonly checks?: readonly CheckResult[];
}

/**
 * Returns the content of all reports about a domain; `` selects reports that name no
 * domain.
 */
export function showDomain(
  stateStore: Store,
  domainName: string,
  options: ShowOptions,
): DomainView {
  return atOnce(showDomainInSteps(stateStore, domainName, options));
}

/** Returns every domain with failures. */
export function showOverview(stateStore: Store, options: ShowOptions): Overview {
  return atOnce(showOverviewInSteps(stateStore, options));
}

/** Shows a domain as `showDomain` does, alternating with other work of a daemon. */
export function showDomainInTurns(
  stateStore: Store,
  domainName: string,
  options: ShowOptions,
): Promise<DomainView> {
  return inTurns(showDomainInSteps(stateStore, domainName, options));
}

/** Shows the overview as `showOverview` does, alternating with other work of a daemon. */
export function showOverviewInTurns(stateStore: Store, options: ShowOptions): Promise<Overview> {
  return inTurns(showOverviewInSteps(stateStore, options));
}

/** Shows a domain in steps of one query. */
function* showDomainInSteps(
  stateStore: Store,
  domainName: string,
  options: ShowOptions,
): Steps<DomainView> {
  const { from, to } = spanOf(stateStore, domainName, options);
  const reportedFacts = yield* factsOf(stateStore, domainName, options, { from, to });
  return yield* viewDomain(reportedFacts, options.silenceHours);
}

/** Shows the overview in steps of one query. */
function* showOverviewInSteps(stateStore: Store, options: ShowOptions): Steps<Overview> {
  const { from, to } = spanOf(stateStore, '', options);
  return yield* viewOverview(stateStore, {
    from,
    to,
    withSilent: options.to === undefined,
    withSums: options.withSums,
    factsOf: (domainName) =>
      factsOf(stateStore, domainName, options, spanOf(stateStore, domainName, options)),
  });
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function factsOf(
  stateStore: Store,
  domainName: string,
  { now, checks = [] }: ShowOptions,
  { from, to }: Span,
): Steps<ReportedFacts> {
  const own = [...readChecks(stateStore, domainName, (from - 7) * dayMs), ...checks]
    .filter((check) => check.domain === domainName)
    .sort((left, right) => Date.parse(left.checkedAt) - Date.parse(right.checkedAt));
  return gatherFacts(stateStore, { domain: domainName, from, to, now, checks: own });
}

/** Returns the period to show. Unauthenticated reports do not change it. */
function spanOf(stateStore: Store, domainName: string, { now, days = 14, to }: ShowOptions): Span {
  const last =
    stateStore
      .prepare<{ day: number | null }>(
        'SELECT max(day) AS day FROM report_day WHERE domain = ? AND authenticated = 1',
      )
      .get(domainName)?.day ?? undefined;
  const today = dayOf(now);
  const latest = last !== undefined && last <= today - days ? last : today;
  const end = to === undefined ? latest : dayOf(to);
  return { from: end - days + 1, to: end };
}

/** A domain that the database has reports about. */
export interface ReportedDomain {
  readonly domain: string;
  /** At least one of the reports was authenticated. */
  readonly authenticated: boolean;
}

/** Maximum number of domains that `reportedDomains` returns. */
const MAX_REPORTED = 100_000;

/** Returns the domains with reports in the database, in alphabetical order. */
export function reportedDomains(stateStore: Store): readonly ReportedDomain[] {
  return stateStore
    .prepare<{ domain: string; authenticated: number }>(
      `SELECT domain, max(authenticated) AS authenticated FROM report_day
         GROUP BY domain ORDER BY domain LIMIT ${MAX_REPORTED}`,
    )
    .all()
    .map(({ domain, authenticated }) => ({ domain, authenticated: Number(authenticated) === 1 }));
}

/** Returns whether a stored report is about a domain. */
export function isReported(stateStore: Store, domainName: string): boolean {
  const statement = stateStore.prepare('SELECT 1 FROM report_day WHERE domain = ? LIMIT 1');
  return statement.get(domainName) !== undefined;
}
