import { Name } from '../../../base/index.js';
import { readNsec, type Nsec } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { compareNames } from '../canonical.js';
import { nextCloser, type Denial, type NoCloser, type SetTrust } from './denial.js';
import type { RRset } from './rrset.js';

/** One NSEC record: nothing exists between `owner` and `next` in canonical order. */
interface Span extends Nsec {
  readonly owner: Name;
  readonly set: RRset;
}

const wildcardLabel = Uint8Array.of(0x2a);

/** Proofs from the NSEC records of one zone (RFC 4035 §5.4, RFC 6840 §4). */
export class NsecProofs {
  readonly #spans: readonly Span[];

  constructor(
    sets: readonly RRset[],
    private readonly zone: Name,
    private readonly trust: SetTrust,
  ) {
    this.#spans = sets.flatMap((set) => {
      const nsec =
        set.type === RRType.NSEC && set.records.length === 1 && set.name.isAtOrBelow(zone)
          ? readNsec(set.records[0] as RRset['records'][number])
          : undefined;
      if (nsec?.ok && nsec.value.next.isAtOrBelow(zone))
        return [{ ...nsec.value, owner: set.name, set }];
      return [];
    });
  }

  /** True if the response has an NSEC record of the zone. */
  get any(): boolean {
    return this.#spans.length > 0;
  }

  /**
   * That the name has no records of the type: a match, an empty non-terminal, or a
   * wildcard without the type.
   */
  nodata(name: Name, type: number): Denial | undefined {
    const match = this.#find((span) => span.owner.equals(name));
    if (match) {
      const delegation = match.types.has(RRType.NS) && !match.types.has(RRType.SOA);
      if (lacks(match, type, name.isRoot))
        return { kind: 'nodata', status: 'secure', delegation, used: [match.set] };
      return undefined;
    }
    const cover = this.#cover(name);
    if (!cover) return undefined;
    if (cover.next.isAtOrBelow(name))
      return { kind: 'nodata', status: 'secure', delegation: false, used: [cover.set] };
    const wildcard = this.#find((span) => span.owner.equals(below(this.#encloser(name, cover))));
    if (wildcard && lacks(wildcard, type, false))
      return {
        kind: 'nodata',
        status: 'secure',
        delegation: false,
        used: unique(cover.set, wildcard.set),
      };
    return undefined;
  }

  /** That neither the name nor a wildcard that would answer for it exists. */
  nxdomain(name: Name): Denial | undefined {
    const cover = this.#cover(name);
    if (!cover || cover.next.isAtOrBelow(name)) return undefined;
    const wildcard = this.#cover(below(this.#encloser(name, cover)));
    if (wildcard)
      return { kind: 'nxdomain', status: 'secure', used: unique(cover.set, wildcard.set) };
    return undefined;
  }

  /** That no name closer than the wildcard's parent exists (RFC 4035 §5.3.4). */
  noCloser(name: Name, encloserLabels: number): NoCloser | undefined {
    const closer = nextCloser(name, encloserLabels);
    const cover = this.#cover(closer);
    if (cover && !cover.next.isAtOrBelow(closer)) return { status: 'secure', used: [cover.set] };
    return undefined;
  }

  /** Returns the first span that fits and whose signature holds. */
  #find(wanted: (span: Span) => boolean): Span | undefined {
    return this.#spans.find((span) => wanted(span) && this.trust(span.set));
  }

  /** Returns a span that proves the absence of a name. */
  #cover(name: Name): Span | undefined {
    if (!name.isAtOrBelow(this.zone)) return undefined;
    return this.#find((span) => covers(span, name));
  }

  /** The longest existing ancestor that the covering span shows. */
  #encloser(name: Name, { owner, next }: Span): Name {
    for (let domain = name.parent; ; domain = domain.parent)
      if (owner.isAtOrBelow(domain) || next.isAtOrBelow(domain) || domain.isRoot) return domain;
  }
}

/** Returns true if a span covers a name: it sorts after the owner and before `next`. */
function covers({ owner, next, types }: Span, name: Name): boolean {
  if (owner.equals(name)) return false;
  // RFC 6840 §4.1: what lies below a delegation or a DNAME is not this zone's to deny.
  if (
    name.isAtOrBelow(owner) &&
    (types.has(RRType.DNAME) || (types.has(RRType.NS) && !types.has(RRType.SOA)))
  )
    return false;
  const after = compareNames(owner, name) < 0;
  const before = compareNames(name, next) < 0;
  // The last span of a zone ends at the apex.
  if (compareNames(owner, next) < 0) return after && before;
  return after || before;
}

/** The type is absent here and this record may say so (RFC 6840 §4.1, §4.3). */
export function lacks(
  { types }: { readonly types: ReadonlySet<number> },
  type: number,
  atRoot: boolean,
): boolean {
  if (types.has(type) || types.has(RRType.CNAME)) return false;
  const apex = types.has(RRType.SOA);
  if (type === RRType.DS) return !apex || atRoot;
  return !types.has(RRType.NS) || apex;
}

/**
 * `*.name`; a name too long for that has no wildcard below it, and then the name itself
 * stands in.
 */
export function below(name: Name): Name {
  const wildcard = Name.fromLabels([wildcardLabel, ...name.labels]);
  if (wildcard.ok) return wildcard.value;
  return name;
}

/** Returns the RRsets without duplicates: one span may prove two absences. */
function unique(...sets: readonly RRset[]): readonly RRset[] {
  return [...new Set(sets)];
}
