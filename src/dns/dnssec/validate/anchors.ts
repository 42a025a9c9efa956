import { fail, fromHex, Name, ok, toHex, type Result } from '../../../base/index.js';
import { wireFailures } from '../../wire/failures.js';
import { parseZone } from '../../wire/presentation.js';
import { readDnskey, readDs, type Dnskey, type Ds } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import type { TrustAnchor } from './types.js';

/** Builds a DS with algorithm 8 (RSASHA256) and digest type 2 (SHA-256). */
const dsRecord = (keyTag: number, digest: string): Ds => ({
  keyTag,
  algorithm: 8,
  digestType: 2,
  digest: fromHex(digest) as Uint8Array,
});

/**
 * The keys of the root zone (IANA root-anchors.xml): KSK-2017, which is revoked on
 * 2027-01-11, and KSK-2024, which signs since 2026-10-11. Either key may validate the
 * root's DNSKEY RRset. A revoked key is no longer a trust anchor (RFC 5011 §2.1).
 */
export const rootAnchors: readonly TrustAnchor[] = [
  {
    zone: Name.root,
    ds: [
      dsRecord(20326, 'e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d'),
      dsRecord(38696, '683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16'),
    ],
    keys: [],
  },
];

/**
 * Parses DS and DNSKEY lines in presentation format, as root.key files contain them. Any
 * other line is an error.
 *
 * Fails with `dns-text-malformed`, also if the file contains no DS or DNSKEY line.
 */
export function parseTrustAnchors(text: string): Result<readonly TrustAnchor[]> {
  const zone = parseZone(text);
  if (!zone.ok) return zone;
  const anchors = new Map<string, { zone: Name; ds: Ds[]; keys: Dnskey[] }>();
  for (const resourceRecord of zone.value) {
    const anchor = anchors.get(resourceRecord.name.key) ?? {
      zone: resourceRecord.name,
      ds: [],
      keys: [],
    };
    anchors.set(resourceRecord.name.key, anchor);
    if (resourceRecord.type === RRType.DS) {
      const read = readDs(resourceRecord);
      if (!read.ok) return read;
      anchor.ds.push(read.value);
    } else if (resourceRecord.type === RRType.DNSKEY) {
      const read = readDnskey(resourceRecord);
      if (!read.ok) return read;
      anchor.keys.push(read.value);
    } else
      return fail(
        wireFailures.make('dns-text-malformed', 'a trust anchor is a DS or DNSKEY record'),
      );
  }
  if (anchors.size === 0)
    return fail(wireFailures.make('dns-text-malformed', 'no DS or DNSKEY record in the file'));
  return ok([...anchors.values()]);
}

const anchorIds = new WeakMap<TrustAnchor, string>();

/**
 * Returns an identifier that two anchors share only if their zone, keys and digests are
 * equal.
 */
export function anchorId(anchor: TrustAnchor): string {
  const known = anchorIds.get(anchor);
  if (known !== undefined) return known;
  const { zone, ds, keys, negative = false } = anchor;
  const octets = (_: string, value: unknown): unknown =>
    value instanceof Uint8Array ? toHex(value) : value;
  const made = JSON.stringify([toHex(zone.wire), negative, ds, keys], octets);
  anchorIds.set(anchor, made);
  return made;
}
