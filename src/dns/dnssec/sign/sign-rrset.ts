import { concat, type Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import { makeRecord, type Rrsig } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { countLabels, rrsigHead, signedData } from '../canonical.js';
import type { ZoneSigningKey } from './zone-key.js';

/** Validity period of a signature, milliseconds since 1970. */
export interface SigningWindow {
  readonly inception: number;
  readonly expiration: number;
}

/**
 * Returns the RRSIG over one RRset (RFC 4034 §3). For an answer that a wildcard produces,
 * sign the RRset of the wildcard and rename the result.
 *
 * Throws a TypeError for an empty RRset. Times are rounded down to seconds.
 */
export function signRrset(
  rrset: readonly ResourceRecord[],
  zoneSigningKey: ZoneSigningKey,
  signer: Name,
  { inception, expiration }: SigningWindow,
): ResourceRecord {
  const first = rrset[0];
  if (!first) throw new TypeError('an RRset has at least one record');
  const head: Omit<Rrsig, 'signature'> = {
    typeCovered: first.type,
    algorithm: zoneSigningKey.algorithm,
    labels: countLabels(first.name),
    originalTtl: first.ttl,
    expiration: Math.floor(expiration / 1000) >>> 0,
    inception: Math.floor(inception / 1000) >>> 0,
    keyTag: zoneSigningKey.tag,
    signer,
  };
  const signature = zoneSigningKey.sign(
    signedData(rrset, { ...head, signature: new Uint8Array(0) }),
  );
  return makeRecord(first.name, RRType.RRSIG, first.ttl, concat(rrsigHead(head), signature));
}
