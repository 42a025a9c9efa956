import { neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';

/**
 * The sessions of one reporter under one policy on one day. A day is the number of days
 * since 1970.
 */
export interface SessionRow {
  readonly reporter: string;
  readonly day: number;
  readonly type: string;
  /**
   * The policy domain: the recipient domain, or with DANE the TLSA base domain of an MX
   * host.
   */
  readonly domain: string;
  readonly ok: number;
  readonly failed: number;
  /** Number of failed sessions that no failure detail describes. */
  readonly undescribed: number;
  /** Number of sessions under a policy in mode none, which senders do not enforce. */
  readonly modeNone?: number;
}

/** Sessions under the domain's MTA-STS policy, with the kinds of their failures. */
export interface TrialRow extends SessionRow {
  /** Number of failed sessions whose result names a fault. */
  readonly named: number;
  /**
   * Number of failed sessions whose result names no fault and whose reason is a lost
   * connection.
   */
  readonly lost: number;
}

/** The number of reports of one reporter about one day. */
export interface ReportRow {
  readonly reporter: string;
  readonly day: number;
  readonly reports: number;
}

/** The result of failures that a summary counts and no failure detail describes. */
export const NOT_DESCRIBED = 'not-described';

/**
 * The sum of all failures with the same domain, policy, result, host, address, reporter
 * and reason.
 */
export interface FailureFact {
  readonly domain: string;
  readonly type: string;
  readonly mode: string;
  /** A result type, or {@link NOT_DESCRIBED}. */
  readonly result: string;
  readonly mx: string;
  readonly ip: string;
  readonly reporter: string;
  readonly reason: string;
  /**
   * True if the reason describes a failed connection, not a failure of TLS or of a
   * policy.
   */
  readonly isLost: boolean;
  readonly failed: number;
  readonly firstDay: number;
  readonly lastDay: number;
  /** Number of days with this failure. */
  readonly days: number;
}

/** One address from which a reporter observed a failure. */
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

/** Reports in the name of one reporter that are excluded from the sums. */
export interface DoubtfulRow {
  readonly trust: string;
  /** A code of `TrustReason`; empty if no code was stored. */
  readonly reason: string;
  readonly reporter: string;
  readonly detail: string;
  readonly reports: number;
  readonly lastDay: number | null;
}

/**
 * The sessions that one unauthenticated source reported for a day. No decision depends on
 * them.
 */
export interface UnauthenticatedRow {
  readonly day: number;
  /** The address of the client; empty if it is unknown. */
  readonly source: string;
  readonly reports: number;
  readonly ok: number;
  readonly failed: number;
}

/** The number of reports of one reporter that depart from RFC 8460 in one way. */
export interface NoteRow {
  readonly reporter: string;
  readonly code: string;
  readonly reports: number;
}

/**
 * The facts from which failures are explained. Only authenticated reports contribute to
 * `sessions`, `reports`, `failures`, `senders`, `policies` and `notes`; unauthenticated
 * reports are in `unauthenticated` and `doubtful`, which no judgement uses.
 */
export interface ReportedFacts {
  readonly domain: string;
  /** The first and last day of the examined period. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly sessions: readonly SessionRow[];
  readonly reports: readonly ReportRow[];
  readonly failures: readonly FailureFact[];
  readonly senders: readonly SenderRow[];
  readonly policies: readonly QuotedPolicy[];
  /**
   * Sessions under the domain's MTA-STS policy, over a longer period that ends at `to`;
   * empty for a policy in mode enforce.
   */
  readonly trial: readonly TrialRow[];
  readonly doubtful: readonly DoubtfulRow[];
  /**
   * Number of reports of these days that name no domain; counted only if no report names
   * this domain.
   */
  readonly unnamed: number;
  readonly unauthenticated: readonly UnauthenticatedRow[];
  readonly notes: readonly NoteRow[];
  /**
   * Number of report ids that a reporter used for different reports about the same day.
   */
  readonly reusedIds: number;
  readonly copies: number;
  /**
   * Number of reports without a valid signature that count as authenticated, because the
   * operator trusts the mailbox.
   */
  readonly trustedMailbox: number;
  /** Results of `hermetic check`, oldest first. */
  readonly checks: readonly CheckResult[];
}

/** A UTC day in milliseconds. A report covers one such day (RFC 8460 §4.1). */
export const dayMs = 86_400_000;

/** Returns the date of a day number, as `2027-01-05`. */
export function dateOf(dayNumber: number): string {
  return new Date(dayNumber * dayMs).toISOString().slice(0, 10);
}

/** Returns the number of the day that contains a time. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** Returns the number of the day of a check. */
export function dayOfCheck({ checkedAt }: CheckResult): number {
  return dayOf(Date.parse(checkedAt));
}

/** Adds two counts. The sum saturates at the largest exact integer. */
export function plus(left: number, right: number): number {
  return Math.min(left + right, Number.MAX_SAFE_INTEGER);
}

/** Returns the distinct non-empty values, at most the first fifty. */
export function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].filter((value) => value !== '').slice(0, 50);
}

/**
 * Neutralises a name of a host, reporter or type. Such names contain no spaces. At a
 * space, line wrapping could put a reporter's words at the start of a line [8460-7-4].
 */
export function neutraliseName(name: string): string {
  return neutralise(name).replaceAll(' ', '\\x20');
}
