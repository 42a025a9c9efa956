import { groupBy } from '../../base/index.js';
import { plus, type SessionRow } from './facts.js';

/**
 * The number of successful and failed sessions. Each session counts once, even if it was
 * reported under several policies.
 */
export interface SessionCount {
  readonly ok: number;
  readonly failed: number;
}

/** The number of sessions on one day; each session counts once. */
export interface DayCount extends SessionCount {
  readonly day: number;
}

/**
 * Counts each session once. A reporter reports a session under every policy that it
 * applied (RFC 8460 §4), and does not identify the sessions that it reports twice. So the
 * counts for `sts` and `tlsa` of one reporter and day are treated as the same sessions,
 * and only the larger count is used. A session under `no-policy-found` had no other
 * policy, so its count is added [8460-4-2].
 */
export function totalSessions(sessionRows: readonly SessionRow[]): SessionCount {
  return sumUp(reporterDays(sessionRows).map(countOne));
}

/**
 * Returns the number of sessions on each day, in the order of days. Each session counts
 * once.
 */
export function countByDay(sessionRows: readonly SessionRow[]): readonly DayCount[] {
  const days = groupBy(sessionRows, (sessionRow) => String(sessionRow.day));
  return [...days.values()]
    .map((same) => ({ day: same[0]?.day ?? 0, ...totalSessions(same) }))
    .sort((left, right) => left.day - right.day);
}

/**
 * The number of sessions, and of sessions that a policy covered. Each session counts
 * once.
 */
export interface CoveredSessions {
  readonly sessions: number;
  /** Sessions under a cached MTA-STS policy of the reporter, or under DANE. */
  readonly covered: number;
}

/**
 * Counts the sessions under MTA-STS or DANE. `uncovered`: by reporter, the number of
 * sessions of type `sts` that no policy protected.
 */
export function countCoverage(
  sessionRows: readonly SessionRow[],
  uncovered: ReadonlyMap<string, number>,
): CoveredSessions {
  let [sessions, covered] = [0, 0];
  for (const [reporter, own] of groupBy(sessionRows, (sessionRow) => sessionRow.reporter)) {
    const days = reporterDays(own).map(countsByType);
    const total = (of: (day: ReadonlyMap<string, SessionCount>) => number): number =>
      days.reduce((count, day) => plus(count, of(day)), 0);
    const under = total((day) =>
      sizeOf(largest([...day].filter(([type]) => PROTECTING.has(type)))),
    );
    const dane = total((day) => sizeOf(day.get('tlsa')));
    sessions = plus(
      sessions,
      total((day) => sizeOf(combine(day))),
    );
    covered = plus(covered, Math.max(dane, under - (uncovered.get(reporter) ?? 0)));
  }
  return { sessions, covered: Math.min(covered, sessions) };
}

/** The policy type of sessions for which the sender found no policy. */
const NO_POLICY = 'no-policy-found';
/** The policy types that protect a session. An unknown type counts as no protection. */
const PROTECTING: ReadonlySet<string> = new Set(['sts', 'tlsa']);

/** Returns the rows, grouped by reporter and day: one group for each report. */
function reporterDays(sessionRows: readonly SessionRow[]): readonly (readonly SessionRow[])[] {
  return [
    ...groupBy(sessionRows, (sessionRow) => `${sessionRow.day} ${sessionRow.reporter}`).values(),
  ];
}

/** Returns the number of sessions in the rows of one reporter and day. */
function countOne(sessionRows: readonly SessionRow[]): SessionCount {
  return combine(countsByType(sessionRows));
}

/**
 * Returns the number of sessions by policy type. Under DANE every MX host is a separate
 * policy domain, so the sessions of all hosts are added up.
 */
function countsByType(sessionRows: readonly SessionRow[]): ReadonlyMap<string, SessionCount> {
  return new Map(
    [...groupBy(sessionRows, (sessionRow) => sessionRow.type)].map(([type, same]) => [
      type,
      sumUp(same),
    ]),
  );
}

/**
 * Returns the number of all sessions. The counts of different policy types overlap, so
 * the largest is used. Sessions without a policy are counted in addition.
 */
function combine(types: ReadonlyMap<string, SessionCount>): SessionCount {
  const without = types.get(NO_POLICY) ?? none;
  const under = largest([...types].filter(([type]) => type !== NO_POLICY));
  return sumUp([without, under]);
}

/** Returns the largest number of sessions, and of failures, among counts that overlap. */
function largest(types: readonly (readonly [string, SessionCount])[]): SessionCount {
  const sessionCounts = types.map(([, sessionCount]) => sessionCount);
  const sessions = Math.max(0, ...sessionCounts.map(sizeOf));
  const failed = Math.max(0, ...sessionCounts.map((sessionCount) => sessionCount.failed));
  return { ok: sessions - failed, failed };
}

/** The count without any session. */
const none: SessionCount = { ok: 0, failed: 0 };

/**
 * Returns the number of successful and failed sessions. The sum saturates at the largest
 * exact integer.
 */
function sizeOf({ ok, failed }: SessionCount = none): number {
  return plus(ok, failed);
}

/** Adds counts of sessions that do not overlap. */
function sumUp(sessionCounts: readonly SessionCount[]): SessionCount {
  return sessionCounts.reduce(
    (left, right) => ({ ok: plus(left.ok, right.ok), failed: plus(left.failed, right.failed) }),
    none,
  );
}
