import type { RecordFault } from '../../dane/index.js';
import type { Finding, FixStep } from '../../evidence/index.js';

/**
 * What a finding's text may speak of. Foreign text in it is neutralised by the renderers.
 */
export interface FindingValues {
  readonly domain: string;
  /** The MX host, empty for findings on the domain. */
  readonly host: string;
  readonly ip: string;
  /**
   * Every MX host that exists, in the order of preference: no advice leads anywhere else.
   */
  readonly mx: readonly string[];
  /** Preference of the MX record of `host`. */
  readonly preference: number;
  /** The host that the MX record should name, where that is certain. */
  readonly meant: string | undefined;
  /** Particulars as one phrase: a reply, a date, a failure's detail. */
  readonly detail: string;
  /** The value at fault and what is wrong with it. */
  readonly reason: string | undefined;
  /** Why TLSA records do not match. */
  readonly tlsa: readonly RecordFault[];
  /** A record 3 1 1 for the key in use is published. */
  readonly tlsaOfKey: boolean;
  /** The server's own 4yz or 5yz reply. */
  readonly reply: string | undefined;
  /** An identifier for the next policy version, made from the time of the check. */
  readonly policyId: string;
  /** The policy as served, with its mode. */
  readonly policy:
    | {
        readonly mode: 'enforce' | 'testing' | 'none';
        readonly maxAge: number;
        readonly mx: readonly string[];
      }
    | undefined;
  readonly tlsRpt: boolean;
  /** MX hosts whose certificates an MTA-STS sender would refuse. */
  readonly notReady: readonly string[];
  /** SHA-256 of the public key seen, lower-case hex. */
  readonly spkiSha256: string;
  readonly resolver: string;
}

type Text = string | ((values: FindingValues) => string);

/** One row of the catalogue. */
export interface FindingEntry {
  readonly title: Text;
  /** What an attacker can do, or what happens to mail. */
  readonly why: Text;
  readonly reference: string;
  readonly owner: Finding['owner'];
  readonly fix: Text;
  readonly steps: (values: FindingValues) => readonly FixStep[];
}

export const dns = (text: string): FixStep => ({ kind: 'dns', text });
export const config = (text: string): FixStep => ({ kind: 'config', text });
export const command = (text: string): FixStep => ({ kind: 'command', text });
export const wait = (text: string): FixStep => ({ kind: 'wait', text });
export const confirm = (text: string): FixStep => ({ kind: 'confirm', text });

/** The last step of every repair. */
export const checkAgain = (v: FindingValues): FixStep => confirm(`hermetic check ${v.domain}`);

/** Nothing to do. */
export const noSteps = (): readonly FixStep[] => [];

export function say(text: Text, values: FindingValues): string {
  return typeof text === 'string' ? text : text(values);
}
