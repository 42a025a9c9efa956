import { dateOf, type ReportedFacts } from './facts.js';

/**
 * The sessions that one unauthenticated source reported for a day. No decision depends on
 * them.
 */
export interface UnauthenticatedDay {
  readonly day: string;
  /** The address of the client; empty if it is unknown. */
  readonly source: string;
  readonly reports: number;
  readonly successful: number;
  readonly failed: number;
}

/**
 * Returns the sums for each source and day, the latest first. Omits the names of
 * reporters, which an unauthenticated client may invent.
 */
export function unauthenticatedDays(reportedFacts: ReportedFacts): readonly UnauthenticatedDay[] {
  return reportedFacts.unauthenticated.map(({ day, source, reports, ok, failed }) => ({
    day: dateOf(day),
    source,
    reports,
    successful: ok,
    failed,
  }));
}
