import { kindOf } from './check-evidence.js';
import { groupBy } from './count-sessions.js';
import {
  NOT_DESCRIBED,
  plus,
  type FailureRow,
  type ReportedFacts,
  type SessionRow,
} from './facts.js';
import { isSamePolicy, type FailureGroup } from './group-failures.js';
import { isConnectionTrouble } from './reason-texts-registry.js';

/**
 * Which failures of other reporters may be the same fault as a group, and which sessions
 * it could have hit.
 */

export type SessionsByReporter = ReadonlyMap<string, readonly SessionRow[]>;

type SessionCounts = Pick<SessionRow, 'ok' | 'failed'>;

/** Failed sessions by reporter, of this failure and of those that may be the same one. */
export function failedBy(
  group: FailureGroup,
  facts: ReportedFacts,
  applied: SessionsByReporter,
): Map<string, number> {
  const failed = new Map<string, number>();
  const apart = toldApart(group, facts);
  for (const row of facts.failures)
    if (isSameFault(group, row, facts.domain) && !apart(row))
      failed.set(row.reporter, plus(failed.get(row.reporter) ?? 0, Math.max(1, row.failed)));
  // A failure row sums up many days: on those of the group no more sessions failed than
  // these.
  for (const [reporter, n] of failed) {
    const most = (applied.get(reporter) ?? []).reduce((sum, row) => plus(sum, row.failed), 0);
    if (most > 0 || group.reporters.includes(reporter))
      failed.set(reporter, Math.max(1, Math.min(n, most)));
    else failed.delete(reporter);
  }
  return failed;
}

/** A failure without a description may be a missing STARTTLS, which fails any policy. */
function mayBeStarttls({ result }: FailureGroup, row: FailureRow): boolean {
  return result === NOT_DESCRIBED && kindOf(row.result) === 'starttls';
}

/** The sessions of some days that the failure of a group could have hit, by reporter. */
export function sessionsBetween(
  first: number,
  last: number,
  group: FailureGroup,
  { sessions, failures, domain }: ReportedFacts,
): SessionsByReporter {
  const withoutStarttls = new Set(
    failures
      .filter((row) => mayBeStarttls(group, row) && isSameFault(group, row, domain))
      .map((row) => row.reporter),
  );
  const during = sessions.filter(
    (row) => row.day >= first && row.day <= last && row.ok + row.failed > 0,
  );
  return groupBy(
    during.filter((row) => withoutStarttls.has(row.reporter) || isSamePolicy(group, row, domain)),
    (row) => row.reporter,
  );
}

/**
 * Reporters use different result types for one fault, and some name no host. So failures
 * under the same policy count as the same fault unless kind, host or days tell them
 * apart.
 */
export function isSameFault(group: FailureGroup, row: FailureRow, recipient: string): boolean {
  if (!isSamePolicy(group, row, recipient) && !mayBeStarttls(group, row)) return false;
  if (row.lastDay < group.firstDay || row.firstDay > group.lastDay) return false;
  if (row.mx !== '' && group.mx !== '' && row.mx !== group.mx) return false;
  // A lost connection confirms no fault of TLS or of a policy.
  if (isConnectionTrouble(row.reason) && !group.lostConnections) return false;
  const [one, other] = [kindOf(group.result), kindOf(row.result)];
  if (one === other) return true;
  if (group.lostConnections) return false;
  // A missing STARTTLS has a result type of its own, which every reporter knows.
  if (one === 'starttls' || other === 'starttls')
    return row.result === NOT_DESCRIBED || group.result === NOT_DESCRIBED;
  return one === 'any' || other === 'any';
}

/**
 * Whether the reporters of a group tell its failure apart from one that others met. A
 * missing description tells nothing apart.
 */
function toldApart(group: FailureGroup, facts: ReportedFacts): (row: FailureRow) => boolean {
  if (group.result === NOT_DESCRIBED) return () => false;
  const results = resultsToldApart(group, facts);
  return ({ result, reporter }) =>
    result !== NOT_DESCRIBED && !group.reporters.includes(reporter) && results.has(result);
}

/**
 * The result types that every reporter of the group reported more often than the group's
 * own, on the same days under the same policy: these reporters tell the two failures apart.
 */
function resultsToldApart(group: FailureGroup, facts: ReportedFacts): ReadonlySet<string> {
  const [first, ...others] = group.reporters.map(
    (reporter) =>
      new Set(
        facts.failures
          .filter(
            (row) =>
              row.reporter === reporter &&
              row.result !== group.result &&
              row.failed > group.sessions &&
              isSamePolicy(group, row, facts.domain) &&
              row.firstDay <= group.lastDay &&
              row.lastDay >= group.firstDay,
          )
          .map((row) => row.result),
      ),
  );
  return new Set([...(first ?? [])].filter((result) => others.every((own) => own.has(result))));
}

/** The share of these sessions that failed, 0 to 1. */
export function rateOf(failed: number, rows: readonly SessionCounts[] = []): number {
  return Math.min(1, failed / Math.max(1, totalOf(rows)));
}

/** The number of these sessions. */
export function totalOf(rows: readonly SessionCounts[] = []): number {
  return rows.reduce((n, row) => plus(n, row.ok + row.failed), 0);
}
