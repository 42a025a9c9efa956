import {
  fail,
  formatIp,
  neutralise,
  ok,
  parseDomain,
  parseIp,
  type Result,
} from '../base/index.js';
import { parseTlsRptRecord, type FailureDetails, type ReportedPolicy } from '../tls-rpt/index.js';
import { reportingFailures } from './failures.js';
import type { SessionEvent } from './session-event.js';

/** Policy types by their numbers in libtlsrpt (`tlsrpt.h`). */
const policyTypeOf: Readonly<Record<number, string>> = {
  1: 'tlsa',
  2: 'sts',
  9: 'no-policy-found',
};
const resultTypeOf: Readonly<Record<number, string>> = {
  201: 'starttls-not-supported',
  202: 'certificate-host-mismatch',
  203: 'certificate-not-trusted',
  204: 'certificate-expired',
  205: 'validation-failure',
  301: 'sts-policy-fetch-error',
  302: 'sts-policy-invalid',
  303: 'sts-webpki-invalid',
  304: 'tlsa-invalid',
  305: 'dnssec-invalid',
  306: 'dane-required',
};

/** Limits of one datagram, because remote servers choose some of its texts. */
const MAX_COUNTS = { policies: 16, failures: 64, strings: 200 };

/**
 * Parses one datagram of libtlsrpt, as Postfix sends it for each session. Octets that are
 * not UTF-8 become replacement characters. An unknown or missing version is tolerated.
 * `t` is the number of details and `f` the final result of a session, so each policy in
 * the datagram counts one session.
 */
export function parseDatagram(
  bytes: Uint8Array | string,
  at: number,
): Result<readonly SessionEvent[]> {
  const feedText = typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes);
  let json: unknown;
  try {
    json = JSON.parse(feedText);
  } catch {
    return malformed(`no JSON: ${neutralise(feedText, 60)}`);
  }
  const { d, pr, policies } = fields(json);
  const domain = typeof d === 'string' ? parseDomain(d) : undefined;
  if (!domain?.ok) return malformed('"d" names no domain');
  if (typeof pr !== 'string' || parseTlsRptRecord([pr]).status === 'absent')
    return malformed('"pr" is not a TLS-RPT record');
  if (!Array.isArray(policies) || policies.length === 0 || policies.length > MAX_COUNTS.policies)
    return malformed('"policies" is not a list');
  const domainName = domain.value.toLower();
  const read = policies.map((policy) => readPolicy(fields(policy), domainName));
  const wrong = read.findIndex((reportedPolicy) => reportedPolicy === undefined);
  if (wrong >= 0) return malformed(`policies[${wrong}] has no known "policy-type" or no "f"`);
  return ok(
    read.flatMap((reportedPolicy) =>
      reportedPolicy ? [{ at, domain: domainName, record: pr, policy: reportedPolicy }] : [],
    ),
  );
}

function malformed(detail: string): Result<never> {
  return fail(reportingFailures.make('reporting-event-malformed', detail));
}

function readPolicy(
  policyFields: Readonly<Record<string, unknown>>,
  domainName: string,
): ReportedPolicy | undefined {
  const type = policyTypeOf[Number(policyFields['policy-type'])];
  const final = policyFields['f'];
  if (type === undefined || (final !== 0 && final !== 1)) return undefined;
  const failed = final === 1;
  return {
    policyType: type,
    policyDomain: domainIn(policyFields['policy-domain']) ?? domainName,
    policyString: texts(policyFields['policy-string']),
    mxHost:
      type === 'sts'
        ? texts(policyFields['mx-host']).map((hostName) => hostName.toLowerCase())
        : [],
    totalSuccessfulSessionCount: failed ? 0 : 1,
    totalFailureSessionCount: failed ? 1 : 0,
    // If the session finally met its policy, its earlier failures do not count as failed
    // sessions.
    failureDetails: failed ? failuresIn(policyFields['failure-details']) : [],
  };
}

/**
 * Returns the details of a failed session; one detail without a cause if the datagram has
 * no details.
 */
function failuresIn(jsonValue: unknown): readonly FailureDetails[] {
  const failures = list(jsonValue)
    .slice(0, MAX_COUNTS.failures)
    .flatMap((item) => readFailure(fields(item)) ?? []);
  if (failures.length > 0) return failures;
  return [{ ...nothingKnown, resultType: 'validation-failure' }];
}

const nothingKnown: FailureDetails = {
  resultType: '',
  sendingMtaIp: undefined,
  receivingMxHostname: undefined,
  receivingMxHelo: undefined,
  receivingIp: undefined,
  failedSessionCount: 1,
  additionalInformation: undefined,
  failureReasonCode: undefined,
};

function readFailure({
  c,
  s,
  n,
  h,
  r,
  a,
  f,
}: Readonly<Record<string, unknown>>): FailureDetails | undefined {
  const resultType = resultTypeOf[Number(c)];
  if (resultType === undefined) return undefined;
  const information = text(a);
  return {
    resultType,
    sendingMtaIp: address(s),
    receivingMxHostname: domainIn(n),
    receivingMxHelo: helloName(h),
    receivingIp: address(r),
    failedSessionCount: 1,
    additionalInformation:
      information !== undefined && /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(information)
        ? information
        : undefined,
    failureReasonCode: text(f),
  };
}

function fields(jsonValue: unknown): Readonly<Record<string, unknown>> {
  return typeof jsonValue === 'object' && jsonValue !== null && !Array.isArray(jsonValue)
    ? (jsonValue as Record<string, unknown>)
    : {};
}

function list(jsonValue: unknown): readonly unknown[] {
  return Array.isArray(jsonValue) ? jsonValue : [];
}

/** Returns the lines of the policy without control characters. */
function texts(jsonValue: unknown): readonly string[] {
  return list(jsonValue)
    .slice(0, MAX_COUNTS.strings)
    .flatMap((item) => text(item) ?? []);
}

function text(jsonValue: unknown): string | undefined {
  if (typeof jsonValue !== 'string') return undefined;
  const clean = jsonValue
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim()
    .slice(0, 500);
  return clean === '' ? undefined : clean;
}

function domainIn(jsonValue: unknown): string | undefined {
  const domain = typeof jsonValue === 'string' ? parseDomain(jsonValue) : undefined;
  return domain?.ok ? domain.value.toLower() : undefined;
}

/**
 * Returns the host name in an EHLO reply. Postfix passes the complete reply, but a report
 * contains only the name (RFC 8460 §4.4, RFC 5321 §4.1.1.1).
 */
function helloName(jsonValue: unknown): string | undefined {
  const greeting = text(jsonValue);
  return greeting === undefined ? undefined : (/^250[ -](\S+)/.exec(greeting)?.[1] ?? greeting);
}

function address(jsonValue: unknown): string | undefined {
  const parsedIp = typeof jsonValue === 'string' ? parseIp(jsonValue) : undefined;
  return parsedIp && formatIp(parsedIp);
}
