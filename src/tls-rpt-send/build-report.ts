import type { Result } from '../base/index.js';
import { formatReport, type ReportedPolicy, type TlsReport } from '../tls-rpt/index.js';

/** The identity of the reporter. */
export interface Reporter {
  readonly organization: string;
  /**
   * Mail address for questions about reports. The domain of the address is the reporter's
   * domain (RFC 8460 §4.4).
   */
  readonly contact: string;
}

/**
 * Returns the reporter's domain, the value of TLS-Report-Submitter and the domain that
 * signs with DKIM.
 */
export function submitterOf({ contact }: Reporter): string {
  return contact.slice(contact.lastIndexOf('@') + 1).toLowerCase();
}

/** The content of one report. */
export interface ReportInput {
  readonly reporter: Reporter;
  /** The policy domain that the report is about. */
  readonly domain: string;
  /** Milliseconds since 1970 of the midnight at which the UTC day starts. */
  readonly day: number;
  readonly policies: readonly ReportedPolicy[];
  /** A part of `report-id` that distinguishes two reports of one day. */
  readonly unique: string;
}

/**
 * Builds the report of one domain and UTC day (RFC 8460 §4.1, §4.4). A policy text that a
 * report cannot represent is omitted; counts are never omitted.
 */
export function buildReport({ reporter, domain, day, policies, unique }: ReportInput): {
  readonly report: TlsReport;
  readonly body: Result<string>;
} {
  const date = new Date(day).toISOString().slice(0, 10);
  const tlsReport: TlsReport = {
    organizationName: reporter.organization,
    startDatetime: `${date}T00:00:00Z`,
    endDatetime: `${date}T23:59:59Z`,
    contactInfo: reporter.contact,
    reportId: `${date}.${unique}.${domain}@${submitterOf(reporter)}`,
    policies,
  };
  const body = formatReport(tlsReport);
  if (body.ok) return { report: tlsReport, body };
  const plain = { ...tlsReport, policies: policies.map(withoutText) };
  return { report: plain, body: formatReport(plain) };
}

function withoutText(reportedPolicy: ReportedPolicy): ReportedPolicy {
  return {
    ...reportedPolicy,
    policyString: [],
    mxHost: [],
    failureDetails: reportedPolicy.failureDetails.map(({ resultType, failedSessionCount }) => ({
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
