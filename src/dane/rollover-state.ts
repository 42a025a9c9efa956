import type { TlsaData } from '../dns/index.js';
import type { Certificate } from '../x509/index.js';
import { isUsable } from './usable-records.js';
import { verifyDane } from './verify-dane.js';

/**
 * The role of one TLSA record.
 * - `current`: matches a key or an issuer in use.
 * - `next`: matches no key while another record does: a future key, or one whose removal
 *   was not observed.
 * - `stale`: matches no key while no record matches, or matches only a key that is not in
 *   use now.
 * - `unrelated`: names an issuer that is in no observed chain.
 * - `duplicate`: covers the same certificates as an earlier record of its usage, such
 *   as 3 0 1 next to 3 1 1.
 * - `unusable`: senders cannot use it.
 * - `unknown`: no certificate was observed.
 */
export type TlsaRole =
  'current' | 'next' | 'stale' | 'unrelated' | 'duplicate' | 'unusable' | 'unknown';

/**
 * The coverage of the keys in use. `ready`: a record for the next key or its issuer is
 * also published; `single`: records cover the keys in use and no next key; `partial`:
 * some keys in use have no record; `mismatch`: no key in use has a record.
 */
export type TlsaCoverage = 'ready' | 'single' | 'partial' | 'mismatch' | 'unknown';

/** The records of one host and the chains that its servers send. */
export interface RolloverQuestion {
  readonly records: readonly TlsaData[];
  /** Every chain in use, one per address and key algorithm, as sent. */
  readonly chains: readonly (readonly Certificate[])[];
  /** Chains of keys that were in use earlier and are not in use now. */
  readonly gone?: readonly (readonly Certificate[])[];
}

/**
 * Derives the role of each record (RFC 7671 §8). In a safe rollover the operator
 * publishes the next record before installing the key. A duplicate of the current record
 * does not prepare a rollover.
 */
export function rolloverState({ records, chains, gone = [] }: RolloverQuestion): {
  readonly state: TlsaCoverage;
  readonly roles: readonly TlsaRole[];
} {
  // The chains that each record matches. A record that adds no chain is a duplicate.
  const reach = records.map((record) => {
    if (isUsable(record))
      return chains.flatMap((certificateChain, count) =>
        isFor(record, certificateChain) ? [count] : [],
      );
    return [];
  });
  const said = (index: number): boolean =>
    records
      .slice(0, index)
      .some(
        (earlier, earlierIndex) =>
          earlier.usage === records[index]?.usage &&
          reach[index]?.every((count) => reach[earlierIndex]?.includes(count)),
      );
  const anyCurrent = reach.some((found) => found.length > 0);
  const tlsaRoles = records.map((record, index): TlsaRole => {
    if (!isUsable(record)) return 'unusable';
    if (reach[index]?.length) return said(index) ? 'duplicate' : 'current';
    if (chains.length === 0) return 'unknown';
    if (!anyCurrent || gone.some((certificateChain) => isFor(record, certificateChain)))
      return 'stale';
    return record.usage === 3 ? 'next' : 'unrelated';
  });
  return { state: stateOf(records, tlsaRoles, chains), roles: tlsaRoles };
}

function stateOf(
  records: readonly TlsaData[],
  tlsaRoles: readonly TlsaRole[],
  chains: RolloverQuestion['chains'],
): TlsaCoverage {
  if (chains.length === 0 || !records.some(isUsable)) return 'unknown';
  const current = records.filter((_, index) => tlsaRoles[index] === 'current');
  if (current.length === 0) return 'mismatch';
  if (chains.some((certificateChain) => !current.some((record) => isFor(record, certificateChain))))
    return 'partial';
  // With a record for the key and a record for its issuer, the key may change under the
  // same issuer (RFC 7671 §8.4).
  const keyAndIssuer =
    current.some((tlsaData) => tlsaData.usage === 3) &&
    current.some((tlsaData) => tlsaData.usage === 2);
  if (keyAndIssuer || tlsaRoles.includes('next')) return 'ready';
  return 'single';
}

/**
 * Returns true if the record matches the chain. Names and dates are ignored: a
 * record of usage 2 still belongs to a chain whose leaf has expired or has another name.
 */
function isFor(record: TlsaData, certificateChain: readonly Certificate[]): boolean {
  const [leafCertificate] = certificateChain;
  if (!leafCertificate) return false;
  const validationTime = (leafCertificate.notBefore + leafCertificate.notAfter) / 2;
  return (
    verifyDane({
      records: [record],
      chain: certificateChain,
      names: leafCertificate.dnsNames,
      validationTime,
    }).verdict === 'match'
  );
}
