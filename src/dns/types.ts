import type { Failure, Name } from '../base/index.js';

/**
 * One resource record. `rdata` is the wire form with every compressed name expanded and
 * its case kept; unknown types are opaque (RFC 3597).
 */
export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
}

/**
 * RFC 4035 §4.3: secure (proved), insecure (proved unsigned), bogus (should be signed, is
 * not validly), indeterminate (could not tell).
 */
export type Dnssec = 'secure' | 'insecure' | 'bogus' | 'indeterminate';

/** One link of a CNAME or DNAME chain, with what DNSSEC says of that link alone. */
export interface AliasStep {
  readonly from: Name;
  readonly to: Name;
  readonly dnssec: Dnssec;
}

/**
 * A zone that is signed, but with nothing that counts: its parent has DS records, none of
 * a supported algorithm and digest.
 */
export interface UnsupportedZone {
  /** Presentation form, without final dot. */
  readonly zone: string;
  /** Of its DS records: `RSASHA1 (5)`, `digest type 3`. */
  readonly algorithms: readonly string[];
}

/**
 * What a question came to. `found` has at least one record; `nodata` and `nxdomain` are
 * denials; `failed` could not be told.
 */
export type AnswerStatus = 'found' | 'nodata' | 'nxdomain' | 'failed';

/**
 * The answer to one question after aliases were followed. `dnssec` is the weakest over
 * the whole chain and covers data and denial alike. For `failed` it is `bogus` or
 * `indeterminate`.
 */
export interface DnsAnswer {
  readonly question: { readonly name: Name; readonly type: number };
  readonly status: AnswerStatus;
  readonly dnssec: Dnssec;
  /**
   * The records of the asked type at the end of the alias chain; empty unless `found`.
   */
  readonly records: readonly ResourceRecord[];
  /** Where the alias chain ended (the question's name without one). */
  readonly canonicalName: Name;
  readonly aliases: readonly AliasStep[];
  /**
   * Seconds this may be kept: the least of record TTL, original TTL and signature expiry.
   */
  readonly ttl: number;
  /**
   * The lookup of an address failed, and the parent of the name's zone proves that zone
   * to be unsigned: no answer could have been secure, so DANE cannot apply to the name
   * (RFC 7672 §2.2.2).
   */
  readonly unsigned?: true;
  /** The answer is insecure because of this zone (RFC 4035 §5.2, RFC 9905 §2). */
  readonly unsupported?: UnsupportedZone;
  /** Present when `failed`, and when `dnssec` is `bogus` or `indeterminate`: why. */
  readonly failure?: Failure;
  /**
   * Machine-readable grounds of the verdict, re-validated by `dnssec verify` (see
   * dns/dnssec).
   */
  readonly proof?: unknown;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /**
   * Take data also from a resolver that strips DNSSEC, marked `indeterminate`. Without it
   * such an answer is `failed`. Never for TLSA: there an unproved absence must not count
   * as absence (RFC 7672 §2.1.2).
   */
  readonly acceptUnvalidated?: boolean;
}

/** What the layers above ask. Never rejects except with `signal.reason`. */
export interface Resolver {
  ask(name: Name, type: number, options?: AskOptions): Promise<DnsAnswer>;
  /**
   * What is known of the upstream after the questions so far: whether it passes DNSSEC
   * records through, whether it answers at all.
   */
  readonly health: () => ResolverHealth;
}

export interface ResolverHealth {
  /**
   * As given by the user or found in the system's configuration, `192.0.2.53:53` or
   * `tls://192.0.2.53:853#name`.
   */
  readonly upstreams: readonly {
    readonly label: string;
    readonly state:
      | 'untried'
      | 'answers'
      | 'silent'
      | 'refuses'
      | 'tls-failed'
      | 'strips-dnssec'
      | 'does-not-validate'
      | 'lies';
  }[];
}
