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
  /** Number of days in the period. Default 14. */
  readonly days?: number;
  /**
   * A time on the last day of the period, in milliseconds since 1970. Default: today, or
   * the last day with authenticated reports if the period up to today has none.
   */
  readonly to?: number;
  /** Hours after the end of a day until its reports count as missing. Default 36. */
  readonly silenceHours?: number;
  /**
   * Whether the overview lists every failing domain, most of them by their daily sums.
   */
  readonly withSums?: boolean;
  /** Results of `hermetic check`, in addition to the results in the database. */
  readonly checks?: readonly CheckResult[];
}

/**
 * Returns the view of all reports about a domain. An empty domain name selects reports
 * that name no domain.
 */
export function showDomain(
  stateStore: Store,
  domainName: string,
  options: ShowOptions,
): DomainView {
  return atOnce(showDomainInSteps(stateStore, domainName, options));
}

/** Returns the overview of all domains with failures. */
export function showOverview(stateStore: Store, options: ShowOptions): Overview {
  return atOnce(showOverviewInSteps(stateStore, options));
}

/**
 * Returns the same view as `showDomain`, computed in steps between which a daemon does
 * other work.
 */
export function showDomainInTurns(
  stateStore: Store,
  domainName: string,
  options: ShowOptions,
): Promise<DomainView> {
  return inTurns(showDomainInSteps(stateStore, domainName, options));
}

/**
 * Returns the same overview as `showOverview`, computed in steps between which a daemon
 * does other work.
 */
export function showOverviewInTurns(stateStore: Store, options: ShowOptions): Promise<Overview> {
  return inTurns(showOverviewInSteps(stateStore, options));
}

/** Returns the view of a domain, in steps of about one query. */
function* showDomainInSteps(
  stateStore: Store,
  domainName: string,
  options: ShowOptions,
): Steps<DomainView> {
  const { from, to } = spanOf(stateStore, domainName, options);
  const reportedFacts = yield* factsOf(stateStore, domainName, options, { from, to });
  return yield* viewDomain(reportedFacts, options.silenceHours);
}

/** Returns the overview, in steps of about one query. */
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

/** A domain with reports in the database. */
export interface ReportedDomain {
  readonly domain: string;
  /** True if at least one of the reports is authenticated. */
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
