import { fail, formatIp, ok, parseIp, type Result } from '../base/index.js';
import { builderFailures } from './failures.js';
import {
  policyTypes,
  reportDay,
  resultTypes,
  type FailureDetails,
  type ReportedPolicy,
  type TlsReport,
} from './report.js';

/** A host name whose labels consist of letters, digits and hyphens, in lower case. */
const host = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*';
/** A domain in A-labels and lower case, at most 253 characters. */
const domain = new RegExp(`^(?=.{1,253}$)${host}$`);
/** A domain, or a pattern with a wildcard as its first label (RFC 8461 §4.1). */
const mxPattern = new RegExp(`^(?=.{1,253}$)(\\*\\.)?${host}$`);
/** A mail address with a dot-atom as its local part. */
const contact = new RegExp(`^[A-Za-z0-9.!#$%&'*+/=?^_\`{|}~-]{1,64}@${host}$`);
/** A time in the form of RFC 3339, in UTC with whole seconds. */
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/**
 * Text without control characters and without unpaired surrogates, which I-JSON forbids
 * (RFC 7493 §2.1).
 */
const printable = /^[^\p{Cc}\p{Cs}]+$/u;

/**
 * Returns a report as the I-JSON of RFC 8460 §4.4 [8460-4-1, 8460-4-4]. The report covers
 * one UTC day from 00:00:00 to 23:59:59 (§4.1) [8460-4.1-1]. The function repairs
 * nothing: it returns a failure for content that a strict parser could refuse.
 */
export function formatReport(tlsReport: TlsReport): Result<string> {
  const problem = problemOf(tlsReport);
  if (problem !== undefined) return fail(builderFailures.make('report-invalid', problem));
  return ok(
    JSON.stringify({
      'organization-name': tlsReport.organizationName,
      'date-range': {
        'start-datetime': tlsReport.startDatetime,
        'end-datetime': tlsReport.endDatetime,
      },
      'contact-info': tlsReport.contactInfo,
      'report-id': tlsReport.reportId,
      policies: tlsReport.policies.map(formatPolicy),
    }),
  );
}

/**
 * Returns a policy with its sessions in the form of §4.4. JSON omits members that are
 * undefined.
 */
function formatPolicy(reportedPolicy: ReportedPolicy): object {
  return {
    policy: {
      'policy-type': reportedPolicy.policyType,
      'policy-string': unlessEmpty(reportedPolicy.policyString),
      'policy-domain': reportedPolicy.policyDomain,
      'mx-host': unlessEmpty(reportedPolicy.mxHost),
    },
    summary: {
      'total-successful-session-count': reportedPolicy.totalSuccessfulSessionCount,
      'total-failure-session-count': reportedPolicy.totalFailureSessionCount,
    },
    'failure-details': unlessEmpty(reportedPolicy.failureDetails.map(formatDetail)),
  };
}

function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** Returns one failure in the form of §4.4. JSON omits members that are undefined. */
function formatDetail(detail: FailureDetails): object {
  return {
    'result-type': detail.resultType,
    'sending-mta-ip': detail.sendingMtaIp,
    'receiving-mx-hostname': detail.receivingMxHostname,
    'receiving-mx-helo': detail.receivingMxHelo,
    'receiving-ip': detail.receivingIp,
    'failed-session-count': detail.failedSessionCount,
    'additional-information': detail.additionalInformation,
    'failure-reason-code': detail.failureReasonCode,
  };
}

/** Returns the name of the first invalid member; undefined for a valid report. */
// [8460-4.4-1, 8460-4.4-2, 8460-4.4-3, 8460-4.4-4, 8460-4.4-5]
function problemOf(tlsReport: TlsReport): string | undefined {
  if (!isPrintable(tlsReport.organizationName)) return 'organization-name';
  if (!contact.test(tlsReport.contactInfo ?? '')) return 'contact-info';
  if (!isPrintable(tlsReport.reportId)) return 'report-id';
  const day = reportDay(tlsReport);
  if (
    !instant.test(tlsReport.startDatetime ?? '') ||
    day !== Date.parse(tlsReport.startDatetime ?? '')
  )
    return 'date-range.start-datetime';
  if (
    Date.parse(tlsReport.endDatetime ?? '') !== day + 86_399_000 ||
    !instant.test(tlsReport.endDatetime ?? '')
  )
    return 'date-range.end-datetime';
  if (tlsReport.policies.length === 0) return 'policies';
  for (const [index, reportedPolicy] of tlsReport.policies.entries()) {
    const problem = problemOfPolicy(reportedPolicy);
    if (problem !== undefined) return `policies[${index}].${problem}`;
  }
  return undefined;
}

/** Returns the name of the first invalid member of a policy. */
// [8460-4.4-6, 8460-4.4-7, 8460-4.4-8, 8460-4.4-9, 8460-4.4-10, 8460-4.4-11]
function problemOfPolicy(reportedPolicy: ReportedPolicy): string | undefined {
  if (!policyTypes.some((type) => type === reportedPolicy.policyType)) return 'policy.policy-type';
  if (!domain.test(reportedPolicy.policyDomain ?? '')) return 'policy.policy-domain';
  if (!reportedPolicy.policyString.every(isPrintable)) return 'policy.policy-string';
  if (
    !reportedPolicy.mxHost.every((pattern) => mxPattern.test(pattern)) ||
    (reportedPolicy.mxHost.length > 0 && reportedPolicy.policyType !== 'sts')
  )
    return 'policy.mx-host';
  if (!isCount(reportedPolicy.totalSuccessfulSessionCount))
    return 'summary.total-successful-session-count';
  if (!isCount(reportedPolicy.totalFailureSessionCount))
    return 'summary.total-failure-session-count';
  if (reportedPolicy.totalFailureSessionCount > 0 && reportedPolicy.failureDetails.length === 0)
    return 'failure-details';
  for (const [index, detail] of reportedPolicy.failureDetails.entries()) {
    const problem = problemOfDetail(detail);
    if (problem !== undefined) return `failure-details[${index}].${problem}`;
  }
  return undefined;
}

/** Returns the name of the first invalid member of a failure. */
// [8460-4.4-12, 8460-4.4-13, 8460-4.4-14, 8460-4.4-15, 8460-4.4-16, 8460-4.4-17]
// [8460-4.4-18, 8460-4.4-19]
function problemOfDetail(detail: FailureDetails): string | undefined {
  if (!resultTypes.some((type) => type === detail.resultType)) return 'result-type';
  if (!isAddress(detail.sendingMtaIp)) return 'sending-mta-ip';
  if (!isAddress(detail.receivingIp)) return 'receiving-ip';
  if (detail.receivingMxHostname !== undefined && !domain.test(detail.receivingMxHostname))
    return 'receiving-mx-hostname';
  if (!isCount(detail.failedSessionCount) || detail.failedSessionCount === 0)
    return 'failed-session-count';
  if (
    detail.additionalInformation !== undefined &&
    !/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(detail.additionalInformation)
  )
    return 'additional-information';
  if (detail.receivingMxHelo !== undefined && !isPrintable(detail.receivingMxHelo))
    return 'receiving-mx-helo';
  return detail.failureReasonCode === undefined || isPrintable(detail.failureReasonCode)
    ? undefined
    : 'failure-reason-code';
}

/**
 * Returns true for a text of printable characters, at most 1000, which every parser
 * accepts.
 */
function isPrintable(reasonCode: string | undefined): boolean {
  return reasonCode !== undefined && reasonCode.length <= 1000 && printable.test(reasonCode);
}

/** Returns true for a count that every JSON parser reads exactly (RFC 7493 §2.2). */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Returns true for an address in canonical form (RFC 5952), and for undefined. */
function isAddress(addressText: string | undefined): boolean {
  if (addressText === undefined) return true;
  const parsedIp = parseIp(addressText);
  return parsedIp !== undefined && formatIp(parsedIp) === addressText;
}
