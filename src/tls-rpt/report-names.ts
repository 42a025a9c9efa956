import { reportDay, type TlsReport } from './report.js';

/** The two domains in the file name and subject of a report. */
export interface ReportNameOptions {
  /** The reporter's domain: that of contact-info (RFC 8460 §5.3). */
  readonly submitter: string;
  /** The domain that the report is about, in A-labels. */
  readonly policyDomain: string;
}

/**
 * Returns the file name of a compressed report:
 * `sender!policy-domain!begin!end!unique-id.json.gz` (RFC 8460 §5.1), with times in
 * seconds [8460-5.1-1, 8460-5.1-2].
 */
export function reportFileName(
  tlsReport: TlsReport,
  { submitter, policyDomain }: ReportNameOptions,
): string {
  // The file name needs a time. For a report without a start the time is 0, which sorts
  // before real times.
  const begin = (reportDay(tlsReport) ?? 0) / 1000;
  // Only letters and digits are safe in every mail system and file system.
  const unique = (tlsReport.reportId ?? '').replace(/[^A-Za-z0-9]/g, '').slice(0, 64);
  return `${[submitter, policyDomain, begin, begin + 86_399, ...(unique === '' ? [] : [unique])].join('!')}.json.gz`;
}

/**
 * Returns the Subject of a report mail (RFC 8460 §5.3) [8460-5.3-6]. The subject contains
 * the report id as `<left@right>`.
 */
export function reportSubject(
  tlsReport: TlsReport,
  { submitter, policyDomain }: ReportNameOptions,
): string {
  const reportId = (tlsReport.reportId ?? '').replace(/[<>\s]/g, '');
  return `Report Domain: ${policyDomain} Submitter: ${submitter} Report-ID: <${reportId.includes('@') ? reportId : `${reportId}@${submitter}`}>`;
}
