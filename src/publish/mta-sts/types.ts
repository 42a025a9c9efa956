import type { StsMode } from '../../mta-sts/index.js';
import type {
  Alert,
  Certify,
  MakeKey,
  ServePolicy,
  SetRrset,
  Step,
  StopServing,
  Wait,
} from '../actions.js';

/**
 * A policy that was served, with the times of its lifetime in milliseconds since 1970.
 * Stored as JSON, so the member names must not change.
 */
export interface ServedPolicy {
  readonly id: string;
  readonly body: string;
  readonly mode: StsMode;
  /** Seconds. */
  readonly maxAge: number;
  readonly mx: readonly string[];
  /**
   * The time at which the plan ordered the publication of the policy. From then on a
   * sender may have fetched the policy.
   */
  readonly first: number;
  /**
   * The time at which every address of the policy host was first observed to serve this
   * policy.
   */
  readonly everywhere?: number;
  /**
   * The time at which every authoritative server was first observed to announce the
   * policy's id, and the TTL of the record in seconds.
   */
  readonly announced?: { readonly at: number; readonly ttl: number };
  /**
   * The time at which every address was first observed to serve another body. After this
   * time no sender can have fetched the policy.
   */
  readonly last?: number;
  /**
   * Whether the policy existed before the ledger: earlier policies are then not known.
   */
  readonly adopted?: true;
}

/**
 * The MTA-STS state of one domain. Plain JSON, saved before any action of a step is
 * executed. `served` only grows: the removal of a policy waits for the `max_age` of each
 * policy in it (RFC 8461 §8.3).
 */
export interface PolicyState {
  readonly schema: 'hermetic.sts/1';
  readonly domain: string;
  readonly served: readonly ServedPolicy[];
  /**
   * MX hosts that a sender may have in its cache; TTL in seconds. `gone`: the time from
   * which no authoritative server named the host.
   */
  readonly hosts: readonly {
    readonly host: string;
    readonly ttl: number;
    readonly gone?: number;
  }[];
  /**
   * The time at which the `_mta-sts` record was first observed to be absent after its
   * removal.
   */
  readonly unannounced?: { readonly at: number; readonly ttl: number };
  /**
   * The alias target of `mta-sts.DOMAIN` as Hermetic wrote it. Hermetic removes no other
   * alias.
   */
  readonly alias?: string;
  /**
   * The record at `_smtp._tls.DOMAIN` as Hermetic wrote it. Hermetic removes no other
   * record.
   */
  readonly reports?: string;
}

/** An RRset as one authoritative server returns it. */
export interface ServerAnswer {
  readonly server: string;
  /** The RRset that senders see. `unknown`: there is no answer, or an alias. */
  readonly rrset: { readonly records: readonly string[]; readonly ttl: number } | 'unknown';
  /** Target of the alias, if the queried name is an alias. */
  readonly alias?: string;
  /**
   * Whether a wildcard answers: the queried name itself then has no records (RFC 4592
   * §2.2.1).
   */
  readonly synthesised?: true;
}

/** An RRset on which every authoritative server agrees. */
export interface AgreedRrset {
  readonly records: readonly string[];
  readonly ttl: number;
  readonly synthesised: boolean;
}

/**
 * The result of fetching a policy at one address. `failure` is a code of the policy fetch
 * (RFC 8461 §3.3); `unknown`: the network of this machine may be the cause.
 */
export type FetchResult = { readonly body: string } | { readonly failure: string } | 'unknown';

/**
 * One observation of a domain. `at` (milliseconds since 1970) is the time after the last
 * answer, so that a cache lifetime never starts too early.
 */
export interface PolicyObservation {
  readonly at: number;
  /** TXT at `_mta-sts`, the strings of each record joined. */
  readonly txt: readonly ServerAnswer[];
  /** The alias target of `mta-sts.DOMAIN`; no record if the name is not an alias. */
  readonly alias: readonly ServerAnswer[];
  /** Whether the addresses or the alias of `mta-sts.DOMAIN` come only from a wildcard. */
  readonly policyHostSynthesised?: boolean;
  /** MX records as `10 mx.example.com`. */
  readonly mx: readonly ServerAnswer[];
  /** Every address of `mta-sts.DOMAIN`, with the result of fetching the policy there. */
  readonly policyHosts: readonly {
    readonly address: string;
    readonly fetched: FetchResult;
  }[];
  /**
   * The result of the probe at every address of every MX host: whether a sender that
   * enforces the policy would deliver there (RFC 8461 §4).
   */
  readonly hosts: readonly {
    readonly host: string;
    readonly addresses: readonly {
      readonly address: string;
      readonly verdict: 'pass' | 'fail' | 'unknown';
      readonly why: string;
    }[];
  }[];
  readonly reports: readonly ReportSummary[];
}

/** The sums of one TLS-RPT report about the domain. */
export interface ReportSummary {
  /**
   * The domain of a valid DKIM signature that is aligned with the submitter of the report
   * (RFC 8460 §3); undefined without a signature of this kind.
   */
  readonly signedBy?: string;
  readonly via: 'mail' | 'https';
  /** UTC day, such as `2026-11-24`. */
  readonly day: string;
  readonly sessions: number;
  readonly failures: number;
}

/** The desired policy of one domain, from the configuration. */
export interface DesiredPolicy {
  /**
   * The target mode. A policy reaches `enforce` through `testing`, if the evidence
   * permits it.
   */
  readonly mode: StsMode;
  /**
   * Hosts that receive the mail, in the order of preference. Only these hosts are added
   * to a policy: a host from the DNS may be forged.
   */
  readonly mx: readonly string[];
  /**
   * Values of `max_age` in seconds, ascending. The `max_age` of an enforced policy rises
   * through these values.
   */
  readonly maxAges: readonly number[];
  /**
   * Host that serves the policy: `mta-sts.DOMAIN` becomes an alias of it. If undefined,
   * the operator publishes the addresses of `mta-sts.DOMAIN`.
   */
  readonly policyHost?: string;
  /** TTL of records, seconds. */
  readonly ttl: number;
  /** Domains whose signed reports count as evidence. */
  readonly reporters: readonly string[];
  /** Days in testing without a reported failure before the policy is enforced. */
  readonly days: number;
  /** Signed reports needed in these days. */
  readonly minReports: number;
  /** Tokens of proposals that the operator confirmed. */
  readonly confirmed: readonly string[];
}

/** The input of a decision about the policy that is served now. */
export interface PolicyContext {
  readonly state: PolicyState;
  readonly observed: PolicyObservation;
  readonly desired: DesiredPolicy;
  readonly current: ServedPolicy;
  /** Hosts that the policy has to name. */
  readonly mx: readonly string[];
}

/** A step that only the operator may allow. */
export interface Proposal {
  /**
   * Text to confirm. The text names the domain and the policy, so that a confirmation is
   * valid for one policy only.
   */
  readonly token: string;
  readonly subject: string;
  /** The effect of the step, as an imperative. */
  readonly what: string;
  readonly why: string;
}

export type PolicyAction = SetRrset | ServePolicy | StopServing | MakeKey | Certify;

/** The result of one planning step. `state` must be saved before `steps` are executed. */
export interface PolicyStep {
  readonly state: PolicyState;
  readonly steps: readonly Step<PolicyAction>[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
  readonly proposals: readonly Proposal[];
}
