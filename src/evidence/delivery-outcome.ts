/**
 * `hermetic.outcome/1`: one delivery attempt to a next hop, connection by connection,
 * with everything a TLS-RPT report needs (RFC 8460 §4). A stable contract: fields are
 * added, never renamed. Foreign text is stored as received and neutralised only if it
 * is shown.
 */
import type { AuthMechanism, Reason, Waiver } from '../tls-policy/index.js';
import type { PolicyType, ResultType } from '../tls-rpt/index.js';
import type { FailureEvidence } from './failure-evidence.js';
import type { MailCertificate } from './check-result.js';

export interface DeliveryOutcome {
  readonly schema: 'hermetic.outcome/1';
  /** The next-hop domain in A-labels, or the address that was the next hop. */
  readonly domain: string;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /**
   * `connected`: the caller received a session that meets the decision; the result of the
   * delivery is unknown. `deferred`: a later attempt may succeed. `rejected`: the failure
   * is permanent.
   */
  readonly result: 'connected' | 'delivered' | 'deferred' | 'rejected';
  /** The failure that determined the result, if no mail was delivered. */
  readonly failure?: FailureEvidence;
  /** The suspended requirements and the reason. */
  readonly waiver?: Waiver;
  /** Name in EHLO. */
  readonly helo: string;
  /**
   * Every policy that affected the decision; attempts refer to them by index. The list is
   * never empty: if no policy applies, it contains a policy of type `no-policy-found`.
   */
  readonly policies: readonly AppliedPolicy[];
  /**
   * Attempts in the order in which hosts and addresses were tried. A host that must not
   * be used is listed without an address.
   */
  readonly attempts: readonly DeliveryAttempt[];
}

/** One policy as RFC 8460 §4.4 names it. */
export interface AppliedPolicy {
  readonly type: PolicyType;
  /** policy-domain: the next-hop domain, for `tlsa` the TLSA base domain. */
  readonly domain: string;
  /** policy-string: the policy's lines (§4.5), or `3 1 1 <hex>` for each record. */
  readonly strings: readonly string[];
  /** mx-host: the patterns of an MTA-STS policy. */
  readonly mxHosts: readonly string[];
  readonly mode?: 'enforce' | 'testing' | 'none';
  /** The fault of the policy itself. It applies to every session. */
  readonly failure?: PolicyFailure;
  /** The TLS-RPT record of the policy domain: the recipients of reports. */
  readonly tlsRpt: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
    readonly record?: string;
  };
}

export interface PolicyFailure {
  readonly resultType: ResultType;
  /** The failure code of this program and its particulars: failure-reason-code. */
  readonly code: string;
  readonly detail: string;
}

export interface DeliveryAttempt {
  readonly at: string;
  readonly milliseconds: number;
  /** MX host as the MX record names it. */
  readonly host: string;
  readonly preference: number;
  /** receiving-ip; absent if the host must not be used or has no address. */
  readonly ip?: string;
  readonly port: number;
  /** sending-mta-ip. */
  readonly localIp?: string;
  /** receiving-mx-helo: the name in the server's greeting. */
  readonly greeting?: string;
  /**
   * `refused`: not contacted, since a policy forbids it. `unreachable`: no SMTP session.
   * `failed`: the session did not meet the requirement, or a peer refused it. `used`: the
   * session was used for mail or given to the caller.
   */
  readonly state: 'refused' | 'unreachable' | 'failed' | 'used';
  /** The TLS requirement. */
  readonly tls: 'opportunistic' | 'mandatory';
  readonly authenticate: readonly AuthMechanism[];
  readonly reasons: readonly Reason[];
  /**
   * The reason why the host or address was not used. With a waiver, this is the reason
   * that would have excluded the host.
   */
  readonly failure?: FailureEvidence;
  /** A completed handshake, or a handshake whose failure alone determined the result. */
  readonly session?: SessionFacts;
  /** True if mail was sent, or would have been sent, in plaintext. */
  readonly cleartext: boolean;
  /**
   * One result for each policy that applies to this attempt. Empty if no server was
   * reached: reports omit attempts without a session (RFC 8460 §4.3.4).
   */
  readonly results: readonly PolicyResult[];
}

export interface SessionFacts {
  readonly version: string;
  /** IANA name. */
  readonly suite: string;
  /** IANA name; absent if no group was agreed on (static RSA) or its name is unknown. */
  readonly group?: string;
  /**
   * True if the key exchange has a post-quantum part, so that a recording cannot be
   * decrypted later. Absent if the group is unknown, and in outcomes of earlier versions.
   */
  readonly postQuantum?: boolean;
  readonly sni: string;
  /** Absent if no certificate could be read. */
  readonly certificate?: Omit<MailCertificate, 'sni'>;
}

/** The effect of one session on one policy: success, or the RFC 8460 result type. */
export interface PolicyResult {
  /** Index into `policies`. */
  readonly policy: number;
  readonly failure?: PolicyFailure;
}
