import { reportDay, type TlsReport } from './report.js';

/** The two domains in the names of a report. */
export interface ReportNameOptions {
  /** The reporter's domain: that of contact-info (RFC 8460 §5.3). */
  readonly submitter: string;
  /** The subject of the report, a domain in A-labels. */
  readonly policyDomain: string;
}

/**
 * File name of a report, compressed: `sender!policy-domain!begin!end!unique-id.json.gz`
 * (RFC 8460 §5.1), times in seconds [8460-5.1-1, 8460-5.1-2].
 */
export function reportFileName(
  tlsReport: TlsReport,
  { submitter, policyDomain }: ReportNameOptions,
): string {
  // A file name needs a time: for a report without a start it is 0, which sorts before
  // real times.
  const begin = (reportDay(tlsReport) ?? 0) / 1000;
  // Only letters and digits are safe in every mail system and file system.
  const unique = (tlsReport.reportId ?? '').replace(/[^A-Za-z0-9]/g, '').slice(0, 64);
  return `${[submitter, policyDomain, begin, begin + 86_399, ...(unique === '' ? [] : [unique])].join('!')}.json.gz`;
}

/**
 * Subject of a report mail (RFC 8460 §5.3) [8460-5.3-6]. It contains the report id as
 * `<left@right>`.
 */
export function reportSubject(
  tlsReport: TlsReport,
  { submitter, policyDomain }: ReportNameOptions,
): string {
  const reportId = (tlsReport.reportId ?? '').replace(/[<>\s]/g, '');
  return `Report Domain: ${policyDomain} Submitter: ${submitter} Report-ID: <${reportId.includes('@') ? reportId : `${reportId}@${submitter}`}>`;
}
