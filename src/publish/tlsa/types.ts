import type { Alert, Certify, Deploy, KeyType, MakeKey, SetRrset, Step, Wait } from '../actions.js';

/**
 * A server key as TLSA sees it: digests of its SubjectPublicKeyInfo, lower-case hex.
 * `name` is its name in the key ring.
 */
export interface ServerKey {
  readonly name: string;
  readonly type: KeyType;
  readonly sha256: string;
  readonly sha512: string;
}

/** TLSA records as `3 1 1 <lower-case hex>`, sorted; TTL in seconds. */
export interface Rrset {
  readonly records: readonly string[];
  readonly ttl: number;
}

/**
 * An RRset that a cache may still hold. `gone`: when it was last known to be on no
 * authoritative server (milliseconds); without it one may still serve it.
 */
export interface AliveRrset extends Rrset {
  readonly gone?: number;
}

/** The keys of one type. Without `current` the server has none of this type yet. */
export interface KeySlot {
  readonly current?: ServerKey;
  readonly next?: ServerKey;
  /** `next` was ordered to be deployed: from then on the server may show either. */
  readonly deploying?: true;
  /**
   * Number of the last key that came into use or was announced: names are `ecdsa-1`,
   * `ecdsa-2`.
   */
  readonly made: number;
}

/**
 * Everything the machine remembers about one host. Plain JSON: written before any of the
 * step's actions is carried out.
 */
export interface RolloverState {
  readonly schema: 'hermetic.rollover/1';
  readonly host: string;
  /** Name of the RRset, as `_25._tcp.mx.example.com`. */
  readonly owner: string;
  readonly alive: readonly AliveRrset[];
  /** A change on its way: from now on either may be served. */
  readonly pushing?: { readonly from: readonly string[]; readonly to: Rrset };
  readonly slots: Readonly<Partial<Record<KeyType, KeySlot>>>;
  /** DS records of the zone, and when (milliseconds) they were last seen to change. */
  readonly ds?: { readonly records: readonly string[]; readonly changed?: number };
}

/** The TLSA RRset of a host as one authoritative server answers it. */
export interface TlsaAnswer {
  readonly server: string;
  /** What senders see. `unknown`: no answer, or an alias. */
  readonly rrset: Rrset | 'unknown';
  /**
   * The owner is an alias of this name: senders use the TLSA records there (RFC 7671 §7).
   */
  readonly alias?: string;
  /** A wildcard answers: the owner itself has no records (RFC 4592 §2.2.1). */
  readonly synthesised?: true;
}

/**
 * One reading of the world. `at` (milliseconds) is taken after the last answer came in.
 */
export interface RolloverReading {
  readonly at: number;
  /** Every authoritative server of the zone, asked directly. */
  readonly nameservers: readonly TlsaAnswer[];
  /**
   * Why no record can be published below the host, where its name comes from a wildcard.
   */
  readonly held?: string;
  /** Own validation of the RRset or of its absence. */
  readonly dnssec: 'secure' | 'insecure' | 'bogus' | 'indeterminate';
  readonly ds: { readonly records: readonly string[]; readonly ttl: number } | 'unknown';
  /**
   * Every address of the host: SHA-256 of each key it showed, one handshake for each key
   * type.
   */
  readonly addresses: readonly {
    readonly address: string;
    readonly starttls: 'offered' | 'absent' | 'unknown';
    readonly keys: readonly string[] | 'unknown';
  }[];
  /** Keys on this machine. `certified`: a certificate for it is at hand. */
  readonly ring: readonly (ServerKey & { readonly certified: boolean })[];
}

/** What is wanted of one host. */
export interface DesiredRollover {
  /** Whether TLSA records are wanted at all. */
  readonly publish: boolean;
  readonly types: readonly KeyType[];
  /** 1 is SHA-256, 2 SHA-512: `3 1 1` alone is what RFC 7672 §3.1 recommends. */
  readonly matchingTypes: readonly (1 | 2)[];
  /** Seconds; takes effect with the next change of the records. */
  readonly ttl: number;
  /** SHA-256 of keys the server is to leave. */
  readonly leave: readonly string[];
  /** Next keys come from somebody else: none is made. */
  readonly brought?: boolean;
}

export type RolloverAction = MakeKey | Certify | SetRrset | Deploy;

export interface RolloverStep {
  readonly state: RolloverState;
  readonly steps: readonly Step<RolloverAction>[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}
