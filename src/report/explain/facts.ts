import type { CheckResult } from '../../evidence/index.js';

/** Days are counted from 1970. Sums are over reports that count. */
export interface DayRow {
  readonly day: number;
  readonly type: string;
  readonly ok: number;
  readonly failed: number;
  readonly reports: number;
}

export interface ReporterDayRow extends DayRow {
  readonly reporter: string;
}

/** Failures that are the same in everything named here. */
export interface FailureRow {
  readonly domain: string;
  readonly type: string;
  readonly mode: string;
  readonly result: string;
  readonly mx: string;
  readonly ip: string;
  readonly reporter: string;
  readonly reason: string;
  readonly failed: number;
  readonly firstDay: number;
  readonly lastDay: number;
}

/** Which addresses of a reporter met a failure. */
export interface SenderRow {
  readonly result: string;
  readonly mx: string;
  readonly reporter: string;
  readonly ip: string;
}

/** A policy as a reporter quoted it. */
export interface QuotedPolicy {
  readonly domain: string;
  readonly type: string;
  readonly strings: readonly string[];
  readonly reporter: string;
  readonly firstDay: number;
  readonly lastDay: number;
}

/** Reports of one reporter that do not count, or are odd. */
export interface DoubtfulRow {
  readonly trust: string;
  readonly reporter: string;
  readonly detail: string;
  readonly reports: number;
  readonly lastDay: number | null;
}

export interface NoteRow {
  readonly reporter: string;
  readonly code: string;
  readonly reports: number;
}

/** Everything that an explanation rests on. */
export interface DomainFacts {
  readonly domain: string;
  /** First and last day looked at. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly days: readonly DayRow[];
  readonly reporters: readonly ReporterDayRow[];
  readonly failures: readonly FailureRow[];
  readonly senders: readonly SenderRow[];
  readonly policies: readonly QuotedPolicy[];
  readonly doubtful: readonly DoubtfulRow[];
  readonly notes: readonly NoteRow[];
  /** Report ids that one reporter used for reports of different content on one day. */
  readonly reusedIds: number;
  readonly copies: number;
  /** Results of `hermetic check`, the oldest first. */
  readonly checks: readonly CheckResult[];
}

export const dayMs = 86_400_000;

/** A day as a date. */
export function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** The day that holds a time. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** The day of a check. */
export function dayOfCheck({ checkedAt }: CheckResult): number {
  return dayOf(Date.parse(checkedAt));
}
