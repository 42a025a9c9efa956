/**
 * TLS-RPT: where a domain wants to hear of TLS failures, and the reports it gets. RFC
 * 8460. Reading is tolerant and notes every departure; writing is strict.
 *
 * @example parseTlsRptRecord(['v=TLSRPTv1; rua=mailto:tlsrpt@example.com']).rua; //
 * ['mailto:tlsrpt@example.com']
 *
 * @example const [unpacked] = unpackReports(bytes); const parsed = unpacked?.ok ?
 * parseReport(unpacked.value.bytes) : undefined; if (parsed?.ok) for (const { code, path
 * } of parsed.value.notes) console.log(code, path); // date-no-zone
 * date-range.start-datetime
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
