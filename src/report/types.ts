import type { Failure, Result } from '../base/index.js';
import type { ParsedReport } from '../tls-rpt/index.js';

/** How a report came. */
export type Via = 'https' | 'mail' | 'file';

/**
 * Who vouches for a report. `signed`: a DKIM signature of the reporter's organisation. `posted`: sent by HTTPS, which RFC 8460 leaves unsigned. `given`: a
 * bare file from the person at the keyboard. These three count. `unsigned`, `broken` (the signature does not hold), `misaligned` (somebody else's signature)
 * and `unverifiable` (the key could not be had) are mail; `other-domain`, `future` and `stale` concern the content. They are kept and shown, and do not count.
 */
export type Trust =
  | 'signed'
  | 'posted'
  | 'given'
  | 'unsigned'
  | 'broken'
  | 'misaligned'
  | 'unverifiable'
  | 'other-domain'
  | 'future'
  | 'stale';

export interface TrustVerdict {
  readonly trust: Trust;
  readonly detail: string;
}

/** What DKIM says of a mail (RFC 6376), the best of its signatures. */
export interface DkimVerdict {
  readonly result: 'pass' | 'fail' | 'none' | 'temperror';
  /** Domain of the signature, `d=`. */
  readonly signer?: string;
  readonly detail: string;
}

/** What stands around a report in a mail. All of it is foreign text. */
export interface MailEnvelope {
  /** Domain of From. */
  readonly from: string | undefined;
  /** TLS-Report-Submitter (RFC 8460 §5.3). */
  readonly submitter: string | undefined;
  /** TLS-Report-Domain. */
  readonly domain: string | undefined;
  readonly messageId: string | undefined;
  readonly dkim: DkimVerdict;
}

/** One report, or one refusal, out of a body, a mail or a file. */
export interface Reading {
  /** File name, and which report in it from the second on. */
  readonly name: string;
  readonly via: Via;
  /** Address of the peer, where there is one. */
  readonly peer?: string;
  readonly mail?: MailEnvelope;
  /** The report as it came, still packed. */
  readonly raw: Uint8Array;
  readonly parsed: Result<ParsedReport, Failure>;
}

/** A reading that was judged. */
export interface JudgedReading extends Reading, TrustVerdict {
  /** The reporter's organisational domain, else its name in lower case: who it is counted as. */
  readonly reporter: string;
}

const counting: ReadonlySet<Trust> = new Set(['signed', 'posted', 'given']);

/** Whether a report goes into the totals. */
export function counts(trust: Trust): boolean {
  return counting.has(trust);
}
