import type { KeyObject } from 'node:crypto';
import type { Failure, Name } from '../../../base/index.js';
import type { Dnssec, UnsupportedZone } from '../../types.js';
import type { Message } from '../../wire/message.js';
import type { Dnskey, Ds } from '../../wire/rdata.js';
import type { AlgorithmRegistry } from '../algorithms.js';
import type { ProofRecords, UsedRecords } from './used-records.js';

export type { ProofRecords };

/** Sends a query with CD and DO set to the upstream. Rejects only after an abort. */
export type Fetch = (domainName: Name, recordType: number) => Promise<Fetched>;
/** The response to a query, or the failure of its transport. */
export type Fetched =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly failure: Failure };

/**
 * A trust anchor: DS or DNSKEY records of a zone, usually the root, that are trusted
 * without proof.
 */
export interface TrustAnchor {
  /** The zone that the keys belong to. */
  readonly zone: Name;
  readonly ds: readonly Ds[];
  readonly keys: readonly Dnskey[];
  /**
   * Whether this is a negative trust anchor (RFC 7646): the zone and all names below it,
   * down to the next anchor, are then treated as unsigned.
   */
  readonly negative?: true;
}

/**
 * Limits on the work that one answer may cause (KeyTrap CVE-2023-50387, NSEC3
 * CVE-2023-50868).
 */
export interface ValidationLimits {
  /** Maximum signature verifications for the records of one message. */
  readonly checksPerMessage: number;
  /** Maximum failed signature verifications for the whole question. */
  readonly failedChecks: number;
  /** Maximum keys with the same tag that are tried for one signature. */
  readonly keysPerTag: number;
  /**
   * Maximum NSEC3 iterations of a secure denial. With more iterations a denial is
   * insecure, and above `iterationsRefused` it is refused (RFC 9276 §3.2) [9276-3.2-1].
   */
  readonly iterationsInsecure: number;
  readonly iterationsRefused: number;
  /** Maximum NSEC3 hashes for the whole question. */
  readonly hashes: number;
  /** Maximum aliases to follow. */
  readonly aliases: number;
  /** Maximum queries to the upstream. */
  readonly fetches: number;
  /**
   * Tolerance for clock differences, seconds: a signature is also accepted for this time
   * before its inception and after its expiration. The value 0 applies RFC 4035 §5.3.1
   * exactly [4035-5.3.1-1].
   */
  readonly clockSkew: number;
}

/** The maximum for {@link ValidationLimits.clockSkew}, seconds. */
export const MAX_CLOCK_SKEW = 3600;

/**
 * Limits far above the needs of genuine zones, which have one signature for each RRset,
 * one to four keys and no extra iterations (RFC 9276 §3.1).
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

/** The status of a zone: proved, or unproved with the reason. */
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
   * Imports the key at first use, because an import costs as much as verifying a
   * signature. Returns undefined if the key is invalid.
   */
  key(): KeyObject | undefined;
}

/** One question to the validator. */
export interface ValidateRequest {
  readonly name: Name;
  readonly type: number;
  readonly fetch: Fetch;
  readonly anchors: readonly TrustAnchor[];
  /** Time of the validation, milliseconds since 1970. */
  readonly now: number;
  readonly limits?: Partial<ValidationLimits>;
  readonly algorithms?: AlgorithmRegistry;
  /** Zones that earlier questions proved. */
  readonly cache?: ZoneCache;
}

/**
 * A cache of proved zones with imported keys; its keys are {@link Name.key}. The
 * implementation limits the size of the cache. Entries contain the records that prove the
 * zone, because the proofs of later answers include them. Only proved statuses are
 * stored, each until its expiry: see decision 14.
 */
export interface ZoneCache {
  get(zoneName: string): CachedZone | undefined;
  set(zoneName: string, entry: CachedZone): void;
}

/** A zone in the cache, with the records that prove its status. */
export interface CachedZone {
  readonly zone: ProvedStatus;
  /** The records from the trust anchor down, with those of this zone last. */
  readonly grounds: readonly UsedRecords[];
  /**
   * Identifier of the trust anchor at which the proof begins, see `anchorId`. A
   * validation ignores the entry if its closest anchor is a different one.
   */
  readonly anchor: string;
  /** Estimated memory of the entry in octets, without the records of higher zones. */
  readonly octets: number;
}

/**
 * The expected status of data at a name: signed, or in a part of the tree that is proved
 * to be unsigned.
 */
export type Enclosing =
  | { readonly status: 'signed' }
  | { readonly status: 'insecure'; readonly expires: number }
  | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure };

/** Access to the status of the zones above a name. */
export interface Zones {
  /** Returns the status of a zone whose name a signature claims. */
  zone(domainName: Name): Promise<ZoneStatus>;
  /** Returns whether data at a name must be signed. */
  enclosing(domainName: Name): Promise<Enclosing>;
  /** Returns the closest trust anchor at or above a name. */
  anchor(domainName: Name): TrustAnchor | undefined;
}

/**
 * The minimal proof of a verdict: the records, keys, signatures and denials on which the
 * verdict depends, as text. `verifyProof` validates the proof again offline.
 */
export interface Proof {
  readonly schema: 'hermetic.proof/1';
  readonly name: string;
  readonly type: number;
  /** The time at which the proof was made, RFC 3339 UTC. */
  readonly at: string;
  readonly status: 'found' | 'nodata' | 'nxdomain';
  readonly dnssec: Dnssec;
  readonly grounds: readonly ProofRecords[];
}
