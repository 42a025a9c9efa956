/**
 * A report, as returned by the parser and accepted by the builder. Members have the names
 * of RFC 8460 §4.4. A member that the reporter omitted is undefined.
 */
export interface TlsReport {
  /**
   * The name of the reporting organisation, as the reporter writes it. The name is not
   * authenticated.
   */
  readonly organizationName: string | undefined;
  /** The start of the range, in the form of RFC 3339, in UTC with whole seconds. */
  readonly startDatetime: string | undefined;
  /** The end of the range, in the same form; normally 23:59:59 of the same day. */
  readonly endDatetime: string | undefined;
  /** A mail address; its domain identifies the reporter (RFC 8460 §5.3). */
  readonly contactInfo: string | undefined;
  /**
   * The report id that the reporter chose. Reporters reuse ids, so the id does not
   * identify a report.
   */
  readonly reportId: string | undefined;
  /** One element for each policy that the reporter applied. */
  readonly policies: readonly ReportedPolicy[];
}

/** One policy that the reporter applied, with the results of its sessions. */
export interface ReportedPolicy {
  /** `tlsa`, `sts`, `no-policy-found`, or other text of the reporter. */
  readonly policyType: string;
  /** The policy domain, in A-labels and lower case. */
  readonly policyDomain: string | undefined;
  /** Each text is one TLSA record, or one line of the MTA-STS policy. */
  readonly policyString: readonly string[];
  /** MX patterns of an MTA-STS policy, in A-labels and lower case. */
  readonly mxHost: readonly string[];
  /** Sessions that satisfied the policy. */
  readonly totalSuccessfulSessionCount: number;
  /**
   * Sessions that did not satisfy the policy. The number may differ from the sum of the
   * details.
   */
  readonly totalFailureSessionCount: number;
  /** The failures, grouped by their circumstances. */
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
  /** The host name that the server announced in its EHLO reply. */
  readonly receivingMxHelo: string | undefined;
  /** The address of the server, in the same form as `sendingMtaIp`. */
  readonly receivingIp: string | undefined;
  /** Number of failed sessions in the group; 0 if the reporter gave no count. */
  readonly failedSessionCount: number;
  /**
   * A URI with details on the failure. The reporter chooses it, so no program may open it
   * automatically.
   */
  readonly additionalInformation: string | undefined;
  /** Diagnostic text of the sender's TLS or DNS library, in no fixed form. */
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
 * Returns the UTC day of a report, as the time of its midnight in milliseconds since
 * 1970; undefined without a start. If the reporter's day does not begin at 00:00 UTC, the
 * report belongs to the UTC day that contains the middle of its range. A report on more
 * than one day belongs to the first of these days.
 */
export function reportDay({ startDatetime, endDatetime }: TlsReport): number | undefined {
  if (startDatetime === undefined) return undefined;
  const date = startDatetime.slice(0, 10);
  // Most reports end on the day on which they start: the end need not be parsed.
  if (endDatetime?.startsWith(date)) return Date.parse(date);
  const start = Date.parse(startDatetime);
  const length = endDatetime === undefined ? 0 : Date.parse(endDatetime) - start;
  const within = length > 0 && length <= 1.5 * dayMs ? start + length / 2 : start;
  return Math.floor(within / dayMs) * dayMs;
}
