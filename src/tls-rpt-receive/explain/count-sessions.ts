import { plus, type SessionRow } from './facts.js';

/** Sessions counted once each, under however many policies they were reported. */
export interface SessionCount {
  readonly ok: number;
  readonly failed: number;
}

/** Sessions of one day, counted once each. */
export interface DayCount extends SessionCount {
  readonly day: number;
}

/**
 * Counts each session once. A reporter reports a session under every policy that it
 * applied (RFC 8460 §4), and does not say which sessions it reports twice. So the counts
 * of `sts` and `tlsa` of one reporter and day are taken as the same sessions, and the
 * larger number counts. A session under `no-policy-found` was under no other policy, and
 * is added [8460-4-2].
 */
export function countSessions(rows: readonly SessionRow[]): SessionCount {
  return sumUp(reporterDays(rows).map(countOne));
}

/** Counts the sessions of each day once each, in the order of days. */
export function countByDay(rows: readonly SessionRow[]): readonly DayCount[] {
  const days = groupBy(rows, (row) => String(row.day));
  return [...days.values()]
    .map((same) => ({ day: same[0]?.day ?? 0, ...countSessions(same) }))
    .sort((a, b) => a.day - b.day);
}

/** Sessions, counted once each, that a policy covered. */
export interface Coverage {
  readonly sessions: number;
  /** Sessions under an MTA-STS policy that the reporter held, or under DANE. */
  readonly covered: number;
}

/**
 * Counts sessions under MTA-STS or DANE. `unfetched` is the number of sessions of a
 * reporter whose policy could not be fetched: MTA-STS did not cover these.
 */
export function countCoverage(
  rows: readonly SessionRow[],
  unfetched: ReadonlyMap<string, number>,
): Coverage {
  let [sessions, covered] = [0, 0];
  for (const [reporter, own] of groupBy(rows, (row) => row.reporter)) {
    const days = reporterDays(own).map(countsByType);
    const total = (of: (day: ReadonlyMap<string, SessionCount>) => number): number =>
      days.reduce((n, day) => plus(n, of(day)), 0);
    const under = total((day) =>
      sizeOf(largest([...day].filter(([type]) => PROTECTING.has(type)))),
    );
    const dane = total((day) => sizeOf(day.get('tlsa')));
    sessions = plus(
      sessions,
      total((day) => sizeOf(combine(day))),
    );
    covered = plus(covered, Math.max(dane, under - (unfetched.get(reporter) ?? 0)));
  }
  return { sessions, covered: Math.min(covered, sessions) };
}

/** The type of sessions for which the sender found no policy. */
const NO_POLICY = 'no-policy-found';
/** A kind of policy that is not known here protects nothing that is known here. */
const PROTECTING: ReadonlySet<string> = new Set(['sts', 'tlsa']);

/** The rows of each reporter on each day: the unit of one report. */
function reporterDays(rows: readonly SessionRow[]): readonly (readonly SessionRow[])[] {
  return [...groupBy(rows, (row) => `${row.day} ${row.reporter}`).values()];
}

/** The sessions of one reporter on one day. */
function countOne(rows: readonly SessionRow[]): SessionCount {
  return combine(countsByType(rows));
}

/** MX hosts are policy domains of their own under DANE: their sessions are added up. */
function countsByType(rows: readonly SessionRow[]): ReadonlyMap<string, SessionCount> {
  return new Map([...groupBy(rows, (row) => row.type)].map(([type, same]) => [type, sumUp(same)]));
}

/**
 * Sessions with and without a policy. Those under several kinds of policy overlap; those
 * without one cannot overlap with them.
 */
function combine(types: ReadonlyMap<string, SessionCount>): SessionCount {
  const without = types.get(NO_POLICY) ?? none;
  const under = largest([...types].filter(([type]) => type !== NO_POLICY));
  return sumUp([without, under]);
}

/** Of counts that overlap: the most sessions, and the most failures among them. */
function largest(types: readonly (readonly [string, SessionCount])[]): SessionCount {
  const counts = types.map(([, count]) => count);
  const sessions = Math.max(0, ...counts.map(sizeOf));
  const failed = Math.max(0, ...counts.map((count) => count.failed));
  return { ok: sessions - failed, failed };
}

/** No sessions. */
const none: SessionCount = { ok: 0, failed: 0 };

/** All sessions of a count; sums saturate instead of losing exactness. */
function sizeOf({ ok, failed }: SessionCount = none): number {
  return plus(ok, failed);
}

/** Adds counts of sessions that do not overlap. */
function sumUp(counts: readonly SessionCount[]): SessionCount {
  return counts.reduce(
    (a, b) => ({ ok: plus(a.ok, b.ok), failed: plus(a.failed, b.failed) }),
    none,
  );
}

/** The items by key, in the order of their first appearance. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
