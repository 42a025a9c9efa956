import type { Failure, Result } from '../base/index.js';
import type { ParsedReport } from '../tls-rpt/index.js';

/** How a report came. */
export type Via = 'https' | 'mail' | 'file';

/**
 * How far a report can be trusted. Three verdicts count: `signed` (a DKIM signature of the
 * reporter's organisation), `given` (a bare file that the operator imported) and `posted`
 * (HTTPS, which RFC 8460 leaves unsigned). Only the first two are authenticated. The rest is
 * kept and shown, and does not count. `unsigned`, `broken` (the signature is invalid),
 * `misaligned` (another organisation signed) and `unverifiable` (the key lookup failed) judge
 * the mail; `other-domain`, `future` and `stale` judge the content; `superseded` is an
 * unauthenticated report whose id an authenticated one of other content carries.
 */
export type Trust =
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

/** Higher is better; 0 does not count. */
const ranks: Readonly<Partial<Record<Trust, number>>> = { signed: 3, given: 2, posted: 1 };

/** Returns the rank of a verdict: of several copies of a report the highest one counts. */
export function trustRank(trust: Trust): number {
  return ranks[trust] ?? 0;
}

/** Whether a report goes into the totals. */
export function counts(trust: Trust): boolean {
  return trustRank(trust) > 0;
}

/** Whether a report is evidence: a signature or the operator vouches for its reporter. */
export function isAuthenticated(trust: Trust): boolean {
  return trustRank(trust) >= 2;
}
