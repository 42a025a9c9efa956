import type { TestReport } from '../test/support/report/reports.js';

/** The cause of the fault in a simulated month. */
export type Cause = 'yours' | 'theirs' | 'path' | 'none';

/** The faults that are injected, each with its cause. */
export const faults = {
  'certificate expired': 'yours',
  'certificate of another name': 'yours',
  'chain incomplete': 'yours',
  'TLSA record stale': 'yours',
  'DNSSEC broken': 'yours',
  'STARTTLS off': 'yours',
  'STARTTLS off on IPv6 only': 'yours',
  'MX host missing from policy': 'yours',
  'policy host down': 'yours',
  'policy malformed': 'yours',
  'policy host certificate': 'yours',
  'clock of the reporter': 'theirs',
  'trust store of the reporter': 'theirs',
  'resolver of the reporter': 'theirs',
  'policy never refreshed': 'theirs',
  'proxy of the reporter': 'theirs',
  'STARTTLS stripped': 'path',
  'certificate swapped': 'path',
  'policy fetch blocked': 'path',
  none: 'none',
} as const satisfies Readonly<Record<string, Cause>>;
export type FaultKind = keyof typeof faults;

export const domain = 'alpha.example';
export const monthDays = 28;
export const firstDay = Date.parse('2027-03-01T00:00:00Z');

/** The fields of a reported failure that distinguish it from others. */
export interface FailureKey {
  readonly reporter: string;
  readonly type: string;
  readonly result: string;
  readonly host: string;
}

export interface Month {
  /** The name of the fault: of {@link faults}, or of another generator. */
  readonly fault: string;
  readonly cause: Cause;
  /** Days on which the fault is present, counted from 0. */
  readonly from: number;
  readonly to: number;
  readonly hosts: readonly string[];
  /** The host that a fault of one host concerns; otherwise undefined. */
  readonly broken?: string | undefined;
  readonly mode: string;
  /** Reports that have arrived by the end of the month. */
  readonly reports: readonly TestReport[];
  /** Failures that the fault caused, in reports that arrived. */
  readonly caused: ReadonlySet<string>;
  /**
   * Reporters that could have observed a fault of the domain: same policy type and
   * address family.
   */
  readonly samePolicy: number;
  /** Days on which the domain was checked. */
  readonly checks: readonly number[];
}

export function keyOf({ reporter, type, result, host }: FailureKey): string {
  return JSON.stringify([reporter, type, result, host]);
}
