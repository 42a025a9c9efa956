import { groupBy } from '../../base/index.js';
import { dateOf, dayOf, type ReportedFacts, type SessionRow } from './facts.js';
import type { Explanation } from './explain-group.js';
import { modeOf } from './quoted.js';

/** Whether the domain can change to `mode: enforce` safely. */
export interface EnforceAnswer {
  readonly answer: 'yes' | 'not-yet' | 'already' | 'no-policy' | 'unclear';
  readonly reasons: readonly string[];
}

/** Days with reports and without a failure that the domain caused. */
const WANTED_DAYS = 14;
/** Days to search for them: a small domain has no reports on some days. */
export const TRIAL_DAYS = 28;

/**
 * Judges by authenticated reports on the MTA-STS policy alone. It needs a fortnight of
 * days with reports, from more than one reporter, and without a failure that the policy
 * would have turned into deferred mail. Today is incomplete, so a missing report of today
 * does not count.
 */
export function canEnforce(
  reportedFacts: ReportedFacts,
  failures: readonly Explanation[],
): EnforceAnswer {
  if (currentMode(reportedFacts) === 'enforce')
    return { answer: 'already', reasons: ['The policy that senders apply is in mode enforce.'] };
  const sessionRows = reportedFacts.trial.filter((row) => row.ok + row.failed > 0);
  if (sessionRows.length === 0)
    return reportedFacts.reports.length === 0
      ? { answer: 'unclear', reasons: ['There are no reports.'] }
      : {
          answer: 'no-policy',
          reasons: ['No sender reports an MTA-STS policy: publish one in mode testing first.'],
        };
  const today = dayOf(reportedFacts.now);
  const days = [
    ...groupBy(
      sessionRows.filter((row) => row.day < today),
      (row) => String(row.day),
    ).values(),
  ]
    .sort((left, right) => (right[0]?.day ?? 0) - (left[0]?.day ?? 0))
    .slice(0, WANTED_DAYS);
  // A failure of today still counts.
  const judged = [...sessionRows.filter((row) => row.day >= today), ...days.flat()];
  const reporters = new Set(days.flat().map((row) => row.reporter));
  const reasons = [
    ...failureReasons(judged, failures),
    ...(days.length < WANTED_DAYS
      ? [`Only ${days.length} of ${WANTED_DAYS} days have reports on the policy.`]
      : []),
    ...(reporters.size < 2 ? ['Only one reporter applies the policy.'] : []),
  ];
  if (reasons.length > 0) return { answer: 'not-yet', reasons };
  const last = dateOf(Math.max(...days.flat().map((row) => row.day)));
  return {
    answer: 'yes',
    reasons: [
      `${days.length} days without a failure of your own, from ${reporters.size} reporters, last on ${last}.`,
    ],
  };
}

/**
 * One reason for each failure that is not the reporter's own, and one for failures
 * unexplained.
 */
function failureReasons(
  sessionRows: readonly SessionRow[],
  failures: readonly Explanation[],
): readonly string[] {
  const failedDays = [
    ...new Set(sessionRows.filter((row) => row.failed > 0).map((row) => dateOf(row.day))),
  ];
  const first = sessionRows.reduce((dayNumber, row) => Math.min(dayNumber, row.day), Infinity);
  const sts = failures.filter(
    (explanation) => explanation.policy === 'sts' && explanation.last >= dateOf(first),
  );
  const explained = (day: string): boolean =>
    sts.some((explanation) => explanation.since <= day && day <= explanation.last);
  const unexplained = failedDays.filter((day) => !explained(day)).sort();
  return [
    ...sts
      .filter((explanation) => explanation.whose !== 'theirs')
      .map(
        (explanation) =>
          `${explanation.result}${explanation.host === '' ? '' : ` at ${explanation.host}`}: last on ${explanation.last}.`,
      ),
    ...(unexplained.length > 0 ? [`Sessions failed on ${unexplained.at(-1) ?? ''}.`] : []),
  ];
}

/**
 * The mode of the published policy by the latest check, otherwise that of the policy
 * quoted last.
 */
function currentMode({ checks, policies, domain }: ReportedFacts): string | undefined {
  const checked = checks.at(-1)?.mtaSts.mode;
  if (checked !== undefined) return checked;
  const last = policies
    .filter((policy) => policy.type === 'sts' && policy.domain === domain)
    .at(-1);
  return last ? modeOf(last) : undefined;
}
