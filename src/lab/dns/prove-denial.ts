import { Name, equalBytes } from '../../base/index.js';
import {
  compareNames,
  fromBase32hex,
  nsec3Hash,
  readNsec,
  readNsec3,
  type ResourceRecord,
} from '../../dns/index.js';
import type { Zone } from './zone.js';

const WILDCARD = Uint8Array.of(0x2a);

/**
 * Records that prove that a name has no such type, signed (RFC 4035 §3.1.3, RFC 5155
 * §7.2).
 */
export function proveNodata(zone: Zone, domainName: Name): readonly ResourceRecord[] {
  if (!zone.usesNsec3)
    return withSignature(zone, [
      findDenial(zone, (node) => node.name.equals(domainName)) ?? covering(zone, domainName),
    ]);
  const match = matching3(zone, domainName);
  if (match) return withSignature(zone, [match]);
  const encloser = encloserOf(zone, domainName);
  return withSignature(zone, [
    matching3(zone, encloser),
    covering3(zone, domainName.suffix(encloser.labels.length + 1)),
  ]);
}

/** Records that prove that neither the name nor a wildcard for it exists. */
export function proveNxdomain(zone: Zone, domainName: Name): readonly ResourceRecord[] {
  const encloser = encloserOf(zone, domainName);
  const closer = domainName.suffix(encloser.labels.length + 1);
  if (!zone.usesNsec3)
    return withSignature(zone, [
      covering(zone, domainName),
      covering(zone, wildcardBelow(encloser)),
    ]);
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
  domainName: Name,
  encloser: Name,
  nodata: boolean,
): readonly ResourceRecord[] {
  const closer = domainName.suffix(encloser.labels.length + 1);
  const wildcard = wildcardBelow(encloser);
  if (!zone.usesNsec3)
    return withSignature(zone, [
      covering(zone, domainName),
      ...(nodata ? [findDenial(zone, (node) => node.name.equals(wildcard))] : []),
    ]);
  return withSignature(zone, [
    covering3(zone, closer),
    ...(nodata ? [matching3(zone, encloser), matching3(zone, wildcard)] : []),
  ]);
}

/** The longest existing ancestor. */
export function encloserOf(zone: Zone, domainName: Name): Name {
  for (let node = domainName.parent; ; node = node.parent)
    if (zone.exists(node) || node.labels.length <= zone.apex.labels.length) return node;
}

export function wildcardBelow(domainName: Name): Name {
  const proof = Name.fromLabels([WILDCARD, ...domainName.labels]);
  return proof.ok ? proof.value : domainName;
}

function withSignature(
  zone: Zone,
  records: readonly (ResourceRecord | undefined)[],
): readonly ResourceRecord[] {
  return [...new Set(records.filter((resourceRecord) => resourceRecord !== undefined))].flatMap(
    (resourceRecord) => zone.withSignature([resourceRecord]),
  );
}

function findDenial(
  zone: Zone,
  wanted: (resourceRecord: ResourceRecord) => boolean,
): ResourceRecord | undefined {
  return zone.denial.find(wanted);
}

/** Returns the NSEC record whose span holds the name (RFC 4034 §4.1.1). */
function covering(zone: Zone, domainName: Name): ResourceRecord | undefined {
  return findDenial(zone, (resourceRecord) => {
    const { name: owner } = resourceRecord;
    const read = readNsec(resourceRecord);
    const next = read.ok ? read.value.next : owner;
    const isLast = compareNames(next, owner) <= 0;
    return compareNames(owner, domainName) < 0 && (isLast || compareNames(domainName, next) < 0);
  });
}

function matching3(zone: Zone, domainName: Name): ResourceRecord | undefined {
  const hash = nsec3Hash(domainName, new Uint8Array(0), 0);
  return findDenial(zone, (resourceRecord) => equalBytes(hashOf(resourceRecord), hash));
}

function covering3(zone: Zone, domainName: Name): ResourceRecord | undefined {
  const hash = nsec3Hash(domainName, new Uint8Array(0), 0);
  return findDenial(zone, (resourceRecord) => {
    const read = readNsec3(resourceRecord);
    if (!read.ok) return false;
    const [own, next] = [hashOf(resourceRecord), read.value.nextHash];
    const after = Buffer.compare(own, hash) < 0;
    const before = Buffer.compare(hash, next) < 0;
    return Buffer.compare(own, next) < 0 ? after && before : after || before;
  });
}

function hashOf(resourceRecord: ResourceRecord): Uint8Array {
  return (
    fromBase32hex(
      Buffer.from(resourceRecord.name.labels[0] ?? new Uint8Array(0)).toString('latin1'),
    ) ?? new Uint8Array(0)
  );
}
