import type { Alert, Certify, Deploy, KeyType, MakeKey, SetRrset, Step, Wait } from '../actions.js';

/**
 * A server key in the forms that TLSA records match (selector 1): digests of its
 * SubjectPublicKeyInfo, lower-case hex. `name` is the name of the key in the key ring.
 */
export interface ServerKey {
  readonly name: string;
  readonly type: KeyType;
  readonly sha256: string;
  readonly sha512: string;
}

/** A TLSA RRset: records as `3 1 1 <lower-case hex>`, sorted; TTL in seconds. */
export interface Rrset {
  readonly records: readonly string[];
  readonly ttl: number;
}

/**
 * An RRset that a resolver may still have in its cache. `gone`: the time from which no
 * authoritative server returned it (milliseconds since 1970). Without `gone`, a server
 * may still serve the RRset.
 */
export interface CachedRrset extends Rrset, Since {
  readonly gone?: number;
}

/**
 * The start of a wait. A saved time in the future means that the clock was ahead then, or
 * is behind now. `again` is the time, by the clock, at which the saved time was first
 * observed to be in the future. The wait starts at `again` while the saved time is in the
 * future.
 */
export interface Since {
  readonly again?: number | undefined;
}

/** The keys of one type. Without `current` the server has no key of this type yet. */
export interface KeySlot {
  /** The key that every address presents. */
  readonly current?: ServerKey;
  /** The next key: announced in the DNS, or about to be announced. */
  readonly next?: ServerKey;
  /**
   * Whether the deployment of `next` was ordered. From then on the server may present
   * either key.
   */
  readonly deploying?: true;
  /**
   * Number of the last key that came into use or was announced. Keys are named `ecdsa-1`,
   * `ecdsa-2` and so on, and no number is used twice.
   */
  readonly made: number;
}

/**
 * The state of the rollover of one host. Plain JSON, saved before any action of a step is
 * executed. The member names are the stored format and must not change.
 */
export interface TlsaRolloverState {
  readonly schema: 'hermetic.rollover/1';
  readonly host: string;
  /** Owner name of the RRset, such as `_25._tcp.mx.example.com`. */
  readonly owner: string;
  /** Every RRset that a cache may hold, the published one included. */
  readonly alive: readonly CachedRrset[];
  /** A change that was ordered and is not confirmed: servers may return either RRset. */
  readonly pushing?: { readonly from: readonly string[]; readonly to: Rrset };
  readonly slots: Readonly<Partial<Record<KeyType, KeySlot>>>;
  /**
   * DS records of the zone, and the time of their last observed change (milliseconds).
   */
  readonly ds?: Since & { readonly records: readonly string[]; readonly changed?: number };
}

/** The TLSA RRset of a host as one authoritative server returns it. */
export interface TlsaAnswer {
  readonly server: string;
  /** The RRset that senders see. `unknown`: there is no answer, or an alias. */
  readonly rrset: Rrset | 'unknown';
  /**
   * Target of the alias, if the owner is an alias: the TLSA records there apply (RFC 7671
   * §7).
   */
  readonly alias?: string;
  /**
   * Whether a wildcard answers: the owner itself then has no records (RFC 4592 §2.2.1).
   */
  readonly synthesised?: true;
}

/**
 * One observation of a host and its zone. `at` (milliseconds since 1970) is the time
 * after the last answer, so that a cache lifetime never starts too early.
 */
export interface RolloverObservation {
  readonly at: number;
  /** One answer from each authoritative server of the zone, queried directly. */
  readonly nameservers: readonly TlsaAnswer[];
  /**
   * The reason why no record can be published below the host: a wildcard provides its
   * addresses (RFC 4592 §2.2.2).
   */
  readonly blocked?: string;
  /** DNSSEC state of the RRset, or of the proof that there is no RRset. */
  readonly dnssec: 'secure' | 'insecure' | 'bogus' | 'indeterminate';
  readonly ds: { readonly records: readonly string[]; readonly ttl: number } | 'unknown';
  /**
   * Every address of the host, with the SHA-256 of each key that it presented; one
   * handshake for each key type.
   */
  readonly addresses: readonly {
    readonly address: string;
    readonly starttls: 'offered' | 'absent' | 'unknown';
    readonly keys: readonly string[] | 'unknown';
  }[];
  /** Keys on this machine. `certified`: the ring has a certificate that fits the key. */
  readonly ring: readonly (ServerKey & { readonly certified: boolean })[];
}

/** The desired state of the TLSA records and keys of one host. */
export interface DesiredRollover {
  /** Whether TLSA records are published at all. */
  readonly publish: boolean;
  readonly types: readonly KeyType[];
  /** 1 is SHA-256, 2 is SHA-512. RFC 7672 §3.1 recommends `3 1 1` alone. */
  readonly matchingTypes: readonly (1 | 2)[];
  /** Seconds. A new value takes effect with the next change of the records. */
  readonly ttl: number;
  /** SHA-256 of the keys that the server has to stop using. */
  readonly retire: readonly string[];
  /** Whether another program creates the next keys. The plan then creates none. */
  readonly external?: boolean;
}

export type RolloverAction = MakeKey | Certify | SetRrset | Deploy;

/** The result of one planning step. `state` must be saved before `steps` are executed. */
export interface RolloverStep {
  readonly state: TlsaRolloverState;
  readonly steps: readonly Step<RolloverAction>[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}
