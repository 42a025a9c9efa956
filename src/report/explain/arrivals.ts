import { dateOf, dayOf, type ReporterDayRow } from './facts.js';

export interface Arrival {
  readonly reporter: string;
  /** Days with a report, of those looked at. */
  readonly days: number;
  readonly last: string;
  /** `fine`; `silent`: reported nearly every day, and the last report that should be there is not; `irregular`: sends only on some days. */
  readonly state: 'fine' | 'silent' | 'irregular';
}

/**
 * The last day whose reports should have come by now: reporters send within a day of its end, some of them 22 hours late, so nothing is missed before
 * `silenceHours` after it (36 by default).
 */
export function lastDueDay(now: number, silenceHours = 36): number {
  return dayOf(now - silenceHours * 3_600_000) - 1;
}

/** Which reporters went silent. A reporter is expected daily when it reported on most of the fourteen days up to its last. */
export function arrivals(
  rows: readonly ReporterDayRow[],
  now: number,
  silenceHours = 36,
): readonly Arrival[] {
  const due = lastDueDay(now, silenceHours);
  const byReporter = new Map<string, Set<number>>();
  for (const { reporter, day } of rows)
    byReporter.set(reporter, (byReporter.get(reporter) ?? new Set()).add(day));
  return [...byReporter].map(([reporter, days]) => {
    const last = Math.max(...days);
    const recent = [...days].filter((day) => day > last - 14).length;
    const span = Math.min(14, last - Math.min(...days) + 1);
    const regular = span >= 5 && recent >= 0.8 * span;
    return {
      reporter,
      days: days.size,
      last: dateOf(last),
      state: last >= due ? 'fine' : regular ? 'silent' : 'irregular',
    } as const;
  });
}

/** True when nobody reported on the last day that is due, though somebody did on most days before. */
export function isSilent(rows: readonly ReporterDayRow[], now: number, silenceHours = 36): boolean {
  const due = lastDueDay(now, silenceHours);
  const days = new Set(rows.map((r) => r.day));
  const last = Math.max(...days);
  const before = Array.from({ length: 7 }, (_, i) => last - i).filter((day) =>
    days.has(day),
  ).length;
  return days.size > 0 && last < due && before >= 5;
}

/** Reporters that had exactly one session on each of five days or more: perhaps nothing but their own report mail, answered by a report, and so on. */
export function perhapsLoops(rows: readonly ReporterDayRow[]): readonly string[] {
  const days = new Map<string, Map<number, number>>();
  for (const { reporter, day, ok, failed } of rows) {
    const sessions = days.get(reporter) ?? new Map<number, number>();
    days.set(reporter, sessions.set(day, (sessions.get(day) ?? 0) + ok + failed));
  }
  return [...days]
    .filter(([, sessions]) => sessions.size >= 5 && [...sessions.values()].every((n) => n === 1))
    .map(([reporter]) => reporter);
}
