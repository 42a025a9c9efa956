import { Name } from '../../../base/index.js';
import { readNsec, type Nsec } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { compareNames } from '../canonical.js';
import { nextCloser, type Denial, type NoCloser, type SetTrust } from './denial.js';
import type { RRset } from './rrset.js';

/** One NSEC record: no name exists between `owner` and `next` in canonical order. */
interface Span extends Nsec {
  readonly owner: Name;
  readonly set: RRset;
}

const wildcardLabel = Uint8Array.of(0x2a);
/** Types in the NSEC bitmap of a name without data. */
const denialTypes: ReadonlySet<number> = new Set([RRType.NSEC, RRType.RRSIG, RRType.NXNAME]);

/** Proofs from the NSEC records of one zone (RFC 4035 §5.4, RFC 6840 §4). */
export class NsecProofs {
  readonly #spans: readonly Span[];

  constructor(
    sets: readonly RRset[],
    private readonly zone: Name,
    private readonly trust: SetTrust,
  ) {
    this.#spans = sets.flatMap((recordSet) => {
      const nsec =
        recordSet.type === RRType.NSEC &&
        recordSet.records.length === 1 &&
        recordSet.name.isAtOrBelow(zone)
          ? readNsec(recordSet.records[0] as RRset['records'][number])
          : undefined;
      if (nsec?.ok && nsec.value.next.isAtOrBelow(zone))
        return [{ ...nsec.value, owner: recordSet.name, set: recordSet }];
      return [];
    });
  }

  /** Returns whether the response has an NSEC record of the zone. */
  get any(): boolean {
    return this.#spans.length > 0;
  }

  /**
   * Proves that the name has no records of the type: a match, an empty non-terminal, or a
   * wildcard without the type.
   */
  nodata(domainName: Name, recordType: number): Denial | undefined {
    const match = this.#find((span) => span.owner.equals(domainName));
    if (match) {
      const delegation = match.types.has(RRType.NS) && !match.types.has(RRType.SOA);
      // RFC 9824 §3.1: NXNAME in the bitmap means that the name does not exist
      // [9824-3.1-1].
      const kind = match.types.has(RRType.NXNAME) ? 'nxdomain' : 'nodata';
      if (lacks(match, recordType, domainName.isRoot))
        return { kind, status: 'secure', delegation, used: [match.set] };
      return undefined;
    }
    const cover = this.#cover(domainName);
    if (!cover) return undefined;
    if (cover.next.isAtOrBelow(domainName))
      return { kind: 'nodata', status: 'secure', delegation: false, used: [cover.set] };
    const wildcardName = below(this.#encloser(domainName, cover));
    const wildcard = this.#find((span) => span.owner.equals(wildcardName));
    const proof = wildcard ?? this.#coverWithNamesBelow(wildcardName);
    if (proof && (proof !== wildcard || lacks(proof, recordType, false)))
      return {
        kind: 'nodata',
        status: 'secure',
        delegation: false,
        used: unique(cover.set, proof.set),
      };
    return undefined;
  }

  /** Proves that neither the name nor a wildcard for it exists. */
  nxdomain(domainName: Name): Denial | undefined {
    const cover = this.#cover(domainName);
    if (!cover || cover.next.isAtOrBelow(domainName)) return undefined;
    const wildcardName = below(this.#encloser(domainName, cover));
    const wildcard = this.#cover(wildcardName);
    if (wildcard && !wildcard.next.isAtOrBelow(wildcardName))
      return { kind: 'nxdomain', status: 'secure', used: unique(cover.set, wildcard.set) };
    return undefined;
  }

  /**
   * Returns a span that proves an empty non-terminal. A wildcard can also be an empty
   * non-terminal: questions for the names that it matches then get NODATA
   * (RFC 4592 §2.2.2, §3.3.1).
   */
  #coverWithNamesBelow(domainName: Name): Span | undefined {
    const cover = this.#cover(domainName);
    if (cover?.next.isAtOrBelow(domainName)) return cover;
    return undefined;
  }

  /**
   * Proves that no existing name is closer to the question than the wildcard's parent
   * (RFC 4035 §5.3.4).
   */
  noCloser(domainName: Name, encloserLabels: number): NoCloser | undefined {
    const closer = nextCloser(domainName, encloserLabels);
    const cover = this.#cover(closer);
    if (cover && !cover.next.isAtOrBelow(closer)) return { status: 'secure', used: [cover.set] };
    return undefined;
  }

  /** Returns the first span that satisfies the condition and has a valid signature. */
  #find(wanted: (span: Span) => boolean): Span | undefined {
    return this.#spans.find((span) => wanted(span) && this.trust(span.set));
  }

  /** Returns a span that proves the absence of a name. */
  #cover(domainName: Name): Span | undefined {
    if (!domainName.isAtOrBelow(this.zone)) return undefined;
    return this.#find((span) => covers(span, domainName));
  }

  /**
   * Returns the longest ancestor of the name whose existence the covering span proves.
   */
  #encloser(name: Name, { owner, next }: Span): Name {
    for (let domainName = name.parent; ; domainName = domainName.parent)
      if (owner.isAtOrBelow(domainName) || next.isAtOrBelow(domainName) || domainName.isRoot)
        return domainName;
  }
}

/**
 * Returns whether a span covers a name: the name sorts after `owner` and before `next`.
 */
function covers({ owner: ownerName, next, types }: Span, domainName: Name): boolean {
  if (ownerName.equals(domainName)) return false;
  // RFC 6840 §4.1: the NSEC record of a delegation or a DNAME cannot deny the names
  // below.
  if (
    domainName.isAtOrBelow(ownerName) &&
    (types.has(RRType.DNAME) || (types.has(RRType.NS) && !types.has(RRType.SOA)))
  )
    return false;
  const after = compareNames(ownerName, domainName) < 0;
  const before = compareNames(domainName, next) < 0;
  // The `next` of the last span in a zone is the zone's apex.
  if (compareNames(ownerName, next) < 0) return after && before;
  return after || before;
}

/**
 * Returns whether the type is absent and the record may prove the absence (RFC 6840 §4.1,
 * §4.3).
 */
export function lacks(
  { types }: { readonly types: ReadonlySet<number> },
  recordType: number,
  atRoot: boolean,
): boolean {
  if (types.has(recordType) || types.has(RRType.CNAME)) return false;
  if (recordType === RRType.ANY && [...types].some((type) => !denialTypes.has(type))) return false;
  const apex = types.has(RRType.SOA);
  if (recordType === RRType.DS) return !apex || atRoot;
  return !types.has(RRType.NS) || apex;
}

/**
 * Returns the wildcard `*` below a name, or the name itself if the wildcard would be too
 * long.
 */
export function below(domainName: Name): Name {
  const wildcard = Name.fromLabels([wildcardLabel, ...domainName.labels]);
  if (wildcard.ok) return wildcard.value;
  return domainName;
}

/** Returns the RRsets without duplicates: one span may prove the absence of two names. */
function unique(...sets: readonly RRset[]): readonly RRset[] {
  return [...new Set(sets)];
}
