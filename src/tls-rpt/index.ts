/**
 * Parses and writes the two formats of TLS-RPT (RFC 8460): the record by which a domain
 * requests reports, and the reports.
 *
 * A record at `_smtp._tls.DOMAIN`, such as `v=TLSRPTv1; rua=mailto:tlsrpt@example.com`,
 * names the addresses that receive the reports (§3). A report is I-JSON (RFC 7493),
 * usually in gzip (§5.2), with one entry for each policy that the sender applied. An
 * entry contains counts of successful and failed sessions, and failure details with a
 * result type (§4.3, §4.4).
 *
 * - `parseTlsRptRecord` parses a record as tolerantly as a sender must; `lintRptRecord`
 *   checks a record as strictly as its publisher should.
 * - `unpackReports` and `parseReport` are tolerant, because reporters send archives,
 *   UTF-16, dates without a zone, and counts as text. Every departure from RFC 8460
 *   becomes a note with a stable code and the clause. A report is refused only if its
 *   counts are ambiguous. Nesting depth, size and number of values are limited before
 *   JSON is parsed.
 * - `formatReport` is strict and refuses content that §4.4 does not allow.
 * - `reportFileName` and `reportSubject` name a report for mail (§5.1, §5.3).
 *
 * All functions are pure. `tls-rpt-receive` authenticates and stores reports;
 * `tls-rpt-send` counts sessions and delivers reports.
 *
 * @example
 * ```ts
 * parseTlsRptRecord(['v=TLSRPTv1; rua=mailto:tlsrpt@example.com']).rua;
 * // ['mailto:tlsrpt@example.com']
 * ```
 * @example
 * ```ts
 * const [unpacked] = unpackReports(bytes);
 * const parsed = unpacked?.ok ? parseReport(unpacked.value.bytes) : undefined;
 * if (parsed?.ok)
 *   for (const { code, path } of parsed.value.notes) console.log(code, path);
 * // date-no-zone date-range.start-datetime
 * ```
 */
export { explainRua, lintRptRecord, nearRptRecords, type RptLint } from './lint-record.js';
export { parseTlsRptRecord, type TlsRptRecord } from './parse-record.js';
export {
  claimedSize,
  unpackReports,
  type UnpackReportsOptions,
  type UnpackedReport,
} from './unpack-reports.js';
export { decodeText } from './decode-text.js';
export { objectsIn } from './scan-json.js';
export { mxPatterns } from './read-policy.js';
export { parseReport, type ParsedReport, type ParseReportOptions } from './parse-report.js';
export { formatReport } from './format-report.js';
export { mergePolicies } from './merge-policies.js';
export { reportKey, textsKey } from './report-key.js';
export { reportFileName, reportSubject, type ReportNameOptions } from './report-names.js';
export {
  policyTypes,
  reportDay,
  resultTypes,
  type FailureDetails,
  type PolicyType,
  type ReportedPolicy,
  type ResultType,
  type TlsReport,
} from './report.js';
export type { ReportNote, Unforeseen } from './notes.js';
export { reportQuirks, type QuirkCode } from './quirks-registry.js';
export { builderFailures, reportFailures, tlsRptFailures } from './failures.js';
