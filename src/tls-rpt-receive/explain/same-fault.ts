import { groupBy } from '../../base/index.js';
import { kindOf } from './check-evidence.js';
import {
  NOT_DESCRIBED,
  plus,
  type FailureFact,
  type ReportedFacts,
  type SessionRow,
} from './facts.js';
import { failuresOf } from './facts-index.js';
import { isSamePolicy, type FailureGroup } from './group-failures.js';

/**
 * The sessions that the cause of a group of failures could have affected, by reporter.
 */

export type SessionsByReporter = ReadonlyMap<string, readonly SessionRow[]>;

type SessionCounts = Pick<SessionRow, 'ok' | 'failed'>;

/**
 * Returns the number of failed sessions by reporter, for the failure of a group and for
 * failures that may have the same cause.
 */
export function failedBy(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
  applied: SessionsByReporter,
): Map<string, number> {
  const failed = new Map<string, number>();
  const apart = toldApart(failureGroup, reportedFacts);
  for (const failureRow of reportedFacts.failures)
    if (isSameFault(failureGroup, failureRow, reportedFacts.domain) && !apart(failureRow))
      failed.set(
        failureRow.reporter,
        plus(failed.get(failureRow.reporter) ?? 0, Math.max(1, failureRow.failed)),
      );
  // A failure row is a sum over many days. On the days of the group, the number of failed
  // sessions cannot exceed the number in the session rows.
  for (const [reporter, count] of failed) {
    const most = (applied.get(reporter) ?? []).reduce(
      (sum, sessionRow) => plus(sum, sessionRow.failed),
      0,
    );
    if (most > 0 || failureGroup.reporters.includes(reporter))
      failed.set(reporter, Math.max(1, Math.min(count, most)));
    else failed.delete(reporter);
  }
  return failed;
}

/**
 * Returns whether a group without a description and a reported missing STARTTLS may be
 * the same failure. A missing STARTTLS fails every policy.
 */
function mayBeStarttls({ result }: FailureGroup, failureRow: FailureFact): boolean {
  return result === NOT_DESCRIBED && kindOf(failureRow.result) === 'starttls';
}

/**
 * Returns the sessions of a range of days that the fault of a group could have affected,
 * by reporter.
 */
export function sessionsBetween(
  first: number,
  last: number,
  failureGroup: FailureGroup,
  { sessions, failures, domain }: ReportedFacts,
): SessionsByReporter {
  const withoutStarttls = new Set(
    failures
      .filter(
        (failureRow) =>
          mayBeStarttls(failureGroup, failureRow) && isSameFault(failureGroup, failureRow, domain),
      )
      .map((failureRow) => failureRow.reporter),
  );
  const during = sessions.filter(
    (sessionRow) =>
      sessionRow.day >= first && sessionRow.day <= last && sessionRow.ok + sessionRow.failed > 0,
  );
  return groupBy(
    during.filter(
      (sessionRow) =>
        withoutStarttls.has(sessionRow.reporter) || isSamePolicy(failureGroup, sessionRow, domain),
    ),
    (sessionRow) => sessionRow.reporter,
  );
}

/**
 * Returns whether a failure may have the same fault as a group. Reporters use different
 * result types for one fault, and some name no host. So failures under the same policy
 * count as the same fault unless their kind, host or days differ.
 */
export function isSameFault(
  failureGroup: FailureGroup,
  failureRow: FailureFact,
  recipient: string,
): boolean {
  if (
    !isSamePolicy(failureGroup, failureRow, recipient) &&
    !mayBeStarttls(failureGroup, failureRow)
  )
    return false;
  if (failureRow.lastDay < failureGroup.firstDay || failureRow.firstDay > failureGroup.lastDay)
    return false;
  if (failureRow.mx !== '' && failureGroup.mx !== '' && failureRow.mx !== failureGroup.mx)
    return false;
  // A lost connection does not confirm a fault of TLS or of a policy.
  if (failureRow.isLost && !failureGroup.lostConnections) return false;
  const [one, other] = [kindOf(failureGroup.result), kindOf(failureRow.result)];
  if (one === other) return true;
  if (failureGroup.lostConnections) return false;
  // A missing STARTTLS has its own result type, which every reporter uses correctly.
  if (one === 'starttls' || other === 'starttls')
    return failureRow.result === NOT_DESCRIBED || failureGroup.result === NOT_DESCRIBED;
  return one === 'any' || other === 'any';
}

/**
 * Returns a function that tests whether the reporters of a group distinguish the failure
 * of the group from a failure that other reporters observed. Failures without a
 * description cannot be distinguished.
 */
function toldApart(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): (failureRow: FailureFact) => boolean {
  if (failureGroup.result === NOT_DESCRIBED) return () => false;
  const results = resultsToldApart(failureGroup, reportedFacts);
  return ({ result, reporter }) =>
    result !== NOT_DESCRIBED && !failureGroup.reporters.includes(reporter) && results.has(result);
}

/**
 * Returns the result types that every reporter of the group reported more often than the
 * result type of the group, on the same days and under the same policy. The reporters
 * distinguish these failures from the failure of the group.
 */
function resultsToldApart(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): ReadonlySet<string> {
  const [first, ...others] = failureGroup.reporters.map(
    (reporter) =>
      new Set(
        failuresOf(reporter, reportedFacts)
          .filter(
            (failureRow) =>
              failureRow.result !== failureGroup.result &&
              failureRow.failed > failureGroup.sessions &&
              isSamePolicy(failureGroup, failureRow, reportedFacts.domain) &&
              failureRow.firstDay <= failureGroup.lastDay &&
              failureRow.lastDay >= failureGroup.firstDay,
          )
          .map((failureRow) => failureRow.result),
      ),
  );
  return new Set([...(first ?? [])].filter((result) => others.every((own) => own.has(result))));
}

/** Returns the share of failed sessions among the sessions of some rows, from 0 to 1. */
export function rateOf(failed: number, rows: readonly SessionCounts[] = []): number {
  return Math.min(1, failed / Math.max(1, totalOf(rows)));
}

/** Returns the number of sessions in some rows. */
export function totalOf(rows: readonly SessionCounts[] = []): number {
  return rows.reduce((count, row) => plus(count, row.ok + row.failed), 0);
}
