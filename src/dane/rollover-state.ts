import type { TlsaData } from '../dns/index.js';
import type { Certificate } from '../x509/index.js';
import { isUsable } from './usable-records.js';
import { verifyDane } from './verify-dane.js';

/**
 * What a TLSA record is there for. `current` matches a key or an issuer in use. `next`
 * matches none, beside one that does: a key to come, or one whose going nobody saw.
 * `stale` matches none while no record matches, or matched a key that is gone.
 * `unrelated` names an issuer of no chain seen. `duplicate` says what an earlier record
 * of its usage says, as 3 0 1 beside 3 1 1 of the same certificate; `unusable` nothing to
 * a mail sender; of `unknown` no certificate was seen.
 */
export type TlsaRole =
  'current' | 'next' | 'stale' | 'unrelated' | 'duplicate' | 'unusable' | 'unknown';

/**
 * `ready`: a record for the next key or issuer stands beside; `partial`: some keys in use
 * have no record; `mismatch`: none has.
 */
export type TlsaCoverage = 'ready' | 'single' | 'partial' | 'mismatch' | 'unknown';

export interface RolloverQuestion {
  readonly records: readonly TlsaData[];
  /** Every chain in use, of each address and key algorithm, as sent. */
  readonly chains: readonly (readonly Certificate[])[];
  /** Chains of keys that were in use and are so no more. */
  readonly gone?: readonly (readonly Certificate[])[];
}

/**
 * Tells the records of one host apart (RFC 7671 §8): a rollover needs the next record
 * before the key, and duplicates are no second record.
 */
export function rolloverState({ records, chains, gone = [] }: RolloverQuestion): {
  readonly state: TlsaCoverage;
  readonly roles: readonly TlsaRole[];
} {
  // Which chains each record is for: what says nothing new is no second record.
  const reach = records.map((record) => {
    if (isUsable(record))
      return chains.flatMap((chain, count) => (isFor(record, chain) ? [count] : []));
    return [];
  });
  const said = (index: number): boolean =>
    records
      .slice(0, index)
      .some(
        (earlier, position) =>
          earlier.usage === records[index]?.usage &&
          reach[index]?.every((count) => reach[position]?.includes(count)),
      );
  const anyCurrent = reach.some((found) => found.length > 0);
  const roles = records.map((record, index): TlsaRole => {
    if (!isUsable(record)) return 'unusable';
    if (reach[index]?.length) return said(index) ? 'duplicate' : 'current';
    if (chains.length === 0) return 'unknown';
    if (!anyCurrent || gone.some((chain) => isFor(record, chain))) return 'stale';
    return record.usage === 3 ? 'next' : 'unrelated';
  });
  return { state: stateOf(records, roles, chains), roles };
}

function stateOf(
  records: readonly TlsaData[],
  roles: readonly TlsaRole[],
  chains: RolloverQuestion['chains'],
): TlsaCoverage {
  if (chains.length === 0 || !records.some(isUsable)) return 'unknown';
  const current = records.filter((_, index) => roles[index] === 'current');
  if (current.length === 0) return 'mismatch';
  if (chains.some((chain) => !current.some((record) => isFor(record, chain)))) return 'partial';
  // A record for the key and one for its issuer: the key may change under the same issuer
  // (RFC 7671 §8.4).
  const keyAndIssuer =
    current.some((tlsaData) => tlsaData.usage === 3) &&
    current.some((tlsaData) => tlsaData.usage === 2);
  if (keyAndIssuer || roles.includes('next')) return 'ready';
  return 'single';
}

/**
 * A record for an issuer is for a chain whose leaf has another name or is out of date as
 * well.
 */
function isFor(record: TlsaData, chain: readonly Certificate[]): boolean {
  const [leaf] = chain;
  if (!leaf) return false;
  const validationTime = (leaf.notBefore + leaf.notAfter) / 2;
  return (
    verifyDane({ records: [record], chain, names: leaf.dnsNames, validationTime }).verdict ===
    'match'
  );
}
