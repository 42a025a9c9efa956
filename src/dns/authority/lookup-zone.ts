import { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';

/** The record sets of one name, by type. */
export type RecordSets = ReadonlyMap<number, readonly ResourceRecord[]>;

/** A zone as {@link lookupZone} reads it: its records, signatures and proofs of absence. */
export interface ZoneData {
  readonly apex: Name;
  /**
   * Returns the record sets of a name; undefined for a name without records, such as an
   * empty non-terminal.
   */
  recordSets(domainName: Name): RecordSets | undefined;
  /** Returns whether the name, or a name below it, has records. */
  exists(domainName: Name): boolean;
  /** Returns the DNAME record set of the closest ancestor that has one. */
  redirectionAbove?(domainName: Name): readonly ResourceRecord[] | undefined;
  /** Returns the record set, with its signature if the zone signs it. */
  withSignature(records: readonly ResourceRecord[]): readonly ResourceRecord[];
  /** Proofs of absence; undefined for an unsigned zone. */
  readonly denial?: DenialProofs;
}

/** Signed records that prove the absence of a name or type (RFC 4035 §3.1.3). */
export interface DenialProofs {
  /** Returns the proof that the name exists and lacks the type. */
  nodata(domainName: Name): readonly ResourceRecord[];
  /** Returns the proof that neither the name nor a wildcard for it exists. */
  nxdomain(domainName: Name): readonly ResourceRecord[];
  /**
   * Returns the proof that no existing name is closer to the question than the wildcard
   * below the encloser. With `nodata`, the proof also shows that the wildcard lacks the
   * type.
   */
  noCloser(domainName: Name, encloser: Name, nodata: boolean): readonly ResourceRecord[];
}

/** The answer of one zone (RFC 1034 §4.3.2). */
export interface ZoneAnswer {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Target of the alias at which the answer ends. The caller looks up this name. */
  readonly next?: Name;
}

const WILDCARD = Uint8Array.of(0x2a);
const noSets: RecordSets = new Map();

/**
 * Looks up a name and type in the zone that contains the name. The caller selects the
 * zone, and handles delegations.
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
  // RFC 4592 §2.2.2: if the wildcard has no records but names below it exist, the answer
  // is NODATA.
  const wildcard =
    zone.recordSets(wildcardName) ?? (zone.exists(wildcardName) ? noSets : undefined);
  if (!wildcard) return denied(zone, Rcode.NXDOMAIN, zone.denial?.nxdomain(domainName) ?? []);
  // RFC 4035 §3.1.3.3: a wildcard answer includes a proof that no closer name exists.
  const found = fromSets(zone, wildcard, recordType, {
    positive: zone.denial?.noCloser(domainName, encloser, false) ?? [],
    nodata: () => zone.denial?.noCloser(domainName, encloser, true) ?? [],
  });
  return {
    ...found,
    answers: found.answers.map((resourceRecord) => ({ ...resourceRecord, name: domainName })),
  };
}

/**
 * Returns the answer for a name below a DNAME: the DNAME and a synthesised CNAME
 * (RFC 6672 §3.1).
 */
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

/** The proofs in the answer for a name. */
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

/** Returns a negative answer: the SOA (RFC 2308 §3) and, in a signed zone, the proof. */
function denied(zone: ZoneData, rcode: number, proof: readonly ResourceRecord[]): ZoneAnswer {
  const soa = zone.withSignature(zone.recordSets(zone.apex)?.get(RRType.SOA) ?? []);
  return { rcode, answers: [], authorities: [...soa, ...proof] };
}

/** Returns the longest existing ancestor of a name. */
export function encloserOf(zone: Pick<ZoneData, 'apex' | 'exists'>, domainName: Name): Name {
  for (let node = domainName.parent; ; node = node.parent)
    if (zone.exists(node) || node.labelCount <= zone.apex.labelCount) return node;
}

/**
 * Returns the wildcard `*` below a name, or the name itself if the wildcard would be too
 * long.
 */
export function wildcardBelow(domainName: Name): Name {
  const wildcard = Name.fromLabels([WILDCARD, ...domainName.labels]);
  return wildcard.ok ? wildcard.value : domainName;
}
