import { equalBytes, type Name } from '../../../base/index.js';
import { readDnskey, type Dnskey, type Ds } from '../../wire/rdata.js';
import type { ResourceRecord } from '../../types.js';
import { dsDigest, SHA1_DIGEST, type AlgorithmRegistry } from '../algorithms.js';
import { canonicalName, keyTag } from '../canonical.js';
import type { ZoneKey } from './types.js';

/** DNSKEY flag: the key is a zone key and may sign zone data (RFC 4034 §2.1.1). */
const ZONE_KEY = 0x0100;
/** DNSKEY flag: the key is revoked (RFC 5011 §2.1). */
const REVOKED = 0x0080;

/**
 * A key of a DNSKEY RRset: its parsed fields and RDATA, and the key for signature
 * verification.
 */
export interface CandidateKey {
  readonly dnskey: Dnskey;
  readonly rdata: Uint8Array;
  readonly zoneKey: ZoneKey;
}

/**
 * Selects the keys that may sign zone data: zone keys of protocol 3 that are not revoked
 * (RFC 4034 §2.1.1 and §2.1.2, RFC 5011 §2.1). Omits unreadable records.
 */
export function zoneKeysOf(
  records: readonly ResourceRecord[],
  algorithms: AlgorithmRegistry,
): readonly CandidateKey[] {
  return records.flatMap((record) => {
    const read = readDnskey(record);
    if (!read.ok) return [];
    const { protocol, flags } = read.value;
    if (protocol !== 3 || (flags & ZONE_KEY) === 0 || (flags & REVOKED) !== 0) return [];
    const zoneKey = lazyKey(read.value, record.rdata, algorithms);
    return [{ dnskey: read.value, rdata: record.rdata, zoneKey }];
  });
}

/**
 * Selects the DS records with a supported algorithm and digest. SHA-1 digests are used
 * only if no usable digest is stronger, so that a break of SHA-1 does not harm a zone
 * with a stronger digest (RFC 4509 §3) [4509-3-1].
 */
export function usableDs(algorithms: AlgorithmRegistry, delegations: readonly Ds[]): readonly Ds[] {
  const { signatures, digests } = algorithms;
  const known = delegations.filter(
    ({ algorithm, digestType }) => signatures.has(algorithm) && digests.has(digestType),
  );
  const stronger = known.filter(({ digestType }) => digestType !== SHA1_DIGEST);
  return stronger.length > 0 ? stronger : known;
}

/** Returns whether a DS record contains the digest of this key of the zone. */
export function isDelegatedKey(
  delegations: readonly Ds[],
  zone: Name,
  { dnskey, rdata }: Pick<CandidateKey, 'dnskey' | 'rdata'>,
  { digests }: AlgorithmRegistry,
): boolean {
  const tag = keyTag(rdata);
  return delegations.some((delegation) => {
    if (delegation.keyTag !== tag || delegation.algorithm !== dnskey.algorithm) return false;
    const hash = digests.get(delegation.digestType) as string;
    return equalBytes(dsDigest(hash, canonicalName(zone), rdata), delegation.digest);
  });
}

/**
 * Returns a zone key that is imported at its first use: validation uses few keys of a
 * zone.
 */
function lazyKey(dnskey: Dnskey, rdata: Uint8Array, { signatures }: AlgorithmRegistry): ZoneKey {
  const algorithm = signatures.get(dnskey.algorithm);
  let imported: ReturnType<ZoneKey['key']> | null = null;
  return {
    tag: keyTag(rdata),
    algorithm: dnskey.algorithm,
    key: () => {
      if (imported === null) imported = algorithm?.importKey(dnskey.publicKey);
      return imported;
    },
  };
}
