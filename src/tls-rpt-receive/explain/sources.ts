import { groupBy } from '../../base/index.js';
import { kindOf } from './check-evidence.js';
import { NOT_DESCRIBED, plus, type FailureFact, type ReportedFacts } from './facts.js';
import { failuresOf, succeeds } from './facts-index.js';
import { isSamePolicy, type FailureGroup } from './group-failures.js';
import {
  failedBy,
  isSameFault,
  rateOf,
  sessionsBetween,
  totalOf,
  type SessionsByReporter,
} from './same-fault.js';

/**
 * Tests whether reporters confirm each other. If two reporters observe one fault of the
 * domain, the sessions of both fail more often than noise explains, about equally often,
 * and on the same days. Each test excludes one coincidence:
 *
 * | test | coincidence that it excludes |
 * | --- | --- |
 * | more failures than noise explains | a lost connection next to a fault of one reporter |
 * | a similar failure rate on the days of other reporters | noise scattered over other days |
 * | the same days | two outages, or an outage during a fault of another reporter |
 * | one of them belongs to the group | a fault of other reporters, during noise in the group |
 * | it reports few failures of another type | noise at a reporter of another fault |
 * | successes, or one result for nearly all failures | a reporter that reports only failures |
 * | more than one network | a fault of one path, or of the operator of two senders |
 */

/**
 * The minimum failure rate of an affected reporter, as a fraction of the rate of the most
 * affected reporter.
 */
export const COMPARABLE_SHARE = 0.2;

/**
 * Maximum share of sessions that fail without any fault: lost connections, restarts,
 * broken peers.
 */
const NOISE_SHARE = 1 / 20;
/**
 * The maximum share of noise for failures of a named kind. It is lower, because a lost
 * connection is not reported as an expired certificate.
 */
const NAMED_NOISE_SHARE = 1 / 200;
/** The minimum share of failed sessions of each sender if a fault affects all senders. */
const MIN_RATE = 1 / 5;
/**
 * The fraction of the common days with a failure of one or both reporters on which both
 * must have failures.
 */
const COMMON_DAYS = 1 / 4;
/**
 * The factor by which a reporter's failures of another type must outnumber those of the
 * group to show that the group is noise.
 */
const MAIN_SHARE = 4;
/** The probability below which noise does not explain the failures of one reporter. */
const NOISE_CHANCE = 1 / 100;
/**
 * The fraction of common days if a reporter never reports a success. Such a reporter may
 * report only failures, so that all its days have failures.
 */
const COMMON_DAYS_OF_FAILURES = 3 / 4;
/**
 * The minimum share of failures with one result that a reporter without successes needs
 * to confirm a fault.
 */
const PURE_SHARE = 4 / 5;

/**
 * Returns whether noise explains the number of failed sessions: for example one of one,
 * or two of three, but not two of two. Uses Chernoff's bound of the binomial distribution,
 * exp(-n D(failed/n || share)), which takes no time that a reporter controls.
 */
export function isNoise(failed: number, sessions: number, share = NOISE_SHARE): boolean {
  const total = Math.max(1, failed, sessions);
  const rate = failed / total;
  if (rate <= share) return true;
  const rest = rate < 1 ? (1 - rate) * Math.log((1 - rate) / (1 - share)) : 0;
  return Math.exp(-total * (rate * Math.log(rate / share) + rest)) >= NOISE_CHANCE;
}

/**
 * Returns whether the share of failed sessions of a reporter is known. Some reporters
 * report only failed sessions. Their failures are evidence of a fault only if nearly all
 * described ones have one result, since noise has many results.
 */
export function hasKnownShare(
  reporter: string,
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): boolean {
  if (succeeds(reporter, reportedFacts)) return true;
  const during = failuresOf(reporter, reportedFacts).filter(
    (row) => row.lastDay >= failureGroup.firstDay && row.firstDay <= failureGroup.lastDay,
  );
  const sumOf = (rows: readonly FailureFact[]): number =>
    rows.reduce((count, row) => plus(count, Math.max(1, row.failed)), 0);
  const named = during.filter(({ result }) => result !== NOT_DESCRIBED);
  const atAnyHost = { ...failureGroup, mx: '' };
  const same = named.filter((row) => isSameFault(atAnyHost, row, reportedFacts.domain));
  const largest = Math.max(0, ...[...groupBy(same, (row) => row.result).values()].map(sumOf));
  return named.length > 0 && largest >= PURE_SHARE * sumOf(named);
}

/**
 * Returns whether noise explains the failures of each reporter of the group. A failure
 * detail without a count proves one failed session a day.
 */
export function isBackground(failureGroup: FailureGroup, applied: SessionsByReporter): boolean {
  if (kindOf(failureGroup.result) === 'policy-file') return false;
  return failureGroup.encounters.every(({ reporter, failed, days }) =>
    isNoise(Math.max(failed, days), totalOf(applied.get(reporter))),
  );
}

/**
 * Returns a group of failures of kind `any`, reduced to the period from the first to the
 * last day on which noise does not explain the failures of a reporter. Noise on other
 * days has the same result type, and would lower the failure rate of a short fault.
 */
export function withoutNoise(failureGroup: FailureGroup, facts: ReportedFacts): FailureGroup {
  if (kindOf(failureGroup.result) !== 'any' || failureGroup.lostConnections) return failureGroup;
  const { firstDay, lastDay, reporters } = failureGroup;
  // If the reporters report most of their failures under another result type, they would
  // also report a fault of these days under that type.
  const named = facts.failures
    .filter((row) => reporters.includes(row.reporter) && row.result !== failureGroup.result)
    .filter((row) => row.lastDay >= firstDay && row.firstDay <= lastDay)
    .filter((row) => isSamePolicy(failureGroup, row, facts.domain))
    .reduce((count, row) => plus(count, row.failed), 0);
  if (named >= failureGroup.sessions) return failureGroup;
  const applied = sessionsBetween(firstDay, lastDay, failureGroup, facts);
  const rows = reporters.flatMap((reporter) => applied.get(reporter) ?? []);
  const days = rows.filter((row) => !isNoise(row.failed, totalOf([row]))).map(({ day }) => day);
  const [first, last] = [Math.min(...days), Math.max(...days)];
  if (days.length === 0 || (first === firstDay && last === lastDay)) return failureGroup;
  const failedBetween = (reporter: string): number =>
    (applied.get(reporter) ?? [])
      .filter(({ day }) => day >= first && day <= last)
      .reduce((count, row) => plus(count, row.failed), 0);
  const encounters = failureGroup.encounters
    .map((one) => ({ ...one, failed: Math.min(one.failed, failedBetween(one.reporter)) }))
    .filter(({ failed }) => failed > 0)
    .map((one) => ({
      ...one,
      firstDay: Math.max(one.firstDay, first),
      lastDay: Math.min(one.lastDay, last),
      days: Math.min(one.days, last - first + 1),
    }));
  if (encounters.length === 0) return failureGroup;
  return {
    ...failureGroup,
    encounters,
    reporters: encounters.map(({ reporter }) => reporter),
    firstDay: first,
    lastDay: last,
    sessions: encounters.reduce((count, { failed }) => plus(count, failed), 0),
  };
}

/**
 * Returns the days on which the sessions of an affected reporter failed about as often as
 * on its worst day. Other reporters are compared on these days only: their sessions on
 * days without the fault are not evidence.
 */
export function failingDays(
  affected: readonly string[],
  applied: SessionsByReporter,
): ReadonlySet<number> {
  const days = new Set<number>();
  for (const reporter of affected) {
    const sessionRows = applied.get(reporter) ?? [];
    const worst = Math.max(
      0,
      ...sessionRows.map((sessionRow) => rateOf(sessionRow.failed, [sessionRow])),
    );
    for (const sessionRow of sessionRows)
      if (
        sessionRow.failed > 0 &&
        rateOf(sessionRow.failed, [sessionRow]) >= COMPARABLE_SHARE * worst
      )
        days.add(sessionRow.day);
  }
  return days;
}

/** Returns the number of failed sessions of some reporters on some days. */
export function failedOn(
  days: ReadonlySet<number>,
  reporters: readonly string[],
  applied: SessionsByReporter,
): number {
  const sessionRows = reporters.flatMap((reporter) => applied.get(reporter) ?? []);
  return sessionRows.reduce(
    (count, sessionRow) => (days.has(sessionRow.day) ? plus(count, sessionRow.failed) : count),
    0,
  );
}

/**
 * Returns the number of independent sources among the affected reporters that pass the
 * tests above.
 */
export function countSources(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
  affected: readonly string[],
): number {
  const confirming = confirmingReporters(failureGroup, reportedFacts, affected);
  // Other reporters may confirm a fault of their own on days on which a reporter of the
  // group has only noise.
  const own = confirming.filter((reporter) => failureGroup.reporters.includes(reporter));
  if (own.every((reporter) => isNamedOtherwise(reporter, failureGroup, reportedFacts))) return 1;
  return Math.min(confirming.length, networksOf(affected, failureGroup, reportedFacts));
}

/**
 * Returns whether a reporter reports most of its failures at this host under another
 * type. If so, the group is noise in addition to another fault. Some reporters choose
 * between two result types at random, so a simple majority is not conclusive.
 */
function isNamedOtherwise(
  reporter: string,
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): boolean {
  if (failureGroup.result === NOT_DESCRIBED) return false;
  const { mx, result, firstDay, lastDay } = failureGroup;
  const described = failuresOf(reporter, reportedFacts).filter(
    (row) =>
      row.result !== NOT_DESCRIBED &&
      row.lastDay >= firstDay &&
      row.firstDay <= lastDay &&
      (row.mx === '' || mx === '' || row.mx === mx) &&
      isSamePolicy(failureGroup, row, reportedFacts.domain),
  );
  const failedAs = (isGroup: boolean): number =>
    described
      .filter((row) => (row.result === result) === isGroup)
      .reduce((count, row) => plus(count, row.failed), 0);
  return failedAs(false) > MAIN_SHARE * failedAs(true);
}

/**
 * Returns the reporters that confirm each other. The sessions of each must fail more
 * often than noise explains, and about as often as those of the most affected reporter,
 * over all days on which another reporter observed the fault: noise may coincide with the
 * fault of one day, but not with a lasting fault.
 */
function confirmingReporters(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
  affected: readonly string[],
): readonly string[] {
  const failureRows = affected.flatMap((reporter) =>
    failuresOf(reporter, reportedFacts).filter((failureRow) =>
      isSameFault(failureGroup, failureRow, reportedFacts.domain),
    ),
  );
  const first = failureRows.reduce(
    (dayNumber, failureRow) => Math.min(dayNumber, failureRow.firstDay),
    failureGroup.firstDay,
  );
  const last = failureRows.reduce(
    (dayNumber, failureRow) => Math.max(dayNumber, failureRow.lastDay),
    failureGroup.lastDay,
  );
  const during = sessionsBetween(first, last, failureGroup, reportedFacts);
  const failed = failedBy(failureGroup, reportedFacts, during);
  const isFetch = kindOf(failureGroup.result) === 'policy-file';
  const fetching = new Set(
    failureRows
      .filter((failureRow) => isFetch && kindOf(failureRow.result) === 'policy-file')
      .map((row) => row.reporter),
  );
  // The days follow from the failures of the other reporters: days with failures of the
  // tested reporter itself would prove nothing.
  const met = affected.map((reporter) => {
    const days = failingDays(without(affected, reporter), during);
    const own = (during.get(reporter) ?? []).filter((sessionRow) => days.has(sessionRow.day));
    const most = own.reduce((count, sessionRow) => plus(count, sessionRow.failed), 0);
    return { reporter, failed: Math.min(most, failed.get(reporter) ?? 0), own };
  });
  const worst = Math.max(0, ...met.map((one) => rateOf(one.failed, one.own)));
  const vague = new Set(
    failureRows.filter((row) => kindOf(row.result) === 'any').map((row) => row.reporter),
  );
  const shareFor = (reporter: string): number =>
    vague.has(reporter) || kindOf(failureGroup.result) === 'any' ? NOISE_SHARE : NAMED_NOISE_SHARE;
  const candidates = met
    .filter((one) => {
      // A failed policy fetch has no failure rate: sessions continue under a cached
      // policy (RFC 8461 §3.2).
      if (fetching.has(one.reporter)) return true;
      if (isNoise(one.failed, totalOf(one.own), shareFor(one.reporter))) return false;
      if (!hasKnownShare(one.reporter, failureGroup, reportedFacts)) return false;
      return rateOf(one.failed, one.own) >= Math.max(MIN_RATE, COMPARABLE_SHARE * worst);
    })
    .map((one) => one.reporter);
  // Cached policies expire on different days, so two reporters with failed fetches have
  // few days in common.
  const shareOf = (one: string, other: string): number => {
    if (fetching.has(one) && fetching.has(other)) return 0;
    const isKnown = [one, other].every((reporter) => succeeds(reporter, reportedFacts));
    return isKnown ? COMMON_DAYS : COMMON_DAYS_OF_FAILURES;
  };
  const agreeing = candidates.filter((one) =>
    candidates.some(
      (other) => other !== one && agreesOnDays(one, other, during, shareOf(one, other)),
    ),
  );
  return agreeing.length > 0 ? agreeing : candidates.slice(0, 1);
}

function without(reporters: readonly string[], one: string): readonly string[] {
  return reporters.filter((reporter) => reporter !== one);
}

/**
 * Returns whether two reporters observed failures on the same days. Of the days on which
 * both had sessions and at least one observed failures, both must have observed failures
 * on more than `share`.
 */
function agreesOnDays(
  one: string,
  other: string,
  during: SessionsByReporter,
  share: number,
): boolean {
  const [mine, theirs] = [failingDays([one], during), failingDays([other], during)];
  const seen = new Set((during.get(other) ?? []).map((sessionRow) => sessionRow.day));
  const joint = new Set(
    (during.get(one) ?? []).map((sessionRow) => sessionRow.day).filter((d) => seen.has(d)),
  );
  const either = [...joint].filter(
    (dayNumber) => mine.has(dayNumber) || theirs.has(dayNumber),
  ).length;
  const both = [...joint].filter(
    (dayNumber) => mine.has(dayNumber) && theirs.has(dayNumber),
  ).length;
  return both > 0 && both > share * either;
}

/**
 * Returns the number of networks of the reporters. Reporters in one network share a path,
 * so they count as one source.
 */
function networksOf(
  reporters: readonly string[],
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): number {
  const known = new Set(
    reportedFacts.senders
      .filter((row) => row.result === failureGroup.result)
      .map((row) => row.reporter),
  );
  const all = reporters.every((reporter) => known.has(reporter));
  return all && failureGroup.networks.length > 0 ? failureGroup.networks.length : reporters.length;
}
