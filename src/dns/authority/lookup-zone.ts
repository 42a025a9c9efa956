import { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';

/** The record sets of one name, by type. */
export type RecordSets = ReadonlyMap<number, readonly ResourceRecord[]>;

/** A zone as {@link lookupZone} reads it: its records, signatures and proofs of absence. */
export interface ZoneData {
  readonly apex: Name;
  /** Undefined for a name without records, such as an empty non-terminal. */
  recordSets(domainName: Name): RecordSets | undefined;
  /** Returns true if the name, or a name below it, has records. */
  exists(domainName: Name): boolean;
  /** The closest ancestor with a DNAME record. */
  redirectionAbove?(domainName: Name): readonly ResourceRecord[] | undefined;
  /** The record set, with its signature if the zone signs it. */
  withSignature(records: readonly ResourceRecord[]): readonly ResourceRecord[];
  /** Undefined for an unsigned zone. */
  readonly denial?: DenialProofs;
}

/** Signed records that prove absence (RFC 4035 §3.1.3). */
export interface DenialProofs {
  /** The name exists and lacks the type. */
  nodata(domainName: Name): readonly ResourceRecord[];
  /** Neither the name nor a wildcard for it exists. */
  nxdomain(domainName: Name): readonly ResourceRecord[];
  /**
   * No name closer than the wildcard below the encloser exists. With `nodata`, the
   * wildcard also lacks the type.
   */
  noCloser(domainName: Name, encloser: Name, nodata: boolean): readonly ResourceRecord[];
}

/** The answer of one zone (RFC 1034 §4.3.2). */
export interface ZoneAnswer {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Target of an alias. */
  readonly next?: Name;
}

const WILDCARD = Uint8Array.of(0x2a);
const noSets: RecordSets = new Map();

/**
 * Looks up a name and type in the zone that contains the name. The caller selects the
 * zone and handles delegations.
 */
export function lookupZone(zone: ZoneData, domainName: Name, recordType: number): ZoneAnswer {
  const dnames = zone.redirectionAbove?.(domainName);
  if (dnames?.[0]) return redirected(zone, domainName, dnames, dnames[0]);
  const recordSets = zone.recordSets(domainName);
  if (recordSets)
    return fromSets(zone, recordSets, recordType, {
      positive: [],
      nodata: () => zone.denial?.nodata(domainName) ?? [],
    });
  if (zone.exists(domainName))
    return denied(zone, Rcode.NOERROR, zone.denial?.nodata(domainName) ?? []);
  const encloser = encloserOf(zone, domainName);
  const wildcardName = wildcardBelow(encloser);
  // RFC 4592 §2.2.2: the answer for a wildcard without records but with names below it is
  // NODATA.
  const wildcard =
    zone.recordSets(wildcardName) ?? (zone.exists(wildcardName) ? noSets : undefined);
  if (!wildcard) return denied(zone, Rcode.NXDOMAIN, zone.denial?.nxdomain(domainName) ?? []);
  // RFC 4035 §3.1.3.3: a wildcard answer needs a proof that no closer name exists.
  const found = fromSets(zone, wildcard, recordType, {
    positive: zone.denial?.noCloser(domainName, encloser, false) ?? [],
    nodata: () => zone.denial?.noCloser(domainName, encloser, true) ?? [],
  });
  return {
    ...found,
    answers: found.answers.map((resourceRecord) => ({ ...resourceRecord, name: domainName })),
  };
}

/** RFC 6672 §3.1: a CNAME is synthesised for the name below the DNAME. */
function redirected(
  zone: ZoneData,
  domainName: Name,
  dnames: readonly ResourceRecord[],
  dname: ResourceRecord,
): ZoneAnswer {
  const target = readTarget(dname);
  const above = domainName.labelCount - dname.name.labelCount;
  const synthesised = target.ok
    ? Name.fromLabels([...domainName.labels.slice(0, above), ...target.value.labels])
    : target;
  const answers = zone.withSignature(dnames);
  if (!synthesised.ok) return { rcode: Rcode.YXDOMAIN, answers, authorities: [] };
  const cname = { ...dname, name: domainName, type: RRType.CNAME, rdata: synthesised.value.wire };
  return {
    rcode: Rcode.NOERROR,
    answers: [...answers, cname],
    authorities: [],
    next: synthesised.value,
  };
}

/** The proofs that accompany the answer for a name. */
interface Proofs {
  readonly positive: readonly ResourceRecord[];
  nodata(): readonly ResourceRecord[];
}

function fromSets(
  zone: ZoneData,
  recordSets: RecordSets,
  recordType: number,
  { positive: proof, nodata }: Proofs,
): ZoneAnswer {
  const records = recordSets.get(recordType);
  if (records)
    return { rcode: Rcode.NOERROR, answers: zone.withSignature(records), authorities: proof };
  const cname = recordSets.get(RRType.CNAME);
  const target = cname?.[0] && readTarget(cname[0]);
  if (cname && target?.ok)
    return {
      rcode: Rcode.NOERROR,
      answers: zone.withSignature(cname),
      authorities: proof,
      next: target.value,
    };
  return denied(zone, Rcode.NOERROR, nodata());
}

/** A negative answer: the SOA (RFC 2308 §3) and, in a signed zone, the proof. */
function denied(zone: ZoneData, rcode: number, proof: readonly ResourceRecord[]): ZoneAnswer {
  const soa = zone.withSignature(zone.recordSets(zone.apex)?.get(RRType.SOA) ?? []);
  return { rcode, answers: [], authorities: [...soa, ...proof] };
}

/** The longest existing ancestor. */
export function encloserOf(zone: Pick<ZoneData, 'apex' | 'exists'>, domainName: Name): Name {
  for (let node = domainName.parent; ; node = node.parent)
    if (zone.exists(node) || node.labelCount <= zone.apex.labelCount) return node;
}

/** `*` below a name, or the name itself if the result would be too long. */
export function wildcardBelow(domainName: Name): Name {
  const wildcard = Name.fromLabels([WILDCARD, ...domainName.labels]);
  return wildcard.ok ? wildcard.value : domainName;
}
