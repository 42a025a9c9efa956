import type { Failure, Result } from '../base/index.js';
import type { ParsedReport, ReportedPolicy } from '../tls-rpt/index.js';

/** The transport of a report: POST, SMTP, a mailbox, or an import. */
export type Via = 'https' | 'mail' | 'mailbox' | 'file';

/**
 * The trust in a report. Three verdicts count: `signed` (a DKIM signature of the
 * reporter's organisation), `given` (the operator vouches for an imported file, or for a
 * mail in a mailbox that the configuration trusts) and `posted` (HTTPS, which RFC 8460
 * leaves unsigned). Only the first two are authenticated. Reports of the other verdicts
 * are stored and shown, but do not count. `unsigned`, `broken` (the signature is
 * invalid), `misaligned` (another organisation signed) and `unverifiable` (the key lookup
 * failed) judge the mail; `other-domain`, `future` and `stale` judge the content;
 * `superseded` is an unauthenticated report with the id of an authenticated one of other
 * content.
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

/** The verdict on one report, with the text for the operator. */
export interface TrustVerdict {
  readonly trust: ReportTrust;
  readonly detail: string;
  /** The reason in the mail why the trust is less than `signed`. */
  readonly reason?: TrustReason | undefined;
}

/** The reason why a message is not evidence; a stable code for each. */
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
  /** Domain of the signature, `d=`. */
  readonly signer?: string;
  readonly detail: string;
  /** The reason why it is invalid. */
  readonly reason?: TrustReason;
  /**
   * Whether it covers the Content-Type field, which determines the structure of the body.
   */
  readonly coversStructure?: boolean;
}

/**
 * The result of DKIM for a message: the best of its signatures, and all that were
 * verified.
 */
export interface DkimVerdict extends DkimSignature {
  /** Omitted if there is only one. Signatures are independent (RFC 6376 §6.1). */
  readonly signatures?: readonly DkimSignature[];
}

/** The mail around a report. All of it is foreign text. */
export interface MailEnvelope {
  /** Domain of From. */
  readonly from: string | undefined;
  /** TLS-Report-Submitter (RFC 8460 §5.3). */
  readonly submitter: string | undefined;
  /** TLS-Report-Domain. */
  readonly domain: string | undefined;
  readonly messageId: string | undefined;
  readonly dkim: DkimVerdict;
  /**
   * Whether the body is one multipart without text before its first or after its last
   * boundary. Another Content-Type field can then not change its structure.
   */
  readonly framed: boolean;
}

/**
 * The place of a report in a mail. `report`: in a part with the media type or file name
 * of a report (RFC 8460 §5.3, §5.1). `other`: in any other part, in a text or in a
 * forwarded message, where an outsider can place it by a quote or an invitation.
 */
export type PartKind = 'report' | 'other';

/** One report, or one refusal, of a body, a message or a file. */
export interface ReportItem {
  /** File name, and the number of the report in it from the second on. */
  readonly name: string;
  readonly via: Via;
  /** Address of the peer, if there is one. */
  readonly peer?: string | undefined;
  readonly mail?: MailEnvelope | undefined;
  /** For mail. */
  readonly part?: PartKind | undefined;
  /** Whether it is an entry of a mailbox; any sender can write such entries. */
  readonly fromMailbox?: boolean | undefined;
  /** The report as received, still packed. */
  readonly raw: Uint8Array;
  readonly parsed: Result<ParsedReport, Failure>;
}

/** A reading that was judged. */
export interface VerifiedItem extends ReportItem, TrustVerdict {
  /**
   * The policies that concern the wanted domains. Default: all policies of the report.
   */
  readonly policies?: readonly ReportedPolicy[];
  /**
   * The identity under which the report counts: the reporter's organisational domain,
   * otherwise its name in lower case.
   */
  readonly reporter: string;
}

/** Ranks of verdicts: a higher one is better, and reports of rank 0 do not count. */
const ranks: Readonly<Partial<Record<ReportTrust, number>>> = { signed: 3, given: 2, posted: 1 };

/**
 * Returns the rank of a verdict: of several copies of a report, the copy with the highest
 * rank counts.
 */
export function trustRank(reportTrust: ReportTrust): number {
  return ranks[reportTrust] ?? 0;
}

/** Returns whether a report counts in the totals. */
export function counts(reportTrust: ReportTrust): boolean {
  return trustRank(reportTrust) > 0;
}

/**
 * Returns whether a report is evidence: a signature or the operator vouches for its
 * reporter.
 */
export function isAuthenticated(reportTrust: ReportTrust): boolean {
  return trustRank(reportTrust) >= 2;
}
