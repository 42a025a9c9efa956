import { groupBy } from '../../base/index.js';
import { countByDay } from './count-sessions.js';
import { dateOf, dayOf, type ReportRow, type SessionRow } from './facts.js';

/**
 * The reports of one reporter as they arrive: the latest day, and whether it fell silent.
 */
export interface Arrival {
  readonly reporter: string;
  /** Days with a report in the examined period. */
  readonly days: number;
  readonly last: string;
  /**
   * `silent`: reported nearly every day, and the last report is overdue; `irregular`:
   * some days.
   */
  readonly state: 'fine' | 'silent' | 'irregular';
}

/**
 * The last day whose reports are due. Reporters send within a day of its end, some 22
 * hours late, so a report is missing only `silenceHours` after it (36 by default).
 */
export function lastDueDay(now: number, silenceHours = 36): number {
  return dayOf(now - silenceHours * 3_600_000) - 1;
}

/**
 * The reporters that went silent. A reporter is expected daily when it reported on most
 * of the fourteen days up to its last report.
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
 * Returns true when no report arrived for the last day that is due, and reports arrived
 * for most days before.
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
 * Reporters with exactly one session on each of five days or more: perhaps only the mail
 * that brings their report, which the next report counts, and so on.
 */
export function perhapsLoops(sessionRows: readonly SessionRow[]): readonly string[] {
  return [...groupBy(sessionRows, (sessionRow) => sessionRow.reporter)].flatMap(
    ([reporter, own]) => {
      const days = countByDay(own);
      return days.length >= 5 && days.every((day) => day.ok + day.failed === 1) ? reporter : [];
    },
  );
}
