/** `hermetic.check/1`: the verdict on a domain. A stable contract: fields are added, never renamed. */
import type { RolloverState, TlsaRole } from '../dane/index.js';
import type { Dnssec } from '../dns/index.js';
import type { Exposure } from '../policy/index.js';
import type { Depth } from './evidence.js';

export type Verdict = 'pass' | 'warn' | 'fail' | 'inconclusive' | 'not-applicable';
export type Severity = 'fail' | 'warn' | 'info' | 'good';
export type TlsVersion = 'SSLv2' | 'SSLv3' | 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface CheckResult {
  readonly schema: 'hermetic.check/1';
  /** A-label, no final dot. */
  readonly domain: string;
  /** RFC 3339 UTC. */
  readonly checkedAt: string;
  readonly profile: string;
  readonly depth: Depth;
  readonly verdict: Verdict;
  readonly exposure: Exposure;
  readonly route: { readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error'; readonly dnssec: Dnssec };
  readonly hosts: readonly MailHost[];
  readonly mtaSts: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
    readonly id?: string;
    readonly mode?: 'enforce' | 'testing' | 'none';
    readonly maxAge?: number;
    readonly mx?: readonly string[];
    readonly problems: readonly string[];
  };
  readonly tlsRpt: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
    readonly rua: readonly string[];
    readonly problems: readonly string[];
  };
  /** The control host, asked over the same network. */
  readonly control?: { readonly host: string; readonly starttls: MailAddress['starttls'] };
  readonly findings: readonly Finding[];
  /** Rules of the profile that this depth does not ask. */
  readonly notLookedAt: readonly string[];
  /** TCP connections opened to mail hosts. */
  readonly connections: number;
}

export interface MailHost {
  readonly name: string;
  readonly preference: number;
  readonly dnssec: Dnssec;
  readonly mtaStsMatch: 'match' | 'mismatch' | 'not-applicable';
  readonly tlsa: {
    readonly status: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail';
    readonly records: readonly string[];
    /** What each record is there for, in the order of `records`. */
    readonly roles?: readonly TlsaRole[];
    readonly rollover?: RolloverState;
  };
  /** Were this host the only one. */
  readonly exposure?: Exposure;
  readonly addresses: readonly MailAddress[];
}

export interface MailAddress {
  readonly ip: string;
  readonly status: 'reachable' | 'unreachable' | 'inconclusive' | 'skipped';
  readonly reason?: string;
  readonly connections: number;
  readonly starttls: 'offered' | 'absent' | 'mangled' | 'refused' | 'unknown';
  readonly tls: {
    readonly versions: Readonly<Record<TlsVersion, 'accepted' | 'refused' | 'unknown'>>;
    readonly suites: readonly { readonly version: string; readonly name: string }[];
    readonly order: Readonly<Record<string, 'server' | 'client' | 'unknown'>>;
    readonly groups: readonly string[];
  };
  readonly certificates: readonly MailCertificate[];
  /** Were this address the only one. */
  readonly exposure?: Exposure;
  /** The same server where mail clients hand in, where that was asked for; `starttls` is `offered` at 465 when TLS is spoken there. */
  readonly submission?: readonly SubmissionPort[];
}

export type SubmissionPort = Omit<MailAddress, 'ip' | 'exposure' | 'submission'> & { readonly port: number };

export interface MailCertificate {
  readonly keyAlgorithm: string;
  readonly keyBits: number;
  readonly signature: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly sni: string;
  /** Subjects, leaf first, in the order the server sent. */
  readonly chainAsSent: readonly string[];
  readonly chain: 'trusted' | 'incomplete' | 'self-signed' | 'unknown-ca' | 'unknown';
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  /** Against the MX host name. */
  readonly nameMatch: 'match' | 'mismatch';
  readonly dane: 'match' | 'mismatch' | 'unverifiable' | 'not-applicable';
  /** The TLSA record that matches. */
  readonly daneRecord?: string;
  /** What a sender with the MTA-STS policy says of it: host in the policy, chain, date and name (RFC 8461 §4). */
  readonly mtaSts?: 'match' | 'mismatch' | 'unknown' | 'not-applicable';
  readonly spkiSha256: string;
}

export interface Finding {
  /** Stable kebab-case: see the findings catalogue. */
  readonly id: string;
  readonly severity: Severity;
  /** Domain, host, or `host [ip]`. */
  readonly subject: string;
  readonly title: string;
  readonly why: string;
  /** The clause, as `RFC 7672 §3.1.1`. */
  readonly reference: string;
  /** Who can repair it. */
  readonly owner: 'domain' | 'mail-host' | 'dns-host' | 'own-network';
  /** One sentence. */
  readonly fix: string;
  /** In the order that never interrupts mail. */
  readonly steps: readonly FixStep[];
}

export interface FixStep {
  readonly kind: 'dns' | 'config' | 'command' | 'wait' | 'confirm';
  readonly text: string;
}
