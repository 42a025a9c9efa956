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
 * A policy that was served, with what is known of its life. Times in milliseconds since
 * 1970.
 */
export interface ServedPolicy {
  readonly id: string;
  readonly body: string;
  readonly mode: StsMode;
  /** Seconds. */
  readonly maxAge: number;
  readonly mx: readonly string[];
  /** When serving it was ordered: from then on a sender may have it. */
  readonly first: number;
  /** When every address of the policy host was first seen to serve it. */
  readonly everywhere?: number;
  /**
   * When every authoritative server was first seen with its id; seconds of the record's
   * TTL.
   */
  readonly announced?: { readonly at: number; readonly ttl: number };
  /**
   * When every address was first seen to serve something else: no sender can have fetched
   * it later.
   */
  readonly last?: number;
  /** It was there before the ledger began: what was served before it is not known. */
  readonly adopted?: true;
}

/**
 * Everything remembered about a domain's MTA-STS. Nothing is ever forgotten of `served`:
 * removal is counted from it.
 */
export interface PolicyState {
  readonly schema: 'hermetic.sts/1';
  readonly domain: string;
  readonly served: readonly ServedPolicy[];
  /**
   * MX hosts that some sender may still have from its cache, `gone` when no authoritative
   * server names them any longer; TTL in seconds.
   */
  readonly hosts: readonly {
    readonly host: string;
    readonly ttl: number;
    readonly gone?: number;
  }[];
  /** When the record was first seen to be gone after a removal. */
  readonly unannounced?: { readonly at: number; readonly ttl: number };
  /**
   * What `mta-sts.DOMAIN` was made an alias of, and the record at `_smtp._tls`, when they
   * were written here: only then are they removed here.
   */
  readonly alias?: string;
  readonly reports?: string;
}

/** An RRset as one authoritative server answers it. */
export interface ServerAnswer {
  readonly server: string;
  /** What senders see. `unknown`: no answer, or an alias. */
  readonly rrset: { readonly records: readonly string[]; readonly ttl: number } | 'unknown';
  /** The name is an alias of this one. */
  readonly alias?: string;
  /** A wildcard answers: the name itself has no records (RFC 4592 §2.2.1). */
  readonly synthesised?: true;
}

/** What every authoritative server answers alike. */
export interface AgreedRrset {
  readonly records: readonly string[];
  readonly ttl: number;
  readonly synthesised: boolean;
}

/** One reading of the world. `at` is taken after the last answer came in. */
export interface PolicyReading {
  readonly at: number;
  /** TXT at `_mta-sts`, each record's strings joined. */
  readonly txt: readonly ServerAnswer[];
  /** What `mta-sts.DOMAIN` is an alias of; no record where it is not an alias. */
  readonly alias: readonly ServerAnswer[];
  /** `mta-sts.DOMAIN` has its addresses, or its alias, from a wildcard alone. */
  readonly policyHostSynthesised?: boolean;
  /** MX as `10 mx.example.com`. */
  readonly mx: readonly ServerAnswer[];
  /** Every address of `mta-sts.DOMAIN`, asked itself. */
  readonly policyHosts: readonly {
    readonly address: string;
    readonly got: { readonly body: string } | { readonly failure: string } | 'unknown';
  }[];
  /**
   * What our own probe found at every address of an MX host: would a sender that enforces
   * the policy deliver there?
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

/** What one TLS-RPT report says of the domain. */
export interface ReportSummary {
  /**
   * The domain that a valid DKIM signature, aligned with the report's submitter, speaks
   * for; undefined without one.
   */
  readonly signedBy?: string;
  readonly via: 'mail' | 'https';
  /** `2026-11-24`. */
  readonly day: string;
  readonly sessions: number;
  readonly failures: number;
}

export interface DesiredPolicy {
  readonly mode: StsMode;
  /**
   * Hosts mail is to reach, in the order of preference. They alone are ever put into a
   * policy.
   */
  readonly mx: readonly string[];
  /** Seconds, ascending: what `max_age` climbs through. */
  readonly maxAges: readonly number[];
  /**
   * Where the policy is served from: `mta-sts.DOMAIN` becomes an alias of it. Without it
   * that name has its addresses already.
   */
  readonly policyHost?: string;
  /** TTL of records, seconds. */
  readonly ttl: number;
  /** Domains whose signed reports count. */
  readonly reporters: readonly string[];
  /** Days without a failure before enforcing. */
  readonly days: number;
  /** Signed reports needed in these days. */
  readonly leastReports: number;
  /** What a person confirmed: tokens of proposals. */
  readonly confirmed: readonly string[];
}

/** A step that only a person may allow. */
export interface Proposal {
  /**
   * Given back as confirmation; names the domain and the policy, so that it holds once.
   */
  readonly token: string;
  readonly subject: string;
  readonly what: string;
  readonly why: string;
}

export type PolicyAction = SetRrset | ServePolicy | StopServing | MakeKey | Certify;

export interface PolicyStep {
  readonly state: PolicyState;
  readonly steps: readonly Step<PolicyAction>[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
  readonly proposals: readonly Proposal[];
}
