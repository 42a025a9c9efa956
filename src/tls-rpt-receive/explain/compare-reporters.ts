import type { CheckResult } from '../../evidence/index.js';
import { kindOf, checkedHosts } from './check-evidence.js';
import { distinct, plus, type ReportedFacts } from './facts.js';
import type { FailureGroup } from './group-failures.js';
import { maxAgeOf, patternsOf } from './quoted.js';
import {
  failedBy,
  isSameFault,
  rateOf,
  sessionsBetween,
  totalOf,
  type SessionsByReporter,
} from './same-fault.js';
import {
  COMPARABLE_SHARE,
  countSources,
  failedOn,
  failingDays,
  hasKnownShare,
  isBackground,
} from './sources.js';

/** The comparison between the reporters of a failure and the other reporters. */
export interface ReporterComparison {
  /** Reporters of the failure, or of another result type that may be the same failure. */
  readonly affected: readonly string[];
  /**
   * Number of independent sources among the affected reporters, each with more failures
   * than noise explains. Reporters in one network count as one source.
   */
  readonly sources: number;
  /** True if noise explains the failures of this group at each of its reporters. */
  readonly noise: boolean;
  /** True if each reporter of the group also reports successes, or only this failure. */
  readonly isShareKnown: boolean;
  /**
   * Reporters that applied the same policy, could have observed the failure, and did not
   * observe it.
   */
  readonly unaffected: readonly string[];
  /**
   * Number of days on which the sessions of an affected reporter failed about as often as
   * on its worst day.
   */
  readonly failingDays: number;
  /** True if on each of these days an affected reporter also had successful sessions. */
  readonly isPartial: boolean;
  /**
   * The probability that chance alone placed all failures among the sessions of the
   * affected reporters, although the fault could affect any session of the compared
   * reporters. 1 if no reporter is comparable.
   */
  readonly chance: number;
  /**
   * Number of reporters with sessions on the days of the failure that did not apply this
   * policy, so they cannot be compared.
   */
  readonly without: number;
  /**
   * The share of failed sessions among all sessions of the affected reporters, from 0 to
   * 1.
   */
  readonly rate: number;
  /**
   * The share of failed sessions for this group alone, without failures of other result
   * types.
   */
  readonly ownRate: number;
}

/**
 * Compares a group of failures with the reports of all reporters of the domain for the
 * same days.
 */
export function compareReporters(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
  clean: CheckResult | undefined,
): ReporterComparison {
  const during = reportedFacts.sessions.filter(
    (row) =>
      row.day >= failureGroup.firstDay &&
      row.day <= failureGroup.lastDay &&
      row.ok + row.failed > 0,
  );
  const applied = sessionsBetween(
    failureGroup.firstDay,
    failureGroup.lastDay,
    failureGroup,
    reportedFacts,
  );
  const failed = failedBy(failureGroup, reportedFacts, applied);
  const rates = new Map(
    [...failed].map(
      ([reporter, count]) => [reporter, rateOf(count, applied.get(reporter))] as const,
    ),
  );
  const worst = Math.max(0, ...failureGroup.reporters.map((reporter) => rates.get(reporter) ?? 1));
  const isAffected = (reporter: string): boolean =>
    failureGroup.reporters.length === 1 && failureGroup.reporters[0] === reporter
      ? true
      : (rates.get(reporter) ?? 0) >= COMPARABLE_SHARE * worst;
  const affected = [...new Set([...failureGroup.reporters, ...failed.keys()])].filter(isAffected);
  // A reporter of the group with few failures is neither affected nor unaffected.
  const concerned = new Set([...affected, ...failureGroup.reporters]);
  const others = [...applied].flatMap(([reporter, sessionRows]) =>
    !concerned.has(reporter) && sessionRows.some((sessionRow) => sessionRow.ok > 0) ? reporter : [],
  );
  const unaffected = others.filter(couldHaveMet(failureGroup, reportedFacts, clean));
  const sessionsOf = (reporters: readonly string[]): number =>
    reporters.reduce((count, reporter) => plus(count, totalOf(applied.get(reporter))), 0);
  const failing = failingDays(affected, applied);
  const onDays = (reporters: readonly string[]): number =>
    reporters.reduce((count, reporter) => {
      const sessionRows = (applied.get(reporter) ?? []).filter((sessionRow) =>
        failing.has(sessionRow.day),
      );
      return plus(count, totalOf(sessionRows));
    }, 0);
  const counted =
    kindOf(failureGroup.result) === 'starttls'
      ? atAnyHost(failureGroup, reportedFacts, applied)
      : failed;
  const met = affected.reduce((count, reporter) => plus(count, counted.get(reporter) ?? 0), 0);
  return {
    affected,
    sources: countSources(failureGroup, reportedFacts, affected),
    noise: isBackground(failureGroup, applied),
    isShareKnown: failureGroup.reporters.every((reporter) =>
      hasKnownShare(reporter, failureGroup, reportedFacts),
    ),
    unaffected,
    failingDays: failing.size,
    isPartial: [...failing].every((day) =>
      affected.some((reporter) =>
        applied.get(reporter)?.some((row) => row.day === day && row.ok > 0),
      ),
    ),
    chance: chanceOf(
      Math.min(met, failedOn(failing, affected, applied)),
      onDays(affected),
      onDays(unaffected),
    ),
    rate: Math.min(1, met / Math.max(1, sessionsOf(affected))),
    ownRate: Math.min(1, failureGroup.sessions / Math.max(1, sessionsOf(failureGroup.reporters))),
    without: new Set(during.map((row) => row.reporter).filter((r) => !applied.has(r))).size,
  };
}

/**
 * Returns the number of failures at all hosts, by reporter. A filter or attacker on the
 * path of a sender removes STARTTLS at every host.
 */
function atAnyHost(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
  applied: SessionsByReporter,
): Map<string, number> {
  return failedBy({ ...failureGroup, mx: '' }, reportedFacts, applied);
}

/**
 * Returns a function that tests whether a reporter without the failure would have
 * observed the fault. The reporter must have used the same policy, MX host and address
 * family. If a check found no fault of the host, the same policy is enough, because the
 * fault is not at the host.
 */
function couldHaveMet(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
  clean: CheckResult | undefined,
): (reporter: string) => boolean {
  const { mx, ips, type, domain } = failureGroup;
  if (kindOf(failureGroup.result) === 'policy-file')
    return fetchedPolicy(failureGroup, reportedFacts);
  const starttls = kindOf(failureGroup.result) === 'starttls';
  const isSamePolicy = starttls ? () => true : quotesSamePolicy(failureGroup, reportedFacts);
  if (clean) return isSamePolicy;
  if (ips.length > 0 && ips.every((ipAddress) => ipAddress.includes(':'))) return () => false;
  if (type === 'tlsa' && domain === mx) return isSamePolicy;
  const byDane = starttls && mx !== '' ? reachedByDane(mx, reportedFacts) : new Set<string>();
  const usesFailing = failsEverywhere(failureGroup, reportedFacts);
  return (reporter) => isSamePolicy(reporter) && (byDane.has(reporter) || usesFailing);
}

/**
 * Returns whether every sender must have used a failing host: the failure occurred at all
 * hosts of the domain, or the domain has only one host.
 */
function failsEverywhere(failureGroup: FailureGroup, reportedFacts: ReportedFacts): boolean {
  const hostNames = hostsOf(reportedFacts);
  if (hostNames === undefined || hostNames.length === 1) return hostNames !== undefined;
  const failing = failingHosts(failureGroup, reportedFacts);
  return hostNames.every((hostName) => failing.has(hostName));
}

/** Returns the hosts at which reporters of a group observed the failure. */
export function failingHosts(
  failureGroup: FailureGroup,
  { failures, domain }: ReportedFacts,
): ReadonlySet<string> {
  const atAny = { ...failureGroup, mx: '' };
  return new Set(
    failures
      .filter((row) => failureGroup.reporters.includes(row.reporter))
      .filter((row) => isSameFault(atAny, row, domain))
      .map(({ mx, type, domain: base }) => (mx === '' && type === 'tlsa' ? base : mx)),
  );
}

/**
 * Returns the reporters of successful sessions with a host under DANE, since a DANE
 * report names the MX host as the policy domain.
 */
function reachedByDane(exchanger: string, { sessions }: ReportedFacts): ReadonlySet<string> {
  return new Set(
    sessions
      .filter((row) => row.type === 'tlsa' && row.domain === exchanger && row.ok > 0)
      .map((row) => row.reporter),
  );
}

/** A cache of the MX hosts of a domain, by the object of facts from which they follow. */
const knownHosts = new WeakMap<ReportedFacts, readonly string[] | 'unknown'>();

/**
 * Returns the MX hosts of the domain; undefined if neither checks nor quoted policies
 * name all of them.
 */
export function hostsOf(reportedFacts: ReportedFacts): readonly string[] | undefined {
  let hostNames = knownHosts.get(reportedFacts);
  if (hostNames === undefined) {
    hostNames = findHosts(reportedFacts) ?? 'unknown';
    knownHosts.set(reportedFacts, hostNames);
  }
  return hostNames === 'unknown' ? undefined : hostNames;
}

function findHosts(reportedFacts: ReportedFacts): readonly string[] | undefined {
  const checked = checkedHosts(reportedFacts.checks);
  if (checked) return [...checked];
  const patterns = reportedFacts.policies
    .filter((policy) => policy.type === 'sts' && policy.domain === reportedFacts.domain)
    .flatMap((policy) => patternsOf(policy));
  if (patterns.length === 0 || patterns.some((pattern) => pattern.startsWith('*')))
    return undefined;
  return distinct([...patterns, ...reportedFacts.failures.map((failure) => failure.mx)]);
}

/**
 * Returns a function that tests whether a reporter must have fetched the policy on the
 * days of the failure. A sender with a cached policy needs the policy file only when the
 * cached copy expires (RFC 8461 §3.2). So a reported policy proves a fetch only if the
 * reporter began to apply it on those days, or if its cached copy must have expired.
 */
function fetchedPolicy(
  { domain, firstDay, lastDay }: FailureGroup,
  { sessions, policies }: ReportedFacts,
): (reporter: string) => boolean {
  // A policy in the first of all reports may have been fetched earlier, so it proves no
  // fetch.
  const begin = sessions.reduce((day, row) => Math.min(day, row.day), Infinity);
  const fetched = policies.filter(
    (policy) =>
      policy.type === 'sts' &&
      policy.domain === domain &&
      policy.firstDay <= lastDay &&
      policy.lastDay >= firstDay &&
      ((policy.firstDay >= firstDay && policy.firstDay > begin) ||
        Math.min(policy.lastDay, lastDay) - firstDay > (maxAgeOf(policy) ?? Infinity)),
  );
  const reporters = new Set(fetched.map(({ reporter }) => reporter));
  return (reporter) => reporters.has(reporter);
}

/**
 * Returns a function that tests whether a reporter quoted a policy that an affected
 * reporter also quoted. A reporter without quotes passes the test.
 */
function quotesSamePolicy(
  { type, reporters, firstDay, lastDay }: FailureGroup,
  { policies }: ReportedFacts,
): (reporter: string) => boolean {
  if (type !== 'sts') return () => true;
  const during = policies.filter(
    (policy) => policy.type === 'sts' && policy.lastDay >= firstDay && policy.firstDay <= lastDay,
  );
  const texts = new Map<string, Set<string>>();
  for (const policy of during) {
    const text = [...patternsOf(policy)].sort().join(' ');
    texts.set(policy.reporter, (texts.get(policy.reporter) ?? new Set()).add(text));
  }
  const affected = new Set(reporters.flatMap((reporter) => [...(texts.get(reporter) ?? [])]));
  return (reporter) => {
    const own = texts.get(reporter);
    return affected.size === 0 || !own || [...own].some((text) => affected.has(text));
  };
}

const MAX_FACTORS = 10_000;
const NEGLIGIBLE = Math.log(1e-9);

/**
 * Returns the probability that by chance all failures are among the sessions of the
 * affected reporters: Fisher's exact test, one-sided, C(affected, failed) / C(all,
 * failed).
 */
export function chanceOf(failed: number, affected: number, unaffected: number): number {
  const all = Math.max(affected, failed) + unaffected;
  // The probability is a product. It has the same value with `failed` and `unaffected`
  // swapped, so the smaller number gives the factors.
  const [factors, other] = failed < unaffected ? [failed, unaffected] : [unaffected, failed];
  // A report may contain any number of sessions, so many factors are approximated in
  // blocks.
  const block = Math.ceil(factors / MAX_FACTORS);
  let logarithm = 0;
  for (let index = 0; index < factors && logarithm > NEGLIGIBLE; index += block) {
    const byteCount = Math.min(block, factors - index);
    logarithm += byteCount * Math.log1p(-other / (all - index - (byteCount - 1) / 2));
  }
  return Math.exp(logarithm);
}
