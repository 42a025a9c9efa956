import { groupBy } from '../../base/index.js';
import { countByDay } from './count-sessions.js';
import { dateOf, dayOf, type ReportRow, type SessionRow } from './facts.js';

/**
 * The days for which one reporter sent reports, the last day, and whether the reports
 * stopped.
 */
export interface Arrival {
  readonly reporter: string;
  /** Number of days with a report in the examined period. */
  readonly days: number;
  readonly last: string;
  /**
   * `fine`: no report is overdue. `silent`: the reporter sent reports nearly every day,
   * and one is overdue. `irregular`: the reporter sends reports on some days only.
   */
  readonly state: 'fine' | 'silent' | 'irregular';
}

/**
 * Returns the last day whose reports must have arrived. Reporters send a report within 24
 * hours after the end of its day, some of them after 22 hours. So a report counts as
 * missing `silenceHours` (default 36) after the end of its day.
 */
export function lastDueDay(now: number, silenceHours = 36): number {
  return dayOf(now - silenceHours * 3_600_000) - 1;
}

/**
 * Returns the arrivals of each reporter. Daily reports are expected from a reporter with
 * reports for most of the fourteen days up to its last report.
 */
export function arrivals(
  reportRows: readonly ReportRow[],
  now: number,
  silenceHours = 36,
): readonly Arrival[] {
  const due = lastDueDay(now, silenceHours);
  const byReporter = new Map<string, Set<number>>();
  for (const { reporter, day } of reportRows)
    byReporter.set(reporter, (byReporter.get(reporter) ?? new Set()).add(day));
  return [...byReporter].map(([reporter, days]) => {
    const last = Math.max(...days);
    const recent = [...days].filter((dayNumber) => dayNumber > last - 14).length;
    const span = Math.min(14, last - Math.min(...days) + 1);
    const regular = span >= 5 && recent >= 0.8 * span;
    return {
      reporter,
      days: days.size,
      last: dateOf(last),
      state: stateOf(last >= due, regular),
    };
  });
}

function stateOf(fine: boolean, regular: boolean): Arrival['state'] {
  if (fine) return 'fine';
  return regular ? 'silent' : 'irregular';
}

/**
 * Returns whether reports are missing: no report arrived for the last due day, although
 * reports arrived for most of the days before.
 */
export function isSilent(
  reportRows: readonly ReportRow[],
  now: number,
  silenceHours = 36,
): boolean {
  const due = lastDueDay(now, silenceHours);
  const days = new Set(reportRows.map((row) => row.day));
  const last = Math.max(...days);
  const before = Array.from({ length: 7 }, (_, index) => last - index).filter((dayNumber) =>
    days.has(dayNumber),
  ).length;
  return days.size > 0 && last < due && before >= 5;
}

/**
 * Returns the reporters with exactly one session on each of five days or more: the
 * session may be only the delivery of their previous report.
 */
export function perhapsLoops(sessionRows: readonly SessionRow[]): readonly string[] {
  return [...groupBy(sessionRows, (sessionRow) => sessionRow.reporter)].flatMap(
    ([reporter, own]) => {
      const days = countByDay(own);
      return days.length >= 5 && days.every((day) => day.ok + day.failed === 1) ? reporter : [];
    },
  );
}
