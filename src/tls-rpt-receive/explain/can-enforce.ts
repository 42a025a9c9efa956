import { groupBy } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { isSilent } from './arrivals.js';
import { kindOf } from './check-evidence.js';
import type { Explanation } from './explain-group.js';
import { dateOf, dayOf, dayOfCheck, plus, type ReportedFacts, type TrialRow } from './facts.js';
import { modeOf } from './quoted.js';
import { isConnectionTrouble } from './reason-texts-registry.js';

/** The answer to the question whether the domain can safely change to `mode: enforce`. */
export interface EnforceAnswer {
  readonly answer: 'yes' | 'not-yet' | 'already' | 'no-policy' | 'unclear';
  readonly reasons: readonly string[];
}

/**
 * Number of days that must precede `mode: enforce`, with reports and without a failure
 * that the domain caused.
 */
const WANTED_DAYS = 14;
/** Number of past days to search: a small domain has no reports on some days. */
export const TRIAL_DAYS = 28;

/**
 * The share of sessions below which a failure without a reason may be a lost connection.
 */
const LOST_SHARE = 1 / 100;
/**
 * The share of sessions below which a failure is ignored if all its reported reasons are
 * lost connections.
 */
const STATED_LOST_SHARE = 1 / 20;

/**
 * Returns whether authenticated reports show that the domain can enforce its MTA-STS
 * policy. Enforcement is safe after fourteen days with reports from more than one
 * reporter, if an enforced policy would not have deferred mail on any of them. The
 * current day is incomplete, so it is not one of the fourteen days. In mode none senders
 * do not validate (RFC 8461 §5), so days in mode none are not evidence.
 */
export function canEnforce(
  reportedFacts: ReportedFacts,
  failures: readonly Explanation[],
): EnforceAnswer {
  const current = currentMode(reportedFacts);
  if (current?.mode === 'enforce') {
    const reason =
      current.check === undefined
        ? 'The policy that senders apply is in mode enforce.'
        : `The published policy is in mode enforce, according to the check of ${dateOf(dayOfCheck(current.check))}.`;
    return { answer: 'already', reasons: [reason] };
  }
  const sessionRows = reportedFacts.trial.filter(
    ({ ok, failed, modeNone = 0 }) => ok + failed > modeNone,
  );
  if (sessionRows.length === 0) return withoutTrial(reportedFacts);
  const today = dayOf(reportedFacts.now);
  const days = [
    ...groupBy(
      sessionRows.filter((row) => row.day < today),
      (row) => String(row.day),
    ).values(),
  ]
    .sort((left, right) => (right[0]?.day ?? 0) - (left[0]?.day ?? 0))
    .slice(0, WANTED_DAYS);
  // Failures of the current day count, although the day is not one of the fourteen.
  const judged = [...sessionRows.filter((row) => row.day >= today), ...days.flat()];
  const reporters = new Set(days.flat().map((row) => row.reporter));
  const blocking = failures.filter((failure) => !isLost(failure, reportedFacts));
  const reasons = [
    ...failureReasons(judged, { blocking, all: failures }),
    ...(days.length < WANTED_DAYS
      ? [`Only ${days.length} of ${WANTED_DAYS} days have reports on the policy.`]
      : []),
    ...(reporters.size < 2 ? ['Only one reporter applies the policy.'] : []),
  ];
  if (reasons.length > 0) return { answer: 'not-yet', reasons };
  const last = Math.max(...days.flat().map((row) => row.day));
  const reports = reportedFacts.trial.map(({ reporter, day }) => ({ reporter, day, reports: 1 }));
  return {
    answer: 'yes',
    reasons: [
      `${days.length} days under MTA-STS show no failure that you caused, according to ${reporters.size} reporters. The last day is ${dateOf(last)}.`,
      ...(isSilent(reports, reportedFacts.now)
        ? [`No report has arrived since: determine the cause before you rely on this answer.`]
        : []),
    ],
  };
}

/**
 * Returns the answer for a domain without reported sessions under a policy that senders
 * validate.
 */
function withoutTrial({ reports, trial, checks }: ReportedFacts): EnforceAnswer {
  if (reports.length === 0) return { answer: 'unclear', reasons: ['There are no reports.'] };
  if (checks.at(-1)?.mtaSts.mode === 'testing')
    return {
      answer: 'not-yet',
      reasons: ['The policy is published, but no sender has reported sessions under it.'],
    };
  const isNone = trial.some(({ modeNone = 0 }) => modeNone > 0);
  return {
    answer: 'no-policy',
    reasons: [
      isNone
        ? 'The MTA-STS policy is in mode none, under which senders validate nothing: publish it in mode testing first.'
        : 'No sender reports an MTA-STS policy: publish one in mode testing first.',
    ],
  };
}

/**
 * Returns whether a failure is as rare as lost connections are at a large domain. Senders
 * retry lost connections in every mode.
 */
function isLost(
  { result, policy, reporters, reasons, sessions }: Explanation,
  facts: ReportedFacts,
): boolean {
  const kind = kindOf(result);
  if (kind !== 'any' && (kind !== 'starttls' || policy === 'sts')) return false;
  const own = facts.sessions.filter(
    (row) => row.type === policy && reporters.includes(row.reporter),
  );
  const total = own.reduce((count, row) => plus(count, row.ok + row.failed), 0);
  const isStated = reasons.length > 0 && reasons.every(({ text }) => isConnectionTrouble(text));
  return Math.max(1, sessions) <= (isStated ? STATED_LOST_SHARE : LOST_SHARE) * total;
}

/**
 * Returns whether any session of a day failed for another reason than a lost connection.
 */
function hasFaults(rows: readonly TrialRow[]): boolean {
  const sumOf = (of: (row: TrialRow) => number): number =>
    rows.reduce((count, row) => plus(count, of(row)), 0);
  const [failed, lost] = [sumOf((row) => row.failed), sumOf((row) => row.lost)];
  const total = failed + sumOf((row) => row.ok);
  if (sumOf((row) => row.named) > 0) return true;
  return failed - lost > LOST_SHARE * total || lost > STATED_LOST_SHARE * total;
}

interface JudgedFailures {
  /** Failures other than lost connections. */
  readonly blocking: readonly Explanation[];
  readonly all: readonly Explanation[];
}

/**
 * Returns one reason for each failure that the reporter did not cause, and one for all
 * unexplained failures. A missing STARTTLS fails every policy, so a report without a
 * policy also proves it.
 */
function failureReasons(
  sessionRows: readonly TrialRow[],
  { blocking, all }: JudgedFailures,
): readonly string[] {
  const failedDays = [...groupBy(sessionRows, (row) => dateOf(row.day))]
    .filter(([, rows]) => hasFaults(rows))
    .map(([day]) => day);
  const first = sessionRows.reduce((dayNumber, row) => Math.min(dayNumber, row.day), Infinity);
  const explained = (day: string): boolean =>
    all.some(({ policy, since, last }) => policy === 'sts' && since <= day && day <= last);
  const unexplained = failedDays.filter((day) => !explained(day)).sort();
  return [
    ...blocking
      .filter(({ policy, result }) => policy === 'sts' || kindOf(result) === 'starttls')
      .filter(({ whose, last }) => whose !== 'theirs' && last >= dateOf(first))
      .map(
        ({ result, host, last }) =>
          `${result}${host === '' ? '' : ` at ${host}`}: last on ${last}.`,
      ),
    ...(unexplained.length > 0 ? [`Sessions failed on ${unexplained.at(-1) ?? ''}.`] : []),
  ];
}

/** The mode of the published policy, and the check that found it. */
interface CurrentMode {
  readonly mode: string | undefined;
  readonly check?: CheckResult;
}

/** The facts on which the mode of the published policy depends. */
type PolicyFacts = Pick<ReportedFacts, 'checks' | 'policies' | 'domain'>;

/** Returns whether the published policy is in mode enforce. */
export function isEnforced(policyFacts: PolicyFacts): boolean {
  return currentMode(policyFacts)?.mode === 'enforce';
}

/**
 * Returns the mode of the published policy according to the latest check, or the mode of
 * the policy that reporters quoted last. A quoted policy may be an old copy, so quotes
 * replace the check only if the last quotes of all reporters since the check agree and
 * first appeared after it. In addition one reporter must have quoted another policy
 * before, or two reporters must quote the new policy.
 */
function currentMode({ checks, policies, domain }: PolicyFacts): CurrentMode | undefined {
  const quoted = policies.filter((policy) => policy.type === 'sts' && policy.domain === domain);
  const check = checks.findLast(({ mtaSts }) => mtaSts.mode !== undefined);
  const last = quoted.at(-1);
  if (!check) return last && { mode: modeOf(last) };
  const day = dayOfCheck(check);
  const since = [...groupBy(quoted, ({ reporter }) => reporter).values()].filter((own) =>
    own.some(({ lastDay }) => lastDay > day),
  );
  const lasts = since.map((own) =>
    own.reduce((latest, policy) => (policy.lastDay >= latest.lastDay ? policy : latest)),
  );
  const [mode, ...others] = new Set(lasts.map(modeOf));
  const isNewer =
    others.length === 0 &&
    lasts.every(({ firstDay }) => firstDay > day) &&
    (since.length > 1 || since.some((own) => own.length > 1));
  return isNewer ? { mode } : { mode: check.mtaSts.mode, check };
}
