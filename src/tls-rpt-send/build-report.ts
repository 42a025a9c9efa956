import type { Result } from '../base/index.js';
import { formatReport, type ReportedPolicy, type TlsReport } from '../tls-rpt/index.js';

/** Who reports. */
export interface Reporter {
  readonly organization: string;
  /** Address for questions; its domain is the reporter's (RFC 8460 §4.4). */
  readonly contact: string;
}

/** The reporter's domain: TLS-Report-Submitter and the signer. */
export function submitterOf({ contact }: Reporter): string {
  return contact.slice(contact.lastIndexOf('@') + 1).toLowerCase();
}

/**
 * The report of one domain and UTC day. Where a policy's text cannot stand in a report as
 * RFC 8460 wants it, that text is left out, never the counts.
 *
 * @param day milliseconds of its midnight
 * @param unique tells two reports of one day apart
 */
export function buildReport(
  reporter: Reporter,
  domain: string,
  day: number,
  policies: readonly ReportedPolicy[],
  unique: string,
): { readonly report: TlsReport; readonly body: Result<string> } {
  const date = new Date(day).toISOString().slice(0, 10);
  const report: TlsReport = {
    organizationName: reporter.organization,
    startDatetime: `${date}T00:00:00Z`,
    endDatetime: `${date}T23:59:59Z`,
    contactInfo: reporter.contact,
    reportId: `${date}.${unique}.${domain}@${submitterOf(reporter)}`,
    policies,
  };
  const body = formatReport(report);
  if (body.ok) return { report, body };
  const plain = { ...report, policies: policies.map(withoutText) };
  return { report: plain, body: formatReport(plain) };
}

function withoutText(policy: ReportedPolicy): ReportedPolicy {
  return {
    ...policy,
    policyString: [],
    mxHost: [],
    failureDetails: policy.failureDetails.map(({ resultType, failedSessionCount }) => ({
      resultType,
      failedSessionCount,
      sendingMtaIp: undefined,
      receivingMxHostname: undefined,
      receivingMxHelo: undefined,
      receivingIp: undefined,
      additionalInformation: undefined,
      failureReasonCode: undefined,
    })),
  };
}
