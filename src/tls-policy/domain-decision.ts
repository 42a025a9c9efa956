import type { Blame } from '../base/index.js';
import type { Dnssec, UnsupportedZone } from '../dns/index.js';
import type { StsMode } from '../mta-sts/index.js';
import type { Decision, Reason } from './decide-host.js';

/**
 * `hermetic.policy/1`: the requirement for mail to a domain now, with its grounds. A
 * stable contract: fields are added, never renamed. Times are RFC 3339 UTC. Names are
 * A-labels in lower case without final dot.
 */
export interface DomainDecision {
  readonly schema: 'hermetic.policy/1';
  /** The policy domain: the part after the @, or the smart host (RFC 8461 §3.4). */
  readonly domain: string;
  readonly decidedAt: string;
  /** The time of the next lookup: the earliest expiry of the facts of the decision. */
  readonly validUntil: string;
  /**
   * `deliver`: at least one host may be tried. `wait`: no host may be tried now.
   * `reject`: the domain accepts no mail, or does not exist.
   */
  readonly action: 'deliver' | 'wait' | 'reject';
  readonly route: {
    readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error' | 'host' | 'address';
    readonly dnssec: Dnssec;
    readonly trouble?: LookupFailure;
  };
  readonly mtaSts: StsDecision;
  /**
   * The MX hosts in the order of preference; a sender shuffles hosts of equal preference
   * (RFC 5321 §5.1).
   */
  readonly hosts: readonly HostDecision[];
  readonly settings: SenderSettings;
  /**
   * The reason why the decision is not enforced. The hosts still state the waived
   * requirements, so that a trial run shows its effect.
   */
  readonly waiver?: Waiver;
}

/**
 * A failure and its cause: `ours` if this machine's resolver or network prevents an
 * answer, `theirs` if the DNS or a server of the domain is broken.
 */
export interface LookupFailure {
  readonly code: string;
  readonly detail: string;
  readonly blame: Blame;
  readonly whose: 'ours' | 'theirs';
}

/** The MTA-STS policy in force and its origin (RFC 8461 §3.3, §5.1). */
export interface StsDecision {
  /**
   * `live`: fetched for this decision; `cached`: its id equals the published one; `kept`:
   * a lookup or fetch failed, and the cached policy stays in force until its max_age ends
   * (RFC 8461 §3.3); `none`: no policy.
   */
  readonly how: 'live' | 'cached' | 'kept' | 'none';
  readonly policy?: {
    readonly id: string;
    readonly mode: StsMode;
    readonly mx: readonly string[];
    /** Seconds. */
    readonly maxAge: number;
    readonly fetchedAt: string;
    readonly expiresAt: string;
    /** The policy file, as the policy host sent it. */
    readonly body: string;
  };
  readonly record: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail' | 'not-asked';
    readonly id?: string;
  };
  /** The reason why an expected policy is not in force. */
  readonly trouble?: LookupFailure;
}

/** One MX host. */
export interface HostDecision {
  /**
   * The name in the MX record, without alias expansion (RFC 7672 §2.2.1 [7672-2.2.1-4]).
   */
  readonly name: string;
  readonly preference: number;
  /** Literal addresses, in the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly dnssec: Dnssec;
  /**
   * The signed zone of the host's addresses, if the zone is treated as unsigned because
   * none of its algorithms is supported (RFC 9905 §2, RFC 9906 §2).
   */
  readonly unsupported?: UnsupportedZone;
  /** The reason why there are no addresses, or only addresses of one family. */
  readonly trouble?: LookupFailure;
  readonly tlsa: {
    readonly status:
      'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail' | 'unknown';
    /**
     * TLSA base domain (RFC 7672 §2.2.3): also the server name (SNI) if its records are
     * used.
     */
    readonly base: string;
    readonly dnssec: Dnssec;
    /** TLSA records in the form `3 1 1 <lower-case hex>`. */
    readonly records: readonly string[];
    readonly trouble?: LookupFailure;
  };
  /** The requirement before mail may be sent to the host. */
  readonly decision: Decision;
  /**
   * Server name of the TLS handshake: the TLSA base domain under DANE (RFC 7672 §8.1),
   * the MX host otherwise (RFC 8461 §7.1).
   */
  readonly sni: string;
  /**
   * Reference identifiers of a DANE-TA check (RFC 7672 §3.2.2); PKIX has only the host
   * name.
   */
  readonly referenceNames: readonly string[];
  /** The deciding grounds come first. */
  readonly grounds: readonly Rationale[];
}

/** One ground of a decision. */
export interface Rationale {
  readonly reason: Reason;
  /** The ground as one sentence. */
  readonly says: string;
  /** Clause of the ground, such as `RFC 7672 §2.2`. */
  readonly clause: string;
  /** The record or policy with this requirement. */
  readonly record?: string;
  readonly until?: string;
  /** The failed lookup that the ground depends on. */
  readonly trouble?: LookupFailure;
}

/** The settings of the sender, with defaults filled in. */
export interface SenderSettings {
  readonly dane: boolean;
  readonly mtaSts: boolean;
  readonly daneSuffices: boolean;
  readonly daneWithInsecureMx: boolean;
  /**
   * `tls`: never in plaintext; `dane`: mandatory DANE (RFC 7672 §6); `verified`:
   * REQUIRETLS (RFC 8689 §4.2.1).
   */
  readonly require?: 'tls' | 'dane' | 'verified';
}

/**
 * A reason to enforce nothing for one delivery. The waiver is part of the decision, the
 * outcome and the log, so that mail without protection is always visible to the operator.
 */
export type Waiver =
  | { readonly kind: 'observe' }
  | { readonly kind: 'exemption'; readonly until: string; readonly reason: string }
  | { readonly kind: 'tls-required-no' };

/** A domain whose policies are temporarily not enforced. */
export interface Exemption {
  readonly domain: string;
  /** RFC 3339. */
  readonly until: string;
  readonly reason: string;
}
