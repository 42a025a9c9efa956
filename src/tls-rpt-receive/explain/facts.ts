import { neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';

/** Sessions of one reporter under one policy on one day. Days count from 1970. */
export interface SessionRow {
  readonly reporter: string;
  readonly day: number;
  readonly type: string;
  /**
   * Policy domain: the recipient domain, or with DANE the TLSA base domain of an MX host.
   */
  readonly domain: string;
  readonly ok: number;
  readonly failed: number;
  /** Failed sessions that no failure detail describes. */
  readonly undescribed: number;
  /** Sessions under a policy in mode none, which requires nothing of senders. */
  readonly modeNone?: number;
}

/** Sessions under the domain's MTA-STS policy, with the kinds of their failures. */
export interface TrialRow extends SessionRow {
  /** Failed sessions with a result that names a fault. */
  readonly named: number;
  /** Failed sessions without one, whose reason is a lost connection. */
  readonly lost: number;
}

/** Reports of one reporter about one day. */
export interface ReportRow {
  readonly reporter: string;
  readonly day: number;
  readonly reports: number;
}

/** The result of failures that are counted in a summary and described by no detail. */
export const NOT_DESCRIBED = 'not-described';

/** Failures that are equal in all of these fields. */
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

/** One address of a reporter that observed a failure. */
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

/** Uncounted reports in the name of one reporter. */
export interface DoubtfulRow {
  readonly trust: string;
  /** A code of `TrustReason`; empty if none was stored. */
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
  /** Address of the client; empty if it is unknown. */
  readonly source: string;
  readonly reports: number;
  readonly ok: number;
  readonly failed: number;
}

/** The number of reports of one reporter with a departure from RFC 8460. */
export interface NoteRow {
  readonly reporter: string;
  readonly code: string;
  readonly reports: number;
}

/**
 * The facts of an explanation. Only authenticated reports enter `sessions`, `reports`,
 * `failures`, `senders`, `policies` and `notes`; unauthenticated reports are in
 * `unauthenticated` and `doubtful`, which no judgement uses.
 */
export interface ReportedFacts {
  readonly domain: string;
  /** First and last day of the examined period. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly sessions: readonly SessionRow[];
  readonly reports: readonly ReportRow[];
  readonly failures: readonly FailureFact[];
  readonly senders: readonly SenderRow[];
  readonly policies: readonly QuotedPolicy[];
  /** Sessions under the domain's MTA-STS policy, over a longer span that ends at `to`. */
  readonly trial: readonly TrialRow[];
  readonly doubtful: readonly DoubtfulRow[];
  /** Reports of these days that name no domain, if no report is about this one. */
  readonly unnamed: number;
  readonly unauthenticated: readonly UnauthenticatedRow[];
  readonly notes: readonly NoteRow[];
  /** Report ids that one reporter used for reports of different content on one day. */
  readonly reusedIds: number;
  readonly copies: number;
  /**
   * Authenticated reports without a valid signature, from a mailbox that the operator
   * trusts.
   */
  readonly trustedMailbox: number;
  /** Results of `hermetic check`, oldest first. */
  readonly checks: readonly CheckResult[];
}

/** A UTC day in milliseconds. A report covers one such day (RFC 8460 §4.1). */
export const dayMs = 86_400_000;

/** Returns a day as a date. */
export function dateOf(dayNumber: number): string {
  return new Date(dayNumber * dayMs).toISOString().slice(0, 10);
}

/** Returns the day that contains a time. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** Returns the day of a check. */
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
