import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  policyTypes,
  reportDay,
  reportKey,
  resultTypes,
  textsKey,
  type ParsedReport,
  type ReportedPolicy,
  type TlsReport,
} from '../../tls-rpt/index.js';
import type { VerifiedItem, ReportTrust, TrustReason, Via } from '../types.js';

/** A report with its authentication and the time of its arrival. */
export interface ReceivedReport {
  readonly reading: VerifiedItem;
  readonly parsed: ParsedReport;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

/**
 * A report in the form in which the tables store it. The number of its rows is limited.
 */
export interface PreparedReport {
  readonly digest: Uint8Array;
  readonly receivedAt: number;
  /** The day that the report covers, in days since 1970. */
  readonly day: number;
  /** Whether the report itself names the day. */
  readonly dated: boolean;
  readonly trust: ReportTrust;
  readonly detail: string;
  readonly reason: TrustReason | '';
  readonly reporter: string;
  readonly organization: string | null;
  readonly contact: string | null;
  readonly reportId: string | null;
  readonly via: Via;
  readonly peer: string | null;
  /** The domain that the mail around the report names. */
  readonly namedDomain: string | null;
  readonly notes: string | null;
  readonly raw: Uint8Array;
  readonly policies: readonly PolicyRow[];
  readonly failures: readonly FailureRow[];
}

/**
 * One row of `report_policy`. An empty text represents an absent member, since NULL does
 * not equal NULL in a key.
 */
export interface PolicyRow {
  readonly domain: string;
  readonly type: string;
  readonly mode: string;
  /**
   * The lines of the policy that the reporter quoted; empty if they are too long for a
   * policy.
   */
  readonly strings: readonly string[];
  readonly ok: number;
  readonly failed: number;
  /** Number of failed sessions that no failure detail describes. */
  readonly undescribed: number;
}

/**
 * One row of `report_failure`: the failed sessions that are equal in all other members.
 */
export interface FailureRow {
  readonly domain: string;
  readonly type: string;
  readonly mode: string;
  /** The result type of RFC 8460 §4.3, or another text that the reporter wrote. */
  readonly result: string;
  /** The MX host that the sender tried. */
  readonly mx: string;
  /** The address of the MX host to which the sender connected. */
  readonly ip: string;
  readonly senderIp: string;
  readonly reason: string;
  /** A URI with more information, which this program never opens. */
  readonly info: string;
  readonly failed: number;
}

const dayMs = 86_400_000;
/**
 * Maximum number of policy rows and of failure rows of one report, so that an attacker
 * cannot fill the database with one mail.
 */
const MAX_POLICIES = 500;
const MAX_FAILURES = 500;
/** Maximum number of lines of a quoted policy, mostly MX patterns or TLSA records. */
const MAX_QUOTED_LINES = 1000;
/**
 * Maximum number of characters of all quoted policies in a report. A policy file has at
 * most 64 KB (RFC 8461 §3.3), and a report quotes one policy for a domain and one for
 * each of its mail hosts.
 */
const MAX_QUOTED = 256 * 1024;
/**
 * Number of characters that are added to the length of each line, for the work that a
 * line causes.
 */
const LINE_COST = 10;

/** Returns a report in the form in which the tables store it. Pure. */
export function prepareReport({ reading, parsed, receivedAt }: ReceivedReport): PreparedReport {
  const { report: tlsReport } = parsed;
  const { trust, detail, reason = '', reporter, via, peer, mail, raw } = reading;
  return {
    digest: digestOf(tlsReport),
    receivedAt,
    day: dayOf(tlsReport, receivedAt),
    dated: tlsReport.startDatetime !== undefined,
    trust,
    detail,
    reason,
    reporter,
    organization: tlsReport.organizationName ?? null,
    contact: tlsReport.contactInfo ?? null,
    reportId: tlsReport.reportId ?? null,
    via,
    peer: peer ?? null,
    namedDomain: mail?.domain ?? null,
    notes: notesOf(parsed),
    raw: packed(raw),
    ...rowsOf(reading.policies ?? tlsReport.policies),
  };
}

/**
 * Returns the rows of a report, at most 500 of each kind. If there are more, the largest
 * rows stay unchanged. The other rows are merged in steps, each of which removes more
 * details, so that no count is lost.
 */
function rowsOf(
  policies: readonly ReportedPolicy[],
): Pick<PreparedReport, 'policies' | 'failures'> {
  const policyRows: PolicyRow[] = [];
  const failureRows: FailureRow[] = [];
  let quoted = 0;
  for (const reportedPolicy of policies) {
    const { policyDomain: domain = '', policyType: type, policyString } = reportedPolicy;
    const mode = policyMode(policyString);
    const cost = quotedCost(policyString);
    // A policy is stored with all its lines or none, because a part would name fewer
    // hosts than the published policy.
    const strings = quoted + cost <= MAX_QUOTED ? policyString : [];
    if (strings.length > 0) quoted += cost;
    const failed = reportedPolicy.totalFailureSessionCount;
    let described = 0;
    for (const detail of reportedPolicy.failureDetails) {
      // A failure cannot affect more sessions than the total number of failed sessions
      // (RFC 8460 §4.4).
      const sessions = Math.min(detail.failedSessionCount, failed > 0 ? failed : Infinity);
      described += sessions;
      failureRows.push({
        domain,
        type,
        mode,
        result: detail.resultType,
        mx: detail.receivingMxHostname ?? '',
        ip: detail.receivingIp ?? '',
        senderIp: detail.sendingMtaIp ?? '',
        reason: detail.failureReasonCode ?? '',
        info: detail.additionalInformation ?? '',
        failed: sessions,
      });
    }
    const ok = reportedPolicy.totalSuccessfulSessionCount;
    const undescribed = Math.max(0, failed - described);
    policyRows.push({ domain, type, mode, strings, ok, failed, undescribed });
  }
  return {
    policies: mergedWithin(MAX_POLICIES, policyRows, coarserPolicies),
    failures: mergedWithin(MAX_FAILURES, failureRows, coarserFailures),
  };
}

/**
 * Returns the size of a quoted policy; Infinity if it has more lines than a genuine
 * policy.
 */
function quotedCost(policyLines: readonly string[]): number {
  if (policyLines.length > MAX_QUOTED_LINES) return Infinity;
  return policyLines.reduce((sum, policyLine) => sum + policyLine.length + LINE_COST, 0);
}

/**
 * Maximum number of policy rows and of failure rows of a report whose reporter has used
 * up its detailed rows.
 */
const MAX_COARSE = 20;

/** Returns the report with few rows: all counts remain, but details are omitted. Pure. */
export function coarsened(preparedReport: PreparedReport): PreparedReport {
  const { policies, failures } = preparedReport;
  return {
    ...preparedReport,
    policies: mergedWithin(MAX_COARSE, policies, coarserPolicies),
    failures: mergedWithin(MAX_COARSE, failures, coarserFailures),
  };
}

/**
 * The functions that merge rows of one kind. Each step removes the least important
 * details that are left, so that more rows become equal and can be joined.
 */
interface Coarser<Row> {
  keyOf(row: Row): string;
  join(left: Row, right: Row): Row;
  sizeOf(row: Row): number;
  readonly steps: readonly ((row: Row) => Row)[];
}

/** The policy types that remain when rows are merged. */
const knownTypes: ReadonlySet<string> = new Set(policyTypes);
/** The result types that remain when rows are merged. */
const knownResults: ReadonlySet<string> = new Set(resultTypes);
/**
 * Returns a registered value, or else `unknown`, because a reporter can invent any number
 * of unregistered values.
 */
const onlyKnown = (text: string, known: ReadonlySet<string>): string =>
  known.has(text) ? text : 'unknown';

/**
 * The functions for policies. The quoted text is removed first, since it is the least
 * important.
 */
const coarserPolicies: Coarser<PolicyRow> = {
  keyOf: ({ domain, type, mode, strings }) => textsKey([domain, type, mode, ...strings]),
  join: (left, right) => ({
    ...left,
    ok: left.ok + right.ok,
    failed: left.failed + right.failed,
    undescribed: left.undescribed + right.undescribed,
  }),
  sizeOf: ({ ok, failed }) => ok + failed,
  steps: [
    (policyRow) => ({ ...policyRow, strings: [] }),
    (policyRow) => ({ ...policyRow, type: onlyKnown(policyRow.type, knownTypes) }),
    (policyRow) => ({ ...policyRow, domain: '', mode: '' }),
  ],
};

/**
 * The functions for failures. Addresses and texts are removed before the result and the
 * MX host, which determine the fix.
 */
const coarserFailures: Coarser<FailureRow> = {
  keyOf: ({ domain, type, mode, result, mx, ip, senderIp, reason, info }) =>
    textsKey([domain, type, mode, result, mx, ip, senderIp, reason, info]),
  join: (left, right) => ({ ...left, failed: left.failed + right.failed }),
  sizeOf: ({ failed }) => failed,
  steps: [
    (failureRow) => ({ ...failureRow, senderIp: '', info: '' }),
    (failureRow) => ({ ...failureRow, ip: '' }),
    (failureRow) => ({ ...failureRow, reason: '' }),
    (failureRow) => ({ ...failureRow, result: onlyKnown(failureRow.result, knownResults) }),
    (failureRow) => ({ ...failureRow, mx: '' }),
    (failureRow) => ({ ...failureRow, type: onlyKnown(failureRow.type, knownTypes) }),
    (failureRow) => ({ ...failureRow, domain: '', mode: '' }),
  ],
};

/**
 * Returns at most `most` rows, merged if there are more. The rows with the most sessions
 * keep their details.
 */
function mergedWithin<Row>(
  most: number,
  rows: readonly Row[],
  { keyOf, join, sizeOf, steps }: Coarser<Row>,
): readonly Row[] {
  // Usually a report has few rows, and merging them would cost more than storing them.
  if (rows.length <= most / 10) return rows;
  const merged = merge(rows, keyOf, join);
  if (merged.length <= most) return merged;
  const bySize = [...merged].sort((left, right) => sizeOf(right) - sizeOf(left));
  const largest = bySize.slice(0, most / 2);
  let rest: readonly Row[] = bySize.slice(most / 2);
  for (const step of steps) {
    if (rest.length <= most / 2) break;
    rest = merge(rest.map(step), keyOf, join);
  }
  return [...largest, ...rest];
}

/**
 * Joins rows with the same key. The sums are added up; all other members come from the
 * first row.
 */
function merge<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  join: (left: Row, right: Row) => Row,
): readonly Row[] {
  const groups = new Map<string, Row>();
  for (const row of rows) {
    const groupKey = keyOf(row);
    const same = groups.get(groupKey);
    groups.set(groupKey, same === undefined ? row : join(same, row));
  }
  return [...groups.values()];
}

/**
 * Returns the day that a report covers. For a report without dates this is the day before
 * its arrival, since reporters usually report on the previous day.
 */
function dayOf(tlsReport: TlsReport, receivedAt: number): number {
  return Math.floor((reportDay(tlsReport) ?? receivedAt - dayMs) / dayMs);
}

/**
 * Returns a digest of the content, which is the same however the report is packed. The
 * report id does not identify a report, because reporters reuse ids.
 */
function digestOf(tlsReport: TlsReport): Uint8Array {
  return hash('sha256', reportKey(tlsReport), 'buffer').subarray(0, 20);
}

/**
 * Returns the departures of a report from RFC 8460 as JSON; null if it has none.
 */
function notesOf({ notes, unforeseen }: ParsedReport): string | null {
  return notes.length + unforeseen.length === 0 ? null : JSON.stringify({ notes, unforeseen });
}

/**
 * Returns a report as gzip. Returns it unchanged if it arrived as gzip, or is so short
 * that compression would not help. Level 1 is enough: the intake compresses every report,
 * and old reports are deleted anyway.
 */
function packed(raw: Uint8Array): Uint8Array {
  return (raw[0] === 0x1f && raw[1] === 0x8b) || raw.length < 200
    ? raw
    : gzipSync(raw, { level: 1 });
}

/**
 * Returns the mode in the lines of a quoted MTA-STS policy; empty if they contain no
 * mode. Senders defer mail only in mode `enforce`.
 */
function policyMode(strings: readonly string[]): '' | 'enforce' | 'testing' | 'none' {
  for (const policyLine of strings) {
    const mode = /^mode[ \t]*:[ \t]*(enforce|testing|none)[ \t]*$/.exec(policyLine)?.[1];
    if (mode !== undefined) return mode as 'enforce' | 'testing' | 'none';
  }
  return '';
}
