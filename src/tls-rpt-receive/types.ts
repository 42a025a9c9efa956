import type { Failure, Result } from '../base/index.js';
import type { ParsedReport, ReportedPolicy } from '../tls-rpt/index.js';

/** The transport of a report: POST, SMTP, a mailbox, or an import. */
export type Via = 'https' | 'mail' | 'mailbox' | 'file';

/**
 * The verdict on the origin and content of a report. With three verdicts a report counts:
 * `signed` (a DKIM signature of the reporter's organisation), `given` (the operator
 * vouches for an imported file, or for a mail in a mailbox that the configuration trusts)
 * and `posted` (HTTPS, which RFC 8460 leaves unsigned). Only the first two are
 * authenticated. Reports with another verdict are stored and shown, but do not count.
 * `unsigned`, `broken` (the signature is invalid), `misaligned` (another organisation
 * signed) and `unverifiable` (the key lookup failed) concern the mail. `other-domain`,
 * `future` and `stale` concern the content. `superseded`: an authenticated report with
 * the same id has other content.
 */
export type ReportTrust =
  | 'signed'
  | 'given'
  | 'posted'
  | 'unsigned'
  | 'broken'
  | 'misaligned'
  | 'unverifiable'
  | 'other-domain'
  | 'future'
  | 'stale'
  | 'superseded';

/** The verdict on one report, with a text for the operator. */
export interface TrustVerdict {
  readonly trust: ReportTrust;
  readonly detail: string;
  /** The reason in the mail why the verdict is not `signed`. */
  readonly reason?: TrustReason | undefined;
}

/** The stable codes of the reasons why a mail does not authenticate its report. */
export type TrustReason =
  | 'no-signature'
  | 'key-absent'
  | 'key-unavailable'
  | 'key-unusable'
  | 'key-for-other-service'
  | 'key-testing'
  | 'body-changed'
  | 'header-changed'
  | 'signature-expired'
  | 'signature-weak'
  | 'signature-partial'
  | 'signature-malformed'
  | 'header-ambiguous'
  | 'mail-too-long'
  | 'other-signer'
  | 'no-report-part'
  | 'structure-unsigned'
  | 'no-reporter';

/** One DKIM signature (RFC 6376). */
export interface DkimSignature {
  readonly result: 'pass' | 'fail' | 'none' | 'temperror';
  /** The domain of the signature, `d=`. */
  readonly signer?: string;
  readonly detail: string;
  /** The reason why the signature is invalid. */
  readonly reason?: TrustReason;
  /**
   * Whether the signature covers the Content-Type field, which determines the structure
   * of the body.
   */
  readonly coversStructure?: boolean;
}

/**
 * The result of DKIM for a message: the best signature, and all signatures that were
 * verified.
 */
export interface DkimVerdict extends DkimSignature {
  /**
   * All verified signatures, which are independent of each other (RFC 6376 §6.1). Absent
   * if there is only one.
   */
  readonly signatures?: readonly DkimSignature[];
}

/** The properties of the mail around a report. All texts are foreign. */
export interface MailEnvelope {
  /** The domain in the From field. */
  readonly from: string | undefined;
  /** The field TLS-Report-Submitter (RFC 8460 §5.3). */
  readonly submitter: string | undefined;
  /** The field TLS-Report-Domain. */
  readonly domain: string | undefined;
  readonly messageId: string | undefined;
  readonly dkim: DkimVerdict;
  /**
   * Whether the body is one multipart without text before its first or after its last
   * boundary. If so, another Content-Type field cannot change the structure of the body.
   */
  readonly framed: boolean;
}

/**
 * The place of a report in a mail. `report`: a part with the media type or file name of a
 * report (RFC 8460 §5.3, §5.1). `other`: any other part, a text or a forwarded message,
 * into which a third party may have put the report, for example by an invitation.
 */
export type PartKind = 'report' | 'other';

/** One report, or one refusal, from a body, a message or a file. */
export interface ReportItem {
  /**
   * The name of the file or body, with the number of the report in it from the second
   * report on.
   */
  readonly name: string;
  readonly via: Via;
  /** The address of the peer; absent for a file. */
  readonly peer?: string | undefined;
  readonly mail?: MailEnvelope | undefined;
  /** The place of the report in the mail; absent without a mail. */
  readonly part?: PartKind | undefined;
  /**
   * Whether the report is an entry of a mailbox that is not a message; any sender can
   * write such entries.
   */
  readonly fromMailbox?: boolean | undefined;
  /** The report as received, still packed. */
  readonly raw: Uint8Array;
  readonly parsed: Result<ParsedReport, Failure>;
}

/** A report or refusal with its verdict. */
export interface VerifiedItem extends ReportItem, TrustVerdict {
  /**
   * The policies that concern the accepted domains. Default: all policies of the report.
   */
  readonly policies?: readonly ReportedPolicy[];
  /**
   * The identity of the reporter: its organisational domain, or else its name in lower
   * case.
   */
  readonly reporter: string;
}

/**
 * The ranks of verdicts. A higher rank is better, and reports with rank 0 do not count.
 */
const ranks: Readonly<Partial<Record<ReportTrust, number>>> = { signed: 3, given: 2, posted: 1 };

/**
 * Returns the rank of a verdict: of several copies of a report, the copy with the highest
 * rank counts.
 */
export function trustRank(reportTrust: ReportTrust): number {
  return ranks[reportTrust] ?? 0;
}

/** Returns whether a report with this verdict counts in the sums. */
export function counts(reportTrust: ReportTrust): boolean {
  return trustRank(reportTrust) > 0;
}

/**
 * Returns whether a report with this verdict is evidence, because a signature or the
 * operator vouches for the reporter.
 */
export function isAuthenticated(reportTrust: ReportTrust): boolean {
  return trustRank(reportTrust) >= 2;
}
