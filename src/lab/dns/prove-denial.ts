import { Name, equalBytes } from '../../base/index.js';
import {
  compareNames,
  fromBase32hex,
  nsec3Hash,
  readNsec3,
  type ResourceRecord,
} from '../../dns/index.js';
import type { Zone } from './zone.js';

const WILDCARD = Uint8Array.of(0x2a);

/**
 * Records that prove that a name has no such type, signed (RFC 4035 §3.1.3, RFC 5155
 * §7.2).
 */
export function proveNodata(zone: Zone, name: Name): readonly ResourceRecord[] {
  if (!zone.usesNsec3)
    return withSignature(zone, [
      findDenial(zone, (node) => node.name.equals(name)) ?? covering(zone, name),
    ]);
  const match = matching3(zone, name);
  if (match) return withSignature(zone, [match]);
  const encloser = encloserOf(zone, name);
  return withSignature(zone, [
    matching3(zone, encloser),
    covering3(zone, name.suffix(encloser.labels.length + 1)),
  ]);
}

/** Records that prove that neither the name nor a wildcard for it exists. */
export function proveNxdomain(zone: Zone, name: Name): readonly ResourceRecord[] {
  const encloser = encloserOf(zone, name);
  const closer = name.suffix(encloser.labels.length + 1);
  if (!zone.usesNsec3)
    return withSignature(zone, [covering(zone, name), covering(zone, wildcardBelow(encloser))]);
  return withSignature(zone, [
    matching3(zone, encloser),
    covering3(zone, closer),
    covering3(zone, wildcardBelow(encloser)),
  ]);
}

/**
 * Records that prove that no name closer than the wildcard exists; with `nodata`, that
 * the wildcard lacks the type too.
 */
export function proveNoCloser(
  zone: Zone,
  name: Name,
  encloser: Name,
  nodata: boolean,
): readonly ResourceRecord[] {
  const closer = name.suffix(encloser.labels.length + 1);
  const wildcard = wildcardBelow(encloser);
  if (!zone.usesNsec3)
    return withSignature(zone, [
      covering(zone, name),
      ...(nodata ? [findDenial(zone, (node) => node.name.equals(wildcard))] : []),
    ]);
  return withSignature(zone, [
    covering3(zone, closer),
    ...(nodata ? [matching3(zone, encloser), matching3(zone, wildcard)] : []),
  ]);
}

/** The longest existing ancestor. */
export function encloserOf(zone: Zone, name: Name): Name {
  for (let node = name.parent; ; node = node.parent)
    if (zone.exists(node) || node.labels.length <= zone.apex.labels.length) return node;
}

export function wildcardBelow(name: Name): Name {
  const proof = Name.fromLabels([WILDCARD, ...name.labels]);
  return proof.ok ? proof.value : name;
}

function withSignature(
  zone: Zone,
  records: readonly (ResourceRecord | undefined)[],
): readonly ResourceRecord[] {
  return [...new Set(records.filter((record) => record !== undefined))].flatMap((record) =>
    zone.withSignature([record]),
  );
}

function findDenial(
  zone: Zone,
  wanted: (record: ResourceRecord) => boolean,
): ResourceRecord | undefined {
  return zone.denial.find(wanted);
}

/** By bisection: the chain is in canonical order (RFC 4034 §6.1). */
function covering(zone: Zone, name: Name): ResourceRecord | undefined {
  let [low, high] = [0, zone.denial.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const owner = zone.denial[middle]?.name ?? name;
    if (compareNames(owner, name) < 0) low = middle + 1;
    else high = middle;
  }
  return zone.denial[low]?.name.equals(name) ? undefined : zone.denial[low - 1];
}

function matching3(zone: Zone, name: Name): ResourceRecord | undefined {
  const hash = nsec3Hash(name, new Uint8Array(0), 0);
  return findDenial(zone, (record) => equalBytes(hashOf(record), hash));
}

function covering3(zone: Zone, name: Name): ResourceRecord | undefined {
  const hash = nsec3Hash(name, new Uint8Array(0), 0);
  return findDenial(zone, (record) => {
    const read = readNsec3(record);
    if (!read.ok) return false;
    const [own, next] = [hashOf(record), read.value.nextHash];
    const after = Buffer.compare(own, hash) < 0;
    const before = Buffer.compare(hash, next) < 0;
    return Buffer.compare(own, next) < 0 ? after && before : after || before;
  });
}

function hashOf(record: ResourceRecord): Uint8Array {
  return (
    fromBase32hex(Buffer.from(record.name.labels[0] ?? new Uint8Array(0)).toString('latin1')) ??
    new Uint8Array(0)
  );
}
