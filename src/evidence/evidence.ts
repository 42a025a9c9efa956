/**
 * `hermetic.evidence/1`: observations as plain JSON, without any judgement. Profiles
 * grade only facts that derive from these observations, so saved evidence can be graded
 * again offline. Text from peers is stored as received (ISO 8859-1) and neutralised only
 * if it is shown.
 */
import type { Dnssec, UnsupportedZone } from '../dns/index.js';
import type { StoreIdentity } from '../x509/index.js';
import type { ContinuityEvidence, PolicyAddressEvidence } from './continuity.js';
import type { FailureEvidence } from './failure-evidence.js';
import type { ProbeEvidence } from './probe-evidence.js';

export type Depth = 'triage' | 'verdict' | 'inventory';

export interface Evidence {
  readonly schema: 'hermetic.evidence/1';
  /** The domain in A-labels, without a final dot. */
  readonly domain: string;
  /** Time of the check, RFC 3339 UTC: also the time at which certificates are judged. */
  readonly collectedAt: string;
  /** The program that collected the evidence; absent in evidence of version 0.1.0. */
  readonly tool?: { readonly name: string; readonly version: string } | undefined;
  readonly depth: Depth;
  readonly helo: string;
  readonly smtpPort: number;
  readonly route: RouteEvidence;
  readonly hosts: readonly HostEvidence[];
  readonly mtaSts: MtaStsEvidence;
  readonly tlsRpt: TlsRptEvidence;
  readonly network: NetworkEvidence;
  /** Absent at depth `triage`, without a mail host, and in evidence of earlier versions. */
  readonly continuity?: ContinuityEvidence | undefined;
  /** The root stores used to judge the chains; absent if they have no name. */
  readonly trustStores?: readonly StoreIdentity[] | undefined;
}

export interface RouteEvidence {
  readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error';
  /** Status of the MX RRset or of its denial. */
  readonly dnssec: Dnssec;
  /** `nxdomain` when the policy domain itself does not exist. */
  readonly status: 'found' | 'nodata' | 'nxdomain' | 'failed';
  readonly failure?: FailureEvidence;
  /** Mail hosts beyond the limit of the run; they were not probed. */
  readonly skipped?: readonly string[];
  /** True if a null MX exists next to other MX records (RFC 7505 §3). */
  readonly besideNullMx?: true;
}

export interface HostEvidence {
  /** The MX host as the MX record names it: the reference identifier of MTA-STS. */
  readonly name: string;
  readonly preference: number;
  /** Status of the address records that were found, aliases included. */
  readonly dnssec: Dnssec;
  /**
   * Present if the zone of the addresses is signed, but none of its algorithms is
   * supported: the zone counts as unsigned.
   */
  readonly unsupported?: UnsupportedZone;
  /**
   * Set when the MX host is an alias: its target, and whether every link was secure (RFC
   * 7672 §2.2.2).
   */
  readonly alias?: { readonly canonicalName: string; readonly secure: boolean };
  readonly addressLookup: {
    readonly status: 'found' | 'absent' | 'failed';
    readonly failure?: FailureEvidence;
  };
  readonly tlsa: TlsaEvidence;
  readonly addresses: readonly AddressEvidence[];
  /**
   * The intended host, if the name lacks its final dot in the zone, and the intended host
   * exists.
   */
  readonly meant?: string;
}

export interface TlsaEvidence {
  /**
   * `usable`: secure, with at least one usable record. `unusable`: secure, without a
   * usable record. `absent`: DNSSEC proves that no record exists, or that the zone is
   * unsigned. `insecure`: records without DNSSEC. `bogus`, `tempfail`: unknown, so
   * senders defer the mail.
   */
  readonly status: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail';
  /** TLSA base domain that was used (RFC 7672 §2.2.2), without the `_25._tcp` prefix. */
  readonly base: string;
  /** The end of the alias chain, if the owner name of the records is an alias. */
  readonly alias?: string | undefined;
  /** Status of the lookup or of the denial. */
  readonly dnssec: Dnssec;
  /** `3 1 1 <lower-case hex>`, in the order of the answer. */
  readonly records: readonly string[];
  readonly failure?: FailureEvidence | undefined;
  /**
   * Records at names that no sender queries, as `_465._tcp.mx.example TLSA 3 1 1 ...`.
   */
  readonly elsewhere?: readonly string[] | undefined;
}

export interface AddressEvidence {
  readonly ip: string;
  /**
   * `skipped`: this machine could not connect to the address (no IPv6 route, limits). A
   * skipped address never lowers the verdict.
   */
  readonly status: 'reachable' | 'unreachable' | 'inconclusive' | 'skipped';
  readonly reason?: string;
  /** Every TCP connection opened to this address, in order. */
  readonly connections: readonly ConnectionEvidence[];
  /**
   * The same server on the ports for mail clients, if the options request them. Reports
   * show these ports, which do not affect the verdict.
   */
  readonly submission?: readonly SubmissionEvidence[];
  /**
   * The reason why the prober ended before it had an answer to every question of the
   * profile: `budget`, or a failure.
   */
  readonly stopped?: string;
  /**
   * The host for which these connections were opened. A scan did not connect for this
   * host, because all other hosts at this address received the same answer, which applies
   * to this host too.
   */
  readonly inferredFrom?: string | undefined;
}

/**
 * Port 587 begins in plaintext and offers STARTTLS, 465 begins with TLS (RFC 6409, RFC
 * 8314).
 */
export type SubmissionEvidence = Omit<AddressEvidence, 'ip' | 'submission' | 'inferredFrom'> & {
  readonly port: number;
};

export interface ReplyEvidence {
  readonly code: number;
  readonly lines: readonly string[];
}

/** One SMTP connection, up to and including the session after the TLS handshake. */
export interface ConnectionEvidence {
  readonly purpose: string; // 'handshake', or the prober's name for the hello
  /** Milliseconds from the start of the check. */
  readonly at: number;
  readonly milliseconds: number;
  readonly dial: 'open' | FailureEvidence;
  readonly greeting?: ReplyEvidence;
  readonly ehlo?: ReplyEvidence;
  readonly starttls: 'offered' | 'absent' | 'mangled' | 'refused' | 'unknown';
  /** The line that resembles a mangled STARTTLS keyword. */
  readonly mangledAs?: string;
  readonly starttlsReply?: ReplyEvidence;
  readonly handshake?: HandshakeEvidence;
  /** A completed handshake of a client that sent no SNI; its `sni` is empty. */
  readonly withoutSni?: HandshakeEvidence;
  /** The prober's question and the answer. */
  readonly probe?: ProbeEvidence;
  /**
   * The chain of a handshake that was not completed (TLS 1.2 and earlier send the chain
   * in plaintext).
   */
  readonly presented?: PresentedChain;
  /** The effect of a NOOP sent in plaintext after STARTTLS. */
  readonly injection?: 'executed' | 'discarded' | 'unknown';
  /** A TLS 1.2 server's answer to a second handshake that the client started. */
  readonly renegotiation?: 'accepted' | 'refused' | 'unknown';
  /** True if the connection is copied from the evidence of an earlier run. */
  readonly earlier?: true;
  readonly ehloAfterTls?: ReplyEvidence;
  /** The cause of an early end, as an smtp, tls or net failure code. */
  readonly failure?: FailureEvidence;
  readonly transcript: readonly TranscriptLine[];
}

export interface TranscriptLine {
  /** Client, server, or a note of this program such as `TLS handshake`. */
  readonly from: 'C' | 'S' | '-';
  readonly text: string;
  /** Milliseconds from the start of the connection. */
  readonly at: number;
}

/** A chain as a server sent it. */
export interface PresentedChain {
  readonly sni: string;
  /** DER in base64, exactly in the order the server sent. */
  readonly chain: readonly string[];
  /** The judgement of the chain by the trust store of this run, at `collectedAt`. */
  readonly pkix: {
    readonly chain: 'trusted' | 'incomplete' | 'self-signed' | 'unknown-ca' | 'unknown';
    /** The validity of the whole path that was found, not of the leaf alone. */
    readonly validity: 'valid' | 'expired' | 'not-yet-valid';
    readonly problems: readonly string[];
    /**
     * The anchor of the path that was found, DER in base64, if the server did not send
     * it.
     */
    readonly anchor?: string | undefined;
    /** The path of a trusted chain. Absent in evidence of earlier versions. */
    readonly path?: TrustPath | undefined;
  };
}

/** The root that makes a chain trusted, and the dates at which the trust ends. */
export interface TrustPath {
  /** Subject of the root. */
  readonly root: string;
  /** RFC 3339 UTC. */
  readonly rootNotAfter: string;
  /**
   * End of the first certificate between leaf and root that expires, such as a
   * cross-signed root; absent if the root issued the leaf. RFC 3339 UTC.
   */
  readonly issuersNotAfter?: string | undefined;
}

/** A handshake that was completed. */
export interface HandshakeEvidence extends PresentedChain {
  readonly version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly suite: string; // IANA name
  readonly group?: string; // IANA name
}

export interface TxtEvidence {
  /** Answer of the TXT lookup: the character strings of each record joined. */
  readonly texts: readonly string[];
  readonly lookup: 'found' | 'absent' | 'failed';
  readonly dnssec: Dnssec;
  readonly failure?: FailureEvidence;
  /**
   * Records at names that no sender queries, if the correct name has none, as
   * `mta-sts.one.example TXT "v=STSv1; id=1"`.
   */
  readonly elsewhere?: readonly string[] | undefined;
}

export interface MtaStsEvidence {
  readonly txt: TxtEvidence;
  readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
  readonly id?: string;
  readonly policy?: {
    readonly mode: 'enforce' | 'testing' | 'none';
    readonly maxAge: number;
    readonly mx: readonly string[];
    readonly body: string;
  };
  /**
   * The policy host that served the policy: its address and its validated chain, leaf
   * first, DER in base64. Absent in evidence of earlier versions.
   */
  readonly policyHost?: { readonly address: string; readonly chain: readonly string[] } | undefined;
  /**
   * The addresses of the policy host, each queried separately, at most four. Absent at
   * depth `triage` and in evidence of earlier versions.
   */
  readonly policyAddresses?: readonly PolicyAddressEvidence[] | undefined;
  /** Failure codes of mta-sts, in the order of occurrence. */
  readonly problems: readonly FailureEvidence[];
  /**
   * The status of the address lookup of the policy host, if its addresses could be
   * forged.
   */
  readonly hostDnssec?: Dnssec;
}

export interface TlsRptEvidence {
  readonly txt: TxtEvidence;
  readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
  readonly rua: readonly string[];
  readonly problems: readonly FailureEvidence[];
}

export interface NetworkEvidence {
  /**
   * `blocked` if every connection to port 25 timed out; `open` if one succeeded.
   */
  readonly port25: 'open' | 'blocked' | 'unknown';
  readonly ipv6: 'available' | 'unavailable' | 'unknown';
  /** A host known to offer STARTTLS, checked over the same network (`--control`). */
  readonly control?: {
    readonly host: string;
    readonly starttls: ConnectionEvidence['starttls'];
    readonly failure?: FailureEvidence;
  };
  readonly resolver: readonly { readonly label: string; readonly state: string }[];
  /** Source addresses of the connections to mail hosts, at most eight. */
  readonly sources?: readonly string[] | undefined;
}
