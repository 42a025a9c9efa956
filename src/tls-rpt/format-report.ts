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

const host = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*';
const domain = new RegExp(`^(?=.{1,253}$)${host}$`);
const mxPattern = new RegExp(`^(?=.{1,253}$)(\\*\\.)?${host}$`);
const contact = new RegExp(`^[A-Za-z0-9.!#$%&'*+/=?^_\`{|}~-]{1,64}@${host}$`);
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const printable = /^[^\p{Cc}\p{Cs}]+$/u;

/**
 * Writes a report as RFC 8460 §4.4 has it, one UTC day from 00:00:00 to 23:59:59 (§4.1)
 * [8460-4.1-1], in I-JSON [8460-4-1, 8460-4-4]. Anything that a strict reader could
 * refuse is a failure here: nothing is repaired on the way out.
 */
export function formatReport(report: TlsReport): Result<string> {
  const problem = problemOf(report);
  if (problem !== undefined) return fail(builderFailures.make('report-invalid', problem));
  return ok(
    JSON.stringify({
      'organization-name': report.organizationName,
      'date-range': { 'start-datetime': report.startDatetime, 'end-datetime': report.endDatetime },
      'contact-info': report.contactInfo,
      'report-id': report.reportId,
      policies: report.policies.map(formatPolicy),
    }),
  );
}

/** JSON leaves out members that are undefined. */
function formatPolicy(policy: ReportedPolicy): object {
  return {
    policy: {
      'policy-type': policy.policyType,
      'policy-string': unlessEmpty(policy.policyString),
      'policy-domain': policy.policyDomain,
      'mx-host': unlessEmpty(policy.mxHost),
    },
    summary: {
      'total-successful-session-count': policy.totalSuccessfulSessionCount,
      'total-failure-session-count': policy.totalFailureSessionCount,
    },
    'failure-details': unlessEmpty(policy.failureDetails.map(formatDetail)),
  };
}

function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}

function formatDetail(d: FailureDetails): object {
  return {
    'result-type': d.resultType,
    'sending-mta-ip': d.sendingMtaIp,
    'receiving-mx-hostname': d.receivingMxHostname,
    'receiving-mx-helo': d.receivingMxHelo,
    'receiving-ip': d.receivingIp,
    'failed-session-count': d.failedSessionCount,
    'additional-information': d.additionalInformation,
    'failure-reason-code': d.failureReasonCode,
  };
}

/** [8460-4.4-1, 8460-4.4-2, 8460-4.4-3, 8460-4.4-4, 8460-4.4-5] */
function problemOf(report: TlsReport): string | undefined {
  if (!isPrintable(report.organizationName)) return 'organization-name';
  if (!contact.test(report.contactInfo ?? '')) return 'contact-info';
  if (!isPrintable(report.reportId)) return 'report-id';
  const day = reportDay(report);
  if (!instant.test(report.startDatetime ?? '') || day !== Date.parse(report.startDatetime ?? ''))
    return 'date-range.start-datetime';
  if (
    Date.parse(report.endDatetime ?? '') !== day + 86_399_000 ||
    !instant.test(report.endDatetime ?? '')
  )
    return 'date-range.end-datetime';
  if (report.policies.length === 0) return 'policies';
  for (const [i, policy] of report.policies.entries()) {
    const problem = problemOfPolicy(policy);
    if (problem !== undefined) return `policies[${i}].${problem}`;
  }
  return undefined;
}

/** [8460-4.4-6, 8460-4.4-7, 8460-4.4-8, 8460-4.4-9, 8460-4.4-10, 8460-4.4-11] */
function problemOfPolicy(p: ReportedPolicy): string | undefined {
  if (!policyTypes.some((type) => type === p.policyType)) return 'policy.policy-type';
  if (!domain.test(p.policyDomain ?? '')) return 'policy.policy-domain';
  if (!p.policyString.every(isPrintable)) return 'policy.policy-string';
  if (
    !p.mxHost.every((pattern) => mxPattern.test(pattern)) ||
    (p.mxHost.length > 0 && p.policyType !== 'sts')
  )
    return 'policy.mx-host';
  if (!isCount(p.totalSuccessfulSessionCount)) return 'summary.total-successful-session-count';
  if (!isCount(p.totalFailureSessionCount)) return 'summary.total-failure-session-count';
  if (p.totalFailureSessionCount > 0 && p.failureDetails.length === 0) return 'failure-details';
  for (const [i, detail] of p.failureDetails.entries()) {
    const problem = problemOfDetail(detail);
    if (problem !== undefined) return `failure-details[${i}].${problem}`;
  }
  return undefined;
}

/**
 * [8460-4.4-12, 8460-4.4-13, 8460-4.4-14, 8460-4.4-15, 8460-4.4-16, 8460-4.4-17, 8460-4.4-18, 8460-4.4-19]
 */
function problemOfDetail(d: FailureDetails): string | undefined {
  if (!resultTypes.some((type) => type === d.resultType)) return 'result-type';
  if (!isAddress(d.sendingMtaIp)) return 'sending-mta-ip';
  if (!isAddress(d.receivingIp)) return 'receiving-ip';
  if (d.receivingMxHostname !== undefined && !domain.test(d.receivingMxHostname))
    return 'receiving-mx-hostname';
  if (!isCount(d.failedSessionCount) || d.failedSessionCount === 0) return 'failed-session-count';
  if (
    d.additionalInformation !== undefined &&
    !/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(d.additionalInformation)
  )
    return 'additional-information';
  if (d.receivingMxHelo !== undefined && !isPrintable(d.receivingMxHelo))
    return 'receiving-mx-helo';
  return d.failureReasonCode === undefined || isPrintable(d.failureReasonCode)
    ? undefined
    : 'failure-reason-code';
}

function isPrintable(text: string | undefined): boolean {
  return text !== undefined && text.length <= 1000 && printable.test(text);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isAddress(text: string | undefined): boolean {
  if (text === undefined) return true;
  const ip = parseIp(text);
  return ip !== undefined && formatIp(ip) === text;
}
