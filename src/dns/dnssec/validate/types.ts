import type { KeyObject } from 'node:crypto';
import type { Failure, Name } from '../../../base/index.js';
import type { Dnssec, UnsupportedZone } from '../../types.js';
import type { Message } from '../../wire/message.js';
import type { Dnskey, Ds } from '../../wire/rdata.js';
import type { AlgorithmRegistry } from '../algorithms.js';
import type { ProofRecords, UsedRecords } from './used-records.js';

export type { ProofRecords };

/** Queries the upstream with CD=1 and DO=1. Rejects only when aborted. */
export type Fetch = (domainName: Name, recordType: number) => Promise<Fetched>;
/** The response to a query, or the failure of the transport. */
export type Fetched =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly failure: Failure };

/** A trust anchor: DS or DNSKEY of a zone, usually the root, trusted without proof. */
export interface TrustAnchor {
  /** The zone whose keys these are. */
  readonly zone: Name;
  readonly ds: readonly Ds[];
  readonly keys: readonly Dnskey[];
  /**
   * A negative trust anchor (RFC 7646): the zone and all below it, down to the next
   * anchor, count as unsigned.
   */
  readonly negative?: true;
}

/**
 * Limits on the work that one answer may cause (KeyTrap CVE-2023-50387, NSEC3
 * CVE-2023-50868).
 */
export interface ValidationLimits {
  /** Maximum signature checks over the records of one message. */
  readonly checksPerMessage: number;
  /** Maximum failed signature checks for the whole question. */
  readonly failedChecks: number;
  /** Maximum keys with one tag that are tried for one signature. */
  readonly keysPerTag: number;
  /**
   * NSEC3 iterations above which a denial counts as insecure, and above which it is
   * refused (RFC 9276 §3.2) [9276-3.2-1].
   */
  readonly iterationsInsecure: number;
  readonly iterationsRefused: number;
  /** Maximum NSEC3 hashes for the whole question. */
  readonly hashes: number;
  /** Aliases followed. */
  readonly aliases: number;
  /** Maximum queries to the upstream. */
  readonly fetches: number;
  /**
   * Seconds by which the clocks of signer and validator may differ: a signature also
   * counts for this time before its inception and after its expiration. 0 applies RFC
   * 4035 §5.3.1 exactly [4035-5.3.1-1].
   */
  readonly clockSkew: number;
}

/** The maximum for {@link ValidationLimits.clockSkew}, seconds. */
export const MAX_CLOCK_SKEW = 3600;

/**
 * Limits far above the needs of genuine zones: one signature verified for each RRset, one
 * to four keys, no extra iterations (RFC 9276 §3.1).
 */
export const defaultLimits: ValidationLimits = {
  checksPerMessage: 16,
  failedChecks: 8,
  keysPerTag: 4,
  iterationsInsecure: 50,
  iterationsRefused: 500,
  hashes: 64,
  aliases: 11,
  fetches: 64,
  clockSkew: 300,
};

/** A status of a zone that is proved until `expires`, milliseconds since 1970. */
export type ProvedStatus = Extract<ZoneStatus, { readonly expires: number }>;

/** The status of a zone: proved, or the reason why it is not. */
export type ZoneStatus =
  | { readonly status: 'secure'; readonly keys: readonly ZoneKey[]; readonly expires: number }
  | {
      readonly status: 'insecure';
      readonly expires: number;
      readonly unsupported?: UnsupportedZone;
    }
  | { readonly status: 'no-zone'; readonly expires: number }
  | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure };

/** A key of a proved zone. */
export interface ZoneKey {
  readonly tag: number;
  readonly algorithm: number;
  /**
   * Imports the key at first use, because importing costs as much as verifying a
   * signature. Returns undefined for an invalid key.
   */
  key(): KeyObject | undefined;
}

/** One question to the validator. */
export interface ValidateRequest {
  readonly name: Name;
  readonly type: number;
  readonly fetch: Fetch;
  readonly anchors: readonly TrustAnchor[];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly limits?: Partial<ValidationLimits>;
  readonly algorithms?: AlgorithmRegistry;
  /** Zones proved by earlier questions. */
  readonly cache?: ZoneCache;
}

/**
 * A cache of proved zones with imported keys, by {@link Name.key}. The implementation
 * limits its size. Entries hold the records that prove the zone, for the proofs of later
 * answers. Only proved statuses are stored, each until its expiry: see decision 14.
 */
export interface ZoneCache {
  get(zoneName: string): CachedZone | undefined;
  set(zoneName: string, entry: CachedZone): void;
}

/** A zone in the cache, with the records that prove it. */
export interface CachedZone {
  readonly zone: ProvedStatus;
  /** The records from the anchor down; those of this zone are last. */
  readonly grounds: readonly UsedRecords[];
  /**
   * The content of the anchor at which the proof begins, see `anchorId`. A validation
   * with another closest anchor ignores the entry.
   */
  readonly anchor: string;
  /** Estimated memory in octets, without the records of the zones above. */
  readonly octets: number;
}

/**
 * The expected status of data at a name: signed, or in a provably unsigned part of the
 * tree.
 */
export type Enclosing =
  | { readonly status: 'signed' }
  | { readonly status: 'insecure'; readonly expires: number }
  | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure };

/** The zones above a name, as far as they are proved. */
export interface Zones {
  /** Proves a zone, given only its claimed name. */
  zone(domainName: Name): Promise<ZoneStatus>;
  /** Returns whether data at a name must be signed. */
  enclosing(domainName: Name): Promise<Enclosing>;
  /** The closest trust anchor at or above a name. */
  anchor(domainName: Name): TrustAnchor | undefined;
}

/**
 * The minimal proof of a verdict: every record, key, signature and denial it depends on,
 * as text. `verifyProof` validates it again offline.
 */
export interface Proof {
  readonly schema: 'hermetic.proof/1';
  readonly name: string;
  readonly type: number;
  /** The time of the proof, RFC 3339 UTC. */
  readonly at: string;
  readonly status: 'found' | 'nodata' | 'nxdomain';
  readonly dnssec: Dnssec;
  readonly grounds: readonly ProofRecords[];
}
