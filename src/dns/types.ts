import type { Failure, Name } from '../base/index.js';

/**
 * One resource record. `rdata` is in wire format, with every compressed name expanded and
 * in its original case; unknown types are opaque (RFC 3597).
 */
export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
}

/**
 * The security status of DNS data (RFC 4033 §5, RFC 4035 §4.3): `secure` (proved),
 * `insecure` (proved to be unsigned), `bogus` (must be signed, but does not validate),
 * `indeterminate` (could not be determined).
 */
export type Dnssec = 'secure' | 'insecure' | 'bogus' | 'indeterminate';

/** One link of a CNAME or DNAME chain, with the DNSSEC status of that link alone. */
export interface AliasStep {
  readonly from: Name;
  readonly to: Name;
  readonly dnssec: Dnssec;
}

/**
 * A signed zone that is treated as unsigned: no DS record at its parent has a supported
 * algorithm and digest.
 */
export interface UnsupportedZone {
  /** Presentation form, without final dot. */
  readonly zone: string;
  /** The unsupported parts of its DS records: `RSASHA1 (5)`, `digest type 3`. */
  readonly algorithms: readonly string[];
}

/**
 * The outcome of a question. `found`: at least one record; `nodata` and `nxdomain`:
 * denied; `failed`: no usable answer.
 */
export type AnswerStatus = 'found' | 'nodata' | 'nxdomain' | 'failed';

/**
 * The answer to one question after aliases were followed. `dnssec` is the weakest status
 * of the complete chain, for data and denials alike. For `failed` this status is `bogus`
 * or `indeterminate`.
 */
export interface DnsAnswer {
  readonly question: { readonly name: Name; readonly type: number };
  readonly status: AnswerStatus;
  readonly dnssec: Dnssec;
  /**
   * The records of the queried type at the end of the alias chain; empty unless `found`.
   */
  readonly records: readonly ResourceRecord[];
  /** The end of the alias chain, or the name of the question if it has no alias. */
  readonly canonicalName: Name;
  readonly aliases: readonly AliasStep[];
  /**
   * Seconds for which the answer may be cached: the least of record TTL, original TTL and
   * signature expiry.
   */
  readonly ttl: number;
  /**
   * Whether the address lookup failed although the parent zone proves that the zone of
   * this name is unsigned: no answer could have been secure, so DANE cannot apply to the
   * name (RFC 7672 §2.2.2).
   */
  readonly unsigned?: true;
  /**
   * The zone because of which the answer is insecure (RFC 4035 §5.2, RFC 9905 §2, RFC
   * 9906 §2).
   */
  readonly unsupported?: UnsupportedZone;
  /**
   * The reason for the status; present if `status` is `failed`, and if `dnssec` is
   * `bogus` or `indeterminate`.
   */
  readonly failure?: Failure;
  /**
   * The machine-readable proof of the verdict, which `dnssec verify` validates again (see
   * dns/dnssec).
   */
  readonly proof?: unknown;
}

/** Options of one query. */
export interface AskOptions {
  readonly signal?: AbortSignal;
  /**
   * Whether to accept data from a resolver that strips DNSSEC, with status
   * `indeterminate`. Otherwise the answer of such a resolver is `failed`. Do not use this
   * option for TLSA: an unproved absence must not be treated as absence (RFC 7672
   * §2.1.2).
   */
  readonly acceptUnvalidated?: boolean;
}

/**
 * The interface through which other parts query DNS. Rejects only with `signal.reason`.
 */
export interface Resolver {
  ask(domainName: Name, recordType: number, options?: AskOptions): Promise<DnsAnswer>;
  /**
   * Returns the state of each upstream as observed so far: whether it answers, and
   * whether its answers include DNSSEC records.
   */
  readonly health: () => ResolverHealth;
}

/** The observed state of the upstream resolvers. */
export interface ResolverHealth {
  /** Questions sent to upstreams so far. A repeated question is counted once. */
  readonly questions?: number;
  /**
   * The address from the user or from the system's configuration: `192.0.2.53:53`,
   * `tcp://192.0.2.53:53` or `tls://192.0.2.53:853#name`.
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
      | 'forges';
  }[];
}
