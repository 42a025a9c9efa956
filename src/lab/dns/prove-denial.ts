import { equalBytes, type Name } from '../../base/index.js';
import {
  compareNames,
  encloserOf,
  fromBase32hex,
  nsec3Hash,
  wildcardBelow,
  type ResourceRecord,
} from '../../dns/index.js';
import type { Zone } from './zone.js';

/**
 * Returns the records, with signatures, that prove that a name lacks a type (RFC 4035
 * §3.1.3, RFC 5155 §7.2).
 */
export function proveNodata(zone: Zone, domainName: Name): readonly ResourceRecord[] {
  if (!zone.usesNsec3)
    return withSignature(zone, [matching(zone, domainName) ?? covering(zone, domainName)]);
  const match = matching3(zone, domainName);
  if (match) return withSignature(zone, [match]);
  const encloser = encloserOf(zone, domainName);
  return withSignature(zone, [
    matching3(zone, encloser),
    covering3(zone, domainName.suffix(encloser.labelCount + 1)),
  ]);
}

/** Returns the records that prove that neither the name nor a wildcard for it exists. */
export function proveNxdomain(zone: Zone, domainName: Name): readonly ResourceRecord[] {
  const encloser = encloserOf(zone, domainName);
  const closer = domainName.suffix(encloser.labelCount + 1);
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
 * Returns the records that prove that no name closer than the wildcard exists; with
 * `nodata`, that the wildcard lacks the type too.
 */
export function proveNoCloser(
  zone: Zone,
  domainName: Name,
  encloser: Name,
  nodata: boolean,
): readonly ResourceRecord[] {
  const closer = domainName.suffix(encloser.labelCount + 1);
  const wildcard = wildcardBelow(encloser);
  if (!zone.usesNsec3)
    return withSignature(zone, [
      covering(zone, domainName),
      ...(nodata ? [matching(zone, wildcard) ?? covering(zone, wildcard)] : []),
    ]);
  return withSignature(zone, [
    covering3(zone, closer),
    ...(nodata ? [matching3(zone, encloser), matching3(zone, wildcard)] : []),
  ]);
}

function withSignature(
  zone: Zone,
  records: readonly (ResourceRecord | undefined)[],
): readonly ResourceRecord[] {
  return [...new Set(records.filter((resourceRecord) => resourceRecord !== undefined))].flatMap(
    (resourceRecord) => zone.withSignature([resourceRecord]),
  );
}

/** Returns the NSEC record of a name. */
function matching(zone: Zone, domainName: Name): ResourceRecord | undefined {
  const before = lastUpTo(zone.denial, (owner) => compareNames(owner, domainName));
  return before?.name.equals(domainName) ? before : undefined;
}

/** Returns the NSEC record whose span contains the name (RFC 4034 §4.1.1). */
function covering(zone: Zone, domainName: Name): ResourceRecord | undefined {
  const before = lastUpTo(zone.denial, (owner) => compareNames(owner, domainName));
  return before?.name.equals(domainName) ? undefined : before;
}

function matching3(zone: Zone, domainName: Name): ResourceRecord | undefined {
  const hash = nsec3Hash(domainName, new Uint8Array(0), 0);
  const before = lastUpTo(zone.denial, (owner) => Buffer.compare(hashOf(owner), hash));
  return before && equalBytes(hashOf(before.name), hash) ? before : undefined;
}

/**
 * Returns the record whose span contains a hash. The span of the last record contains the
 * hashes before the first (RFC 5155 §3.1.7).
 */
function covering3(zone: Zone, domainName: Name): ResourceRecord | undefined {
  const hash = nsec3Hash(domainName, new Uint8Array(0), 0);
  const before =
    lastUpTo(zone.denial, (owner) => Buffer.compare(hashOf(owner), hash)) ?? zone.denial.at(-1);
  return before && equalBytes(hashOf(before.name), hash) ? undefined : before;
}

/**
 * Finds the last record that is not after the target, by bisection of the sorted chain.
 */
function lastUpTo(
  chain: readonly ResourceRecord[],
  compareToTarget: (owner: Name) => number,
): ResourceRecord | undefined {
  let [low, high] = [0, chain.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareToTarget((chain[middle] as ResourceRecord).name) <= 0) low = middle + 1;
    else high = middle;
  }
  return chain[low - 1];
}

function hashOf(owner: Name): Uint8Array {
  const [label = new Uint8Array(0)] = owner.labels;
  return fromBase32hex(Buffer.from(label).toString('latin1')) ?? new Uint8Array(0);
}
