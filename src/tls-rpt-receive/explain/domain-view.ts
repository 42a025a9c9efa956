import { groupBy } from '../../base/index.js';
import { arrivals, isSilent, perhapsLoops, type Arrival } from './arrivals.js';
import { canEnforce, type EnforceAnswer } from './can-enforce.js';
import { kindOf, mayBeFetch } from './check-evidence.js';
import { countCoverage, totalSessions } from './count-sessions.js';
import { explainGroup, explainNote, type Explanation } from './explain-group.js';
import { dateOf, plus, type ReportedFacts, type SessionRow } from './facts.js';
import { groupFailures } from './group-failures.js';
import { quotedRecords, seenPolicies, type QuotedRecord, type SeenPolicy } from './quoted.js';
import type { Steps } from './steps.js';
import { timeline, type TimelineDay } from './timeline.js';
import { unauthenticatedDays, type UnauthenticatedDay } from './unauthenticated.js';

/**
 * The number of sessions under one policy type. A session under two policies counts for
 * both types [8460-4-2].
 */
export interface KindSums {
  readonly type: string;
  readonly successful: number;
  readonly failed: number;
}

/** The number of sessions. A session counts once, even if two policies applied to it. */
export interface CountedSessions {
  readonly successful: number;
  readonly failed: number;
}

/** The sessions of one reporter in the examined period, in total and by policy type. */
export interface ReporterSums {
  readonly reporter: string;
  readonly reports: number;
  readonly kinds: readonly KindSums[];
  readonly sessions: CountedSessions;
}

/**
 * `hermetic.report-view/1`: the content of the reports about a domain. Dates are UTC
 * days.
 */
export interface DomainView {
  readonly schema: 'hermetic.report-view/1';
  readonly domain: string;
  readonly from: string;
  readonly to: string;
  readonly generatedAt: string;
  /**
   * The state according to authenticated reports only. `failing`: a failure has not
   * ended. `no-reports`: no authenticated report is about these days.
   */
  readonly status: 'well' | 'failing' | 'ended' | 'no-reports';
  /** Authenticated reports. */
  readonly reports: number;
  readonly kinds: readonly KindSums[];
  readonly sessions: CountedSessions;
  /** The number of all sessions, and of the sessions under MTA-STS or DANE. */
  readonly coverage: { readonly sessions: number; readonly covered: number };
  /**
   * The ongoing and ended failures, the latest first, each with its cause, its effect on
   * mail, and the steps to take.
   */
  readonly failures: readonly Explanation[];
  readonly timeline: readonly TimelineDay[];
  readonly seenPolicies: readonly SeenPolicy[];
  readonly enforce: EnforceAnswer;
  readonly quotedRecords: readonly QuotedRecord[];
  readonly arrivals: readonly Arrival[];
  readonly silent: boolean;
  /** Reporters whose only session each day may be the delivery of their own report. */
  readonly perhapsLoops: readonly string[];
  readonly reporters: readonly ReporterSums[];
  /** Reports without authentication, by source and day. No decision depends on them. */
  readonly unauthenticated: readonly UnauthenticatedDay[];
  /** Reports that are excluded from the sums, with the reason. */
  readonly doubtful: readonly {
    readonly trust: string;
    /** A code of `TrustReason`; empty if no code was stored. */
    readonly reason: string;
    readonly reporter: string;
    readonly detail: string;
    readonly reports: number;
    readonly last?: string;
  }[];
  /**
   * Number of reports of these days that name no domain; counted only if no report names
   * this domain.
   */
  readonly unnamed: number;
  /**
   * Number of reports that are authenticated only because the operator trusts a mailbox.
   */
  readonly trustedMailbox: number;
  readonly repeated: number;
  readonly reusedIds: number;
  /** Departures of reporters from RFC 8460. */
  readonly repairs: readonly {
    readonly reporter: string;
    readonly code: string;
    readonly reports: number;
    readonly says: string;
  }[];
}

/**
 * Returns the view of one domain that follows from the facts, in steps of one failure.
 * Pure.
 */
export function* viewDomain(
  reportedFacts: ReportedFacts,
  silenceHours?: number,
): Steps<DomainView> {
  const failures: Explanation[] = [];
  for (const failureGroup of groupFailures(reportedFacts)) {
    yield;
    failures.push(yield* explainGroup(failureGroup, reportedFacts));
  }
  yield;
  const byDay = timeline(reportedFacts);
  yield;
  const seen = seenPolicies(reportedFacts);
  const records = quotedRecords(reportedFacts);
  yield;
  const enforce = canEnforce(reportedFacts, failures);
  yield;
  return {
    schema: 'hermetic.report-view/1',
    domain: reportedFacts.domain,
    from: dateOf(reportedFacts.from),
    to: dateOf(reportedFacts.to),
    generatedAt: new Date(reportedFacts.now).toISOString(),
    status: statusOf(reportedFacts, failures),
    reports: reportedFacts.reports.reduce((count, row) => plus(count, row.reports), 0),
    kinds: kindsOf(reportedFacts.sessions),
    sessions: sumsOf(reportedFacts.sessions),
    coverage: countCoverage(reportedFacts.sessions, uncoveredBy(reportedFacts)),
    failures,
    timeline: byDay,
    seenPolicies: seen,
    enforce,
    quotedRecords: records,
    arrivals: arrivals(reportedFacts.reports, reportedFacts.now, silenceHours),
    silent: isSilent(reportedFacts.reports, reportedFacts.now, silenceHours),
    perhapsLoops: perhapsLoops(reportedFacts.sessions),
    reporters: reportersOf(reportedFacts),
    unauthenticated: unauthenticatedDays(reportedFacts),
    doubtful: reportedFacts.doubtful.map(({ lastDay, ...row }) => ({
      ...row,
      last: lastDay === null ? undefined : dateOf(lastDay),
    })),
    unnamed: reportedFacts.unnamed,
    trustedMailbox: reportedFacts.trustedMailbox,
    repeated: reportedFacts.copies,
    reusedIds: reportedFacts.reusedIds,
    repairs: reportedFacts.notes.map((note) => ({ ...note, says: explainNote(note.code) })),
  };
}

function statusOf(
  reportedFacts: ReportedFacts,
  failures: readonly Explanation[],
): DomainView['status'] {
  if (reportedFacts.reports.length === 0) return 'no-reports';
  if (failures.some((explanation) => explanation.ongoing)) return 'failing';
  return failures.length > 0 ? 'ended' : 'well';
}

/**
 * Returns the number of sessions of type `sts`, by reporter, that may be unprotected: the
 * policy is in mode none, or the reporter quotes no policy and the failure is, or may be,
 * a failed policy fetch.
 */
function uncoveredBy({ failures, sessions }: ReportedFacts): ReadonlyMap<string, number> {
  const lost = new Map<string, number>();
  for (const { reporter, modeNone = 0 } of sessions)
    lost.set(reporter, plus(lost.get(reporter) ?? 0, modeNone));
  for (const failure of failures) {
    const { reporter, type, mode, result, failed } = failure;
    const isFetch = kindOf(result) === 'policy-file' || mayBeFetch(failure);
    if (type === 'sts' && mode === '' && isFetch)
      lost.set(reporter, plus(lost.get(reporter) ?? 0, failed));
  }
  return lost;
}

function kindsOf(sessionRows: readonly SessionRow[]): readonly KindSums[] {
  return [...groupBy(sessionRows, (sessionRow) => sessionRow.type)]
    .map(([type, same]) => ({
      type,
      successful: same.reduce((count, row) => plus(count, row.ok), 0),
      failed: same.reduce((count, row) => plus(count, row.failed), 0),
    }))
    .sort((left, right) => right.successful + right.failed - left.successful - left.failed);
}

function sumsOf(sessionRows: readonly SessionRow[]): CountedSessions {
  const { ok, failed } = totalSessions(sessionRows);
  return { successful: ok, failed };
}

function reportersOf({ sessions, reports }: ReportedFacts): readonly ReporterSums[] {
  const rows = groupBy(sessions, (sessionRow) => sessionRow.reporter);
  return [...groupBy(reports, (reportRow) => reportRow.reporter)]
    .map(([reporter, own]) => ({
      reporter,
      reports: own.reduce((count, row) => plus(count, row.reports), 0),
      kinds: kindsOf(rows.get(reporter) ?? []),
      sessions: sumsOf(rows.get(reporter) ?? []),
    }))
    .sort((left, right) => sizeOf(right.sessions) - sizeOf(left.sessions));
}

function sizeOf({ successful, failed }: CountedSessions): number {
  return successful + failed;
}
