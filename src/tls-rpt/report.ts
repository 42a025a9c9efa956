/**
 * A report as the parser leaves it and the builder takes it. Names are those of RFC 8460
 * §4.4; what the reporter did not give is undefined.
 */
export interface TlsReport {
  readonly organizationName: string | undefined;
  /** RFC 3339 in UTC, whole seconds. */
  readonly startDatetime: string | undefined;
  readonly endDatetime: string | undefined;
  /** An address; its domain is the reporter's. */
  readonly contactInfo: string | undefined;
  readonly reportId: string | undefined;
  readonly policies: readonly ReportedPolicy[];
}

/** One policy that the reporter applied, and how its sessions went. */
export interface ReportedPolicy {
  /** `tlsa`, `sts`, `no-policy-found`, or other text of the reporter. */
  readonly policyType: string;
  /** A-labels in lower case. */
  readonly policyDomain: string | undefined;
  /** One TLSA record, or one line of the MTA-STS policy, each. */
  readonly policyString: readonly string[];
  /** MX patterns of an MTA-STS policy, A-labels in lower case. */
  readonly mxHost: readonly string[];
  readonly totalSuccessfulSessionCount: number;
  readonly totalFailureSessionCount: number;
  readonly failureDetails: readonly FailureDetails[];
}

/** Failed sessions of one kind (RFC 8460 §4.4, `failure-details`). */
export interface FailureDetails {
  /** One of {@link resultTypes}, or other text of the reporter. */
  readonly resultType: string;
  /** Canonical address (RFC 5952), or the reporter's text where it is not an address. */
  readonly sendingMtaIp: string | undefined;
  readonly receivingMxHostname: string | undefined;
  readonly receivingMxHelo: string | undefined;
  readonly receivingIp: string | undefined;
  readonly failedSessionCount: number;
  readonly additionalInformation: string | undefined;
  readonly failureReasonCode: string | undefined;
}

/** RFC 8460 §4.4. */
export const policyTypes = ['tlsa', 'sts', 'no-policy-found'] as const;
/** A policy type of RFC 8460 §4.2. */
export type PolicyType = (typeof policyTypes)[number];

/** RFC 8460 §4.3 and the registry of §6.6. */
export const resultTypes = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const;
/** A result type of RFC 8460 §4.3. */
export type ResultType = (typeof resultTypes)[number];

const dayMs = 86_400_000;

/**
 * The UTC day a report is about, as milliseconds of its midnight; undefined without a
 * start. Reporters whose day begins at another hour are counted on the day that holds the
 * middle of their range, and longer ranges on their first day.
 */
export function reportDay({ startDatetime, endDatetime }: TlsReport): number | undefined {
  if (startDatetime === undefined) return undefined;
  const date = startDatetime.slice(0, 10);
  // Nearly always, and quicker.
  if (endDatetime?.startsWith(date)) return Date.parse(date);
  const start = Date.parse(startDatetime);
  const length = endDatetime === undefined ? 0 : Date.parse(endDatetime) - start;
  const within = length > 0 && length <= 1.5 * dayMs ? start + length / 2 : start;
  return Math.floor(within / dayMs) * dayMs;
}
