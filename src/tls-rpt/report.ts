/**
 * A report as the parser returns it and the builder accepts it. Names are those of RFC
 * 8460 §4.4; a member that the reporter omitted is undefined.
 */
export interface TlsReport {
  /**
   * The name of the reporting organisation, as the reporter writes it. It is not
   * authenticated.
   */
  readonly organizationName: string | undefined;
  /** RFC 3339 in UTC, whole seconds. */
  readonly startDatetime: string | undefined;
  /** The end of the range, in the same form; normally 23:59:59 of the same day. */
  readonly endDatetime: string | undefined;
  /** A mail address; its domain identifies the reporter (RFC 8460 §5.3). */
  readonly contactInfo: string | undefined;
  /**
   * The reporter's own identifier. Reporters reuse it, so it does not identify a report.
   */
  readonly reportId: string | undefined;
  /** One element for each policy that the reporter applied. */
  readonly policies: readonly ReportedPolicy[];
}

/** One policy that the reporter applied, with the results of its sessions. */
export interface ReportedPolicy {
  /** `tlsa`, `sts`, `no-policy-found`, or other text of the reporter. */
  readonly policyType: string;
  /** A-labels in lower case. */
  readonly policyDomain: string | undefined;
  /** Each text is one TLSA record, or one line of the MTA-STS policy. */
  readonly policyString: readonly string[];
  /** MX patterns of an MTA-STS policy, A-labels in lower case. */
  readonly mxHost: readonly string[];
  /** Sessions that satisfied the policy. */
  readonly totalSuccessfulSessionCount: number;
  /**
   * Sessions that did not satisfy it; they may be more or fewer than the sum of the
   * details.
   */
  readonly totalFailureSessionCount: number;
  /** The failures in groups of equal circumstances. */
  readonly failureDetails: readonly FailureDetails[];
}

/** One group of failed sessions (RFC 8460 §4.4). */
export interface FailureDetails {
  /** One of {@link resultTypes}, or other text of the reporter. */
  readonly resultType: string;
  /** Canonical address (RFC 5952), or the reporter's text if it is not an address. */
  readonly sendingMtaIp: string | undefined;
  /** The MX host that the sender tried, in A-labels and lower case. */
  readonly receivingMxHostname: string | undefined;
  /** The name in the greeting of the server. */
  readonly receivingMxHelo: string | undefined;
  /** The address of the server, in the form of `sendingMtaIp`. */
  readonly receivingIp: string | undefined;
  /** Failed sessions of the group; 0 if the reporter gave no count. */
  readonly failedSessionCount: number;
  /**
   * A URI with details on the failure. It is foreign text and must never be opened
   * automatically.
   */
  readonly additionalInformation: string | undefined;
  /** Text of the sender's TLS or DNS library; it is diagnostic and has no fixed form. */
  readonly failureReasonCode: string | undefined;
}

/** The policy types of RFC 8460 §4.4. */
export const policyTypes = ['tlsa', 'sts', 'no-policy-found'] as const;
/** A policy type that the builder can write. */
export type PolicyType = (typeof policyTypes)[number];

/** The result types of RFC 8460 §4.3, which is also the initial registry of §6.6. */
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
/** A result type that the builder can write. */
export type ResultType = (typeof resultTypes)[number];

/** Number of milliseconds in a day. */
const dayMs = 86_400_000;

/**
 * The UTC day of a report, as milliseconds of its midnight; undefined without a start. If
 * a reporter's day begins at another hour, the report counts on the day that contains the
 * middle of its range. A longer range counts on its first day.
 */
export function reportDay({ startDatetime, endDatetime }: TlsReport): number | undefined {
  if (startDatetime === undefined) return undefined;
  const date = startDatetime.slice(0, 10);
  // This fast path, which applies to nearly every report, needs no second date.
  if (endDatetime?.startsWith(date)) return Date.parse(date);
  const start = Date.parse(startDatetime);
  const length = endDatetime === undefined ? 0 : Date.parse(endDatetime) - start;
  const within = length > 0 && length <= 1.5 * dayMs ? start + length / 2 : start;
  return Math.floor(within / dayMs) * dayMs;
}
