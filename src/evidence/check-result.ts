/**
 * `hermetic.check/1`: the verdict on a domain. A stable contract: fields are added, never
 * renamed.
 */
import type { TlsaCoverage, TlsaRole } from '../dane/index.js';
import type { Dnssec } from '../dns/index.js';
import type { StoreIdentity } from '../x509/index.js';
import type { Exposure } from '../tls-policy/index.js';
import type { Depth, TrustPath } from './evidence.js';

/**
 * The verdict on a domain. The order of precedence is `fail`, `inconclusive`, `warn`,
 * `pass`: an unknown fact affects the verdict only if the fact could lower the verdict.
 * `not-applicable`: the domain has no mail to protect.
 */
export type Verdict = 'pass' | 'warn' | 'fail' | 'inconclusive' | 'not-applicable';
/** The effect of a finding on the verdict; `info` and `good` have none. */
export type Severity = 'fail' | 'warn' | 'info' | 'good';
/** `TLSv1` is TLS 1.0. */
export type TlsVersion = 'SSLv2' | 'SSLv3' | 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** The rows of the scorecard; `network`: the network of the check, never the domain. */
export const topics = [
  'mx',
  'dnssec',
  'starttls',
  'tls-version',
  'cipher',
  'certificate',
  'dane',
  'mta-sts',
  'tls-rpt',
  'network',
] as const;
export type Topic = (typeof topics)[number];

/** The result of a check: a domain graded by one profile. */
export interface CheckResult {
  readonly schema: 'hermetic.check/1';
  /** The domain in A-labels, without a final dot. */
  readonly domain: string;
  /** The U-label form, if it differs and cannot be mistaken for another name. */
  readonly domainUnicode?: string | undefined;
  /** RFC 3339 UTC. */
  readonly checkedAt: string;
  /** Name of the profile that the domain was graded by. */
  readonly profile: string;
  readonly depth: Depth;
  readonly verdict: Verdict;
  /** The outcome for mail by class of sender and attack. */
  readonly exposure: Exposure;
  /** `dnssec` of the MX RRset or its denial. */
  readonly route: {
    readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error';
    readonly dnssec: Dnssec;
  };
  readonly hosts: readonly MailHost[];
  readonly mtaSts: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
    readonly id?: string | undefined;
    readonly mode?: 'enforce' | 'testing' | 'none' | undefined;
    /** Lifetime of the policy in seconds, at most a year. */
    readonly maxAge?: number | undefined;
    /** Patterns in lower case, as in the policy. */
    readonly mx?: readonly string[] | undefined;
    /** Failure codes, in the order of occurrence. */
    readonly problems: readonly string[];
    /** Each address of the policy host. Absent at depth `triage`. */
    readonly addresses?: readonly PolicyHostAddress[] | undefined;
  };
  /**
   * The earliest expiring signature of each zone. Absent if no signature was received.
   */
  readonly signatures?: readonly ZoneSignature[] | undefined;
  readonly tlsRpt: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
    /** URIs as published. */
    readonly rua: readonly string[];
    /** Failure codes, in the order of occurrence. */
    readonly problems: readonly string[];
  };
  /** The control host, checked over the same network. */
  readonly control?:
    { readonly host: string; readonly starttls: MailAddress['starttls'] } | undefined;
  readonly findings: readonly Finding[];
  /** Rules of the profile that this depth does not test. */
  readonly notLookedAt: readonly string[];
  /**
   * Rules of the profile whose facts could not be looked up: the absence of their
   * findings proves nothing.
   */
  readonly undecided?: readonly string[] | undefined;
  /** Tests of the profile that were completed and found no fault, by topic. */
  readonly passed?: readonly PassedTest[] | undefined;
  /** The origin of the result; absent in results of version 0.1.0. */
  readonly provenance?: Provenance | undefined;
  /** TCP connections opened to mail hosts. */
  readonly connections: number;
}

/** One address of the policy host. */
export interface PolicyHostAddress {
  readonly ip: string;
  /** Expiry of the certificate, RFC 3339 UTC; absent if no policy was obtained. */
  readonly notAfter?: string | undefined;
  /** Failure code. */
  readonly problem?: string | undefined;
}

/** The earliest expiring signature of a zone. Times are RFC 3339 UTC. */
export interface ZoneSignature {
  readonly zone: string;
  /** The signed RRset, as `example.com MX`. */
  readonly rrset: string;
  readonly notAfter: string;
}

/** A test that was completed and found no fault. */
export interface PassedTest {
  /** The id of the finding that a failed test would have raised. */
  readonly id: string;
  readonly topic: Topic;
  /** The fact, such as `The certificate has not expired`. */
  readonly title: string;
  /** The clause, as `RFC 7672 §3.1.1`. */
  readonly reference: string;
}

/** The origin of a result: enough to repeat the check and to compare two results. */
export interface Provenance {
  readonly tool: { readonly name: string; readonly version: string };
  /** The program that collected the evidence, if it was recorded. */
  readonly collector?: { readonly name: string; readonly version: string } | undefined;
  /** Date of the edition of the profile that `profile` names. */
  readonly profileDate: string;
  readonly vantage: {
    /** Source addresses of the connections that the check opened. */
    readonly addresses: readonly string[];
    /** The name sent in EHLO. */
    readonly helo: string;
    readonly ipv6: 'available' | 'unavailable' | 'unknown';
  };
  readonly resolvers: readonly string[];
  /** The root stores used to judge the chains; absent if they have no name. */
  readonly trustStores?: readonly StoreIdentity[] | undefined;
  /** The evidence as canonical JSON (RFC 8785): its SHA-256 in lower-case hex. */
  readonly evidenceSha256: string;
}

/** One MX host. */
export interface MailHost {
  /** A-labels in lower case, no final dot. */
  readonly name: string;
  readonly preference: number;
  /** The status of the address lookup, aliases included. */
  readonly dnssec: Dnssec;
  /** Whether the policy in force, enforced or tested, names the host. */
  readonly mtaStsMatch: 'match' | 'mismatch' | 'not-applicable';
  readonly tlsa: {
    readonly status: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail';
    /** `3 1 1 <lower-case hex>`, in the order of the answer. */
    readonly records: readonly string[];
    /** The purpose of each record, in the order of `records`. */
    readonly roles?: readonly TlsaRole[];
    readonly rollover?: TlsaCoverage;
  };
  /** The reason why senders skip this MX record: its name belongs to no host. */
  readonly passedOver?: 'address-literal' | 'special-name' | 'no-address';
  /** `failed` if the address lookup failed, so that no address is known. */
  readonly addressLookup?: 'failed' | undefined;
  /** The outcome for mail if this host were the only host. */
  readonly exposure?: Exposure;
  readonly addresses: readonly MailAddress[];
}

/** One address of an MX host, and the server that answers there. */
export interface MailAddress {
  readonly ip: string;
  /**
   * `skipped`: this machine could not connect to the address, or is configured not to. A
   * skipped address never lowers the verdict.
   */
  readonly status: 'reachable' | 'unreachable' | 'inconclusive' | 'skipped';
  /** A failure code. */
  readonly reason?: string;
  /** The 4yz or 5yz reply that ended the conversation, as received. */
  readonly reply?: string;
  /** TCP connections opened to this address. */
  readonly connections: number;
  readonly starttls: 'offered' | 'absent' | 'mangled' | 'refused' | 'unknown';
  readonly tls: {
    readonly versions: Readonly<Record<TlsVersion, 'accepted' | 'refused' | 'unknown'>>;
    /**
     * Accepted suites by IANA name; below depth `inventory`, only suites that the answers
     * of the server revealed.
     */
    readonly suites: readonly { readonly version: string; readonly name: string }[];
    /** The side whose preference determines the suite, by version. */
    readonly order: Readonly<Record<string, 'server' | 'client' | 'unknown'>>;
    /** IANA names. */
    readonly groups: readonly string[];
  };
  readonly certificates: readonly MailCertificate[];
  /**
   * Whether a client without SNI received the same key as one with SNI, or was refused.
   * Absent if the check tried no handshake without SNI.
   */
  readonly withoutSni?: 'same-key' | 'other-key' | 'refused' | undefined;
  /**
   * The host whose connections these facts come from, if a scan inferred them and did not
   * connect for this host.
   */
  readonly inferredFrom?: string | undefined;
  /** The worst result of a ClientHello of about 1,550 octets. */
  readonly largeHello?: 'answered' | 'lost' | 'unknown' | undefined;
  /**
   * Whether a recording of today's sessions can be decrypted once quantum computers break
   * the classical key exchange. `prevented` applies to senders that offer a post-quantum
   * group.
   */
  readonly decryptedLater?: 'possible' | 'prevented' | 'unknown' | undefined;
  /** The answers to recorded hellos of senders, if the options request them. */
  readonly senders?: readonly SenderResult[] | undefined;
  /** The outcome for mail if this address were the only address. */
  readonly exposure?: Exposure;
  /**
   * The same server on the ports for mail clients, if the options request them or port 25
   * has no STARTTLS; `starttls` is `offered` at port 465 if the server completes TLS
   * there.
   */
  readonly submission?: readonly SubmissionPort[];
}

/** The session that the hello of a sender would get. */
export interface SenderResult {
  /** Identifier of the recorded hello. */
  readonly sender: string;
  readonly name: string;
  readonly result: 'session' | 'refused' | 'unknown';
  /** As `TLSv1.3`. */
  readonly version?: string | undefined;
  /** IANA name. */
  readonly suite?: string | undefined;
  /** IANA name; absent if no named group was agreed on. */
  readonly group?: string | undefined;
  readonly postQuantum?: boolean | undefined;
  /** The alert that refused the hello; absent if the server closed the connection. */
  readonly alert?: number | undefined;
  /** A failure code, if the connection did not reach TLS. */
  readonly reason?: string | undefined;
}

/** Port 465 or 587 of the same address. */
export type SubmissionPort = Omit<
  MailAddress,
  'ip' | 'exposure' | 'submission' | 'inferredFrom'
> & {
  readonly port: number;
};

/** A certificate that the server presented, with the result for each kind of sender. */
export interface MailCertificate {
  readonly keyAlgorithm: string;
  readonly keyBits: number;
  readonly signature: string;
  /** dNSNames in lower case. */
  readonly names: readonly string[];
  /** RFC 3339 UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** The name in SNI. */
  readonly sni: string;
  /** Subjects, leaf first, in the order the server sent. */
  readonly chainAsSent: readonly string[];
  readonly chain: 'trusted' | 'incomplete' | 'self-signed' | 'unknown-ca' | 'unknown';
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  /** The comparison of the names with the MX host name. */
  readonly nameMatch: 'match' | 'mismatch';
  readonly dane: 'match' | 'mismatch' | 'unverifiable' | 'not-applicable';
  /** The TLSA record that matches. */
  readonly daneRecord?: string;
  /**
   * The judgement of a sender with the MTA-STS policy: host in the policy, chain, date
   * and name (RFC 8461 §4).
   */
  readonly mtaSts?: 'match' | 'mismatch' | 'unknown' | 'not-applicable';
  /** Digest of the public key as in TLSA `3 1 1`, lower-case hex. */
  readonly spkiSha256: string;
  /** The root of a trusted chain, and the dates at which its path expires. */
  readonly trustPath?: TrustPath | undefined;
}

/** One observation, with its consequence, the fix and the responsible party. */
export interface Finding {
  /** Stable kebab-case: see the findings catalogue. */
  readonly id: string;
  /** The row of the scorecard; absent in results of version 0.1.0. */
  readonly topic?: Topic | undefined;
  readonly severity: Severity;
  /** Domain, host, or `host [ip]`. */
  readonly subject: string;
  readonly title: string;
  readonly why: string;
  /** The faulty value and its fault: the record, the line, the reply, the extension. */
  readonly reason?: string;
  /** The clause, as `RFC 7672 §3.1.1`. */
  readonly reference: string;
  /** The party that can apply the fix. */
  readonly owner: 'domain' | 'mail-host' | 'dns-host' | 'own-network';
  /** One sentence. */
  readonly fix: string;
  /** Steps in an order that never interrupts delivery. */
  readonly steps: readonly FixStep[];
}

/** One step of a fix. */
export interface FixStep {
  readonly kind: 'dns' | 'config' | 'command' | 'wait' | 'confirm';
  /** The whole step: the instruction, then the code on separate lines. */
  readonly text: string;
  /** The step without its code; present exactly if `code` is present. */
  readonly instruction?: string | undefined;
  /** A record, a setting or a command, complete and without other text: safe to paste. */
  readonly code?: string | undefined;
}
