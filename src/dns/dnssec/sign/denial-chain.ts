import { concat, equalBytes, Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import { toBase32hex } from '../../wire/base32hex.js';
import { encodeTypeBitmap, makeRecord } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { compareNames, encodeUint16 } from '../canonical.js';
import { nsec3Hash } from '../nsec3-hash.js';

/** The type of denial records of a zone. */
export type DenialScheme =
  | { readonly kind: 'nsec' }
  | {
      readonly kind: 'nsec3';
      readonly optOut: boolean;
      readonly iterations: number;
      readonly salt: Uint8Array;
    };

/** One name of a zone with its record types. An empty non-terminal has no types. */
export interface ZoneName {
  readonly name: Name;
  readonly types: readonly number[];
  /** Whether the name is a delegation: NS without SOA. */
  readonly delegation: boolean;
}

/**
 * Returns the NSEC or NSEC3 records of a zone, unsigned, in chain order. `names` are all
 * authoritative names and delegations, including the apex.
 */
export function denialChain(
  apex: Name,
  zoneNames: readonly ZoneName[],
  denialScheme: DenialScheme,
  ttlSeconds: number,
): readonly ResourceRecord[] {
  if (denialScheme.kind === 'nsec') return nsecChain(zoneNames, ttlSeconds);
  return nsec3Chain(apex, zoneNames, denialScheme, ttlSeconds);
}

/**
 * Links the names in canonical order. An empty non-terminal has no NSEC record (RFC 4035
 * §2.3).
 */
function nsecChain(zoneNames: readonly ZoneName[], ttlSeconds: number): readonly ResourceRecord[] {
  const sorted = zoneNames
    .filter((zoneName) => zoneName.types.length > 0)
    .sort((left, right) => compareNames(left.name, right.name));
  return sorted.map((zoneName, index) => {
    const next = (sorted[(index + 1) % sorted.length] as ZoneName).name;
    return makeRecord(
      zoneName.name,
      RRType.NSEC,
      ttlSeconds,
      concat(next.wire, encodeTypeBitmap([...zoneName.types, RRType.NSEC, RRType.RRSIG])),
    );
  });
}

/**
 * Links the names in the order of their hashes. An empty non-terminal also has an NSEC3
 * record (RFC 5155 §7.1). With opt-out, unsigned delegations are omitted (§6).
 */
function nsec3Chain(
  apex: Name,
  zoneNames: readonly ZoneName[],
  { optOut, iterations, salt }: Extract<DenialScheme, { kind: 'nsec3' }>,
  ttlSeconds: number,
): readonly ResourceRecord[] {
  const covered = zoneNames.filter(
    (zoneName) => !(optOut && zoneName.delegation && !zoneName.types.includes(RRType.DS)),
  );
  const hashed = covered
    .map((zoneName) => ({ ...zoneName, hash: nsec3Hash(zoneName.name, salt, iterations) }))
    .sort((left, right) => Buffer.compare(left.hash, right.hash));
  const distinct = hashed.filter(
    (hashedName, index) =>
      index === 0 ||
      !equalBytes(hashedName.hash, (hashed[index - 1] as (typeof hashed)[number]).hash),
  );
  return distinct.map((hashedName, index) => {
    const next = (distinct[(index + 1) % distinct.length] as (typeof distinct)[number]).hash;
    // An unsigned delegation has no signed RRset, so its type bitmap does not include
    // RRSIG.
    const signed =
      hashedName.types.length > 0 &&
      (!hashedName.delegation || hashedName.types.includes(RRType.DS));
    const recordData = concat(
      Uint8Array.of(1, optOut ? 1 : 0),
      encodeUint16(iterations),
      Uint8Array.of(salt.length, ...salt, next.length, ...next),
      encodeTypeBitmap(signed ? [...hashedName.types, RRType.RRSIG] : hashedName.types),
    );
    const owner = Name.fromLabels([Buffer.from(toBase32hex(hashedName.hash)), ...apex.labels]);
    if (!owner.ok) throw new TypeError(`zone name too long for NSEC3: ${apex.toString()}`);
    return makeRecord(owner.value, RRType.NSEC3, ttlSeconds, recordData);
  });
}
