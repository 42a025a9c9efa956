import { equalBytes, type Name } from '../../../base/index.js';
import { fromBase32hex } from '../../wire/base32hex.js';
import { readNsec3, type Nsec3 } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { nsec3Hash } from '../nsec3-hash.js';
import { nextCloser, type Denial, type NoCloser, type SetTrust } from './denial.js';
import { below, lacks } from './denial-nsec.js';
import type { RRset } from './rrset.js';
import type { ValidationLimits } from './types.js';

/** One NSEC3 record: no name has a hash between `hash` and `nextHash`. */
interface Span extends Nsec3 {
  /** The hash from the first label of the owner: 20 octets. */
  readonly hash: Uint8Array;
  readonly set: RRset;
}

/** A closest encloser proof (RFC 5155 §7.2.1). */
interface Encloser {
  readonly name: Name;
  readonly span: Span;
  /** The span that covers the next closer name. */
  readonly cover: Span;
}

/** The remaining number of hash computations for the question. */
export interface HashBudget {
  hashes: number;
}

/** The limits of a validation, and its remaining hash computations. */
export interface Nsec3Work {
  readonly limits: ValidationLimits;
  readonly hashes: HashBudget;
}

/** Proofs from the NSEC3 records of one zone (RFC 5155 §8). */
export class Nsec3Proofs {
  readonly #spans: readonly Span[];
  readonly #hashes = new Map<string, Uint8Array>();

  constructor(
    sets: readonly RRset[],
    private readonly zone: Name,
    private readonly trust: SetTrust,
    private readonly work: Nsec3Work,
  ) {
    const spans = sets.flatMap((recordSet) => spanOf(recordSet, zone));
    // RFC 5155 §8.2: only records with the same parameters are used, and the others are
    // ignored.
    const [first] = spans;
    this.#spans = spans.filter(
      (span) => first && span.iterations === first.iterations && equalBytes(span.salt, first.salt),
    );
  }

  /** Returns whether the response has a usable NSEC3 record of the zone. */
  get any(): boolean {
    return this.#spans.length > 0;
  }

  /**
   * Returns whether the records exceed an iteration limit of this validator; anything but
   * `no` requires a valid signature over a record.
   */
  get excessive(): 'no' | 'insecure' | 'refused' {
    const [first] = this.#spans;
    if (
      !first ||
      first.iterations <= this.work.limits.iterationsInsecure ||
      !this.#spans.some((span) => this.trust(span.set))
    )
      return 'no';
    if (first.iterations > this.work.limits.iterationsRefused) return 'refused';
    return 'insecure';
  }

  /** Returns one RRset for a denial whose status follows from the iterations alone. */
  get sets(): readonly RRset[] {
    return this.#spans.slice(0, 1).map((span) => span.set);
  }

  /**
   * Proves that the name has no records of the type: an NSEC3 record matches the name, or
   * a wildcard for the name lacks the type. With `optOut`, a span that may contain an
   * unsigned delegation is also accepted. Such a span proves less than RFC 5155 §8.4
   * requires for a name error, so it is accepted for NODATA responses only (§8.6).
   */
  nodata(
    domainName: Name,
    recordType: number,
    { optOut: allowed }: { optOut: boolean },
  ): Denial | undefined {
    const match = this.#match(domainName);
    if (match) {
      const delegation = match.types.has(RRType.NS) && !match.types.has(RRType.SOA);
      if (lacks(match, recordType, domainName.isRoot))
        return { kind: 'nodata', status: 'secure', delegation, used: [match.set] };
      return undefined;
    }
    const encloser = this.#encloser(domainName);
    if (!encloser) return undefined;
    const optOut = isOptOut(encloser.cover);
    const wildcard = this.#match(below(encloser.name));
    if (wildcard) {
      if (lacks(wildcard, recordType, false))
        return {
          kind: 'nodata',
          status: statusUnder(encloser.cover),
          delegation: false,
          used: unique(encloser, wildcard),
        };
      return undefined;
    }
    // RFC 5155 §8.6: an opt-out span may contain an unsigned delegation.
    if (optOut && allowed) return { kind: 'nodata', status: 'insecure', used: unique(encloser) };
    return undefined;
  }

  /**
   * Proves that neither the name nor a wildcard for it exists: a record matches the
   * closest encloser, and records cover the next closer name and the wildcard at the
   * closest encloser (RFC 5155 §8.4) [5155-8.4-1].
   */
  nxdomain(domainName: Name): Denial | undefined {
    const encloser = this.#encloser(domainName);
    const wildcard = encloser && this.#cover(below(encloser.name));
    if (!encloser || !wildcard) return undefined;
    return {
      kind: 'nxdomain',
      status: statusUnder(encloser.cover),
      used: unique(encloser, wildcard),
    };
  }

  noCloser(domainName: Name, encloserLabels: number): NoCloser | undefined {
    const cover = this.#cover(nextCloser(domainName, encloserLabels));
    return cover && { status: statusUnder(cover), used: [cover.set] };
  }

  /**
   * Returns the closest encloser proof (RFC 5155 §8.3). The encloser must belong to this
   * zone, so it may be neither a delegation nor the owner of a DNAME.
   */
  #encloser(domainName: Name): Encloser | undefined {
    if (!domainName.isAtOrBelow(this.zone)) return undefined;
    for (let labels = domainName.labelCount - 1; labels >= this.zone.labelCount; labels--) {
      const candidate = domainName.suffix(labels);
      const span = this.#match(candidate);
      if (!span) continue;
      if (
        span.types.has(RRType.DNAME) ||
        (span.types.has(RRType.NS) && !span.types.has(RRType.SOA))
      )
        return undefined;
      const cover = this.#cover(nextCloser(domainName, labels));
      return cover && { name: candidate, span, cover };
    }
    return undefined;
  }

  /**
   * Returns the span whose owner is the hash of the name, which proves that the name
   * exists.
   */
  #match(domainName: Name): Span | undefined {
    const hash = this.#hash(domainName);
    return hash && this.#spans.find((span) => equalBytes(span.hash, hash) && this.trust(span.set));
  }

  /**
   * Returns the span that contains the hash of the name, which proves that the name does
   * not exist.
   */
  #cover(domainName: Name): Span | undefined {
    const hash = this.#hash(domainName);
    return (
      hash &&
      this.#spans.find((span) => between(span.hash, hash, span.nextHash) && this.trust(span.set))
    );
  }

  /**
   * Returns the hash of a name, which is computed once; undefined if the budget is spent.
   */
  #hash(domainName: Name): Uint8Array | undefined {
    const [first] = this.#spans;
    if (!first) return undefined;
    const known = this.#hashes.get(domainName.key);
    if (known) return known;
    if (this.work.hashes.hashes-- <= 0) return undefined;
    const hash = nsec3Hash(domainName, first.salt, first.iterations);
    this.#hashes.set(domainName.key, hash);
    return hash;
  }
}

/**
 * Returns the span of a usable NSEC3 record. Ignores records with unknown hash algorithms
 * or flags (RFC 5155 §8.1, §8.2), and records whose owner is not one label below the
 * zone.
 */
function spanOf(recordSet: RRset, zoneName: Name): Span[] {
  if (
    recordSet.type !== RRType.NSEC3 ||
    recordSet.records.length !== 1 ||
    !recordSet.name.parent.equals(zoneName) ||
    recordSet.name.isRoot
  )
    return [];
  const nsec3 = readNsec3(recordSet.records[0] as RRset['records'][number]);
  const hash = fromBase32hex(
    Buffer.from(recordSet.name.labels[0] as Uint8Array).toString('latin1'),
  );
  if (
    !nsec3.ok ||
    !hash ||
    hash.length !== 20 ||
    nsec3.value.nextHash.length !== 20 ||
    nsec3.value.hashAlgorithm !== 1 ||
    nsec3.value.flags > 1
  )
    return [];
  return [{ ...nsec3.value, hash, set: recordSet }];
}

/**
 * Returns whether unsigned delegations in the span may have no NSEC3 record of their own
 * (RFC 5155 §6).
 */
function isOptOut(span: Span): boolean {
  return (span.flags & 1) !== 0;
}

/**
 * Returns the status of a proof that depends on the span: an opt-out span may contain an
 * unsigned name.
 */
function statusUnder(span: Span): 'secure' | 'insecure' {
  if (isOptOut(span)) return 'insecure';
  return 'secure';
}

/**
 * Returns whether the hash is inside the span. The last span wraps around to the first
 * hash.
 */
function between(owner: Uint8Array, hash: Uint8Array, next: Uint8Array): boolean {
  const after = Buffer.compare(owner, hash) < 0;
  const before = Buffer.compare(hash, next) < 0;
  if (Buffer.compare(owner, next) < 0) return after && before;
  return (after || before) && !equalBytes(owner, hash);
}

/** Returns the RRsets of a proof without duplicates. */
function unique({ span, cover }: Encloser, third?: Span): readonly RRset[] {
  return [...new Set([span.set, cover.set, ...(third ? [third.set] : [])])];
}
