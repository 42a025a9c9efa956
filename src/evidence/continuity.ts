import type { Dnssec } from '../dns/index.js';
import type { FailureEvidence } from './failure-evidence.js';

/**
 * Facts that determine whether mail TLS will continue to work: the expiration of
 * signatures, the permission to renew certificates, and the names that records refer to.
 */
export interface ContinuityEvidence {
  /**
   * For each zone, the earliest expiring signature of the answers that mail depends on.
   */
  readonly signatures: readonly SignatureEvidence[];
  /** Answers of the authoritative servers of the domain, at most six. */
  readonly servers: readonly ServerSignature[];
  readonly caa: readonly CaaEvidence[];
  readonly references: readonly ReferenceEvidence[];
}

/** One signature of a validated answer. Times are RFC 3339 UTC. */
export interface SignatureEvidence {
  /** A-labels, no final dot; empty for the root. */
  readonly zone: string;
  /** The signed RRset, as `_25._tcp.mx.example TLSA`. */
  readonly rrset: string;
  readonly inception: string;
  readonly expiration: string;
  /** True if the zone is a registry or the root, which the domain cannot sign. */
  readonly registry?: true | undefined;
  /**
   * Expire field of the SOA record, seconds: the time for which a secondary without
   * contact to the primary serves old data.
   */
  readonly soaExpire?: number | undefined;
}

/** The signature of the MX RRset as one authoritative server returns it. */
export interface ServerSignature {
  readonly server: string;
  readonly address: string;
  /** RFC 3339 UTC; absent, as `expiration`, if the server returned no signature. */
  readonly inception?: string | undefined;
  readonly expiration?: string | undefined;
  readonly failure?: FailureEvidence | undefined;
}

/** The CAA records that a CA applies to the certificate of one host (RFC 8659 §3). */
export interface CaaEvidence {
  /** The mail or policy host. */
  readonly host: string;
  /**
   * The name in the certificate, such as `*.example.com`; without a certificate, the
   * host.
   */
  readonly certificateName: string;
  /** `absent`: neither the name nor any name above it has CAA records. */
  readonly status: 'found' | 'absent' | 'failed';
  /** The name that has the records, or whose lookup failed. */
  readonly at: string;
  /** The target of the alias of that name. */
  readonly alias?: string | undefined;
  readonly records: readonly {
    readonly critical: boolean;
    readonly tag: string;
    readonly value: string;
  }[];
  readonly dnssec: Dnssec;
  readonly failure?: FailureEvidence | undefined;
}

/** A name that a record or the policy of the domain refers to. */
export interface ReferenceEvidence {
  /**
   * `policy-host` and `sts-record`: `mta-sts` and `_mta-sts` below the domain; `policy-mx`:
   * a pattern of the policy; `mx`: a host of the route without addresses; `report`: a URI of
   * the TLS-RPT record.
   */
  readonly role: 'policy-host' | 'sts-record' | 'policy-mx' | 'mx' | 'report';
  /** As published: a name, a pattern or a URI. */
  readonly value: string;
  /** The name that was looked up, or the end of its aliases. */
  readonly target: string;
  /** True if `target` is the end of an alias. */
  readonly alias?: true | undefined;
  /**
   * `receives`: the name has the records that the role needs. `nothing`: the name exists
   * without these records. `nxdomain`: the name does not exist. `refused`: its HTTPS port
   * refuses connections. `failed`: unknown.
   */
  readonly status: 'receives' | 'nothing' | 'nxdomain' | 'refused' | 'failed';
  readonly dnssec: Dnssec;
  /** True if a wildcard synthesised the alias, so that the name itself has no records. */
  readonly wildcard?: true | undefined;
  /** The registrable domain of the target, if the DNS denies that it exists. */
  readonly deniedDomain?: string | undefined;
  /** A service at which any customer can claim a name such as the target. */
  readonly service?: string | undefined;
  readonly failure?: FailureEvidence | undefined;
}

/** The policy and the chain that one address of the policy host served. */
export interface PolicyAddressEvidence {
  readonly address: string;
  /** Validated chain, leaf first, DER in base64; absent if no policy was obtained. */
  readonly chain?: readonly string[] | undefined;
  /** SHA-256 of the served policy, lower-case hex. */
  readonly policySha256?: string | undefined;
  readonly failure?: FailureEvidence | undefined;
}
