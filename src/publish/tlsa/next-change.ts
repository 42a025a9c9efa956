import {
  covers,
  knownKeys,
  parameterSets,
  presentableKeys,
  recordsOf,
  sameRecords,
  sortedRecords,
} from './rrset.js';
import type { PublishedRrset } from './apply-observation.js';
import type {
  DesiredRollover,
  RolloverObservation,
  Rrset,
  ServerKey,
  TlsaRolloverState,
} from './types.js';

/** A change of the TLSA RRset, with the reason why it is safe now. */
export interface TlsaChange {
  readonly to: Rrset;
  /**
   * Whether the change is safe even if some addresses of the server cannot be probed: the
   * change only adds a match for a key of the ring, or removes all records.
   */
  readonly harmless?: true;
  readonly because: string;
  readonly clause: string;
}

/**
 * Returns the next RRset to publish, if a change is desired and safe. The RRset covers
 * every key that the server may present, each with every digest [7671-8.3-1]. If a
 * wildcard answered before, the RRset starts with the records of the wildcard, because an
 * address may present a key that only these records match.
 */
export function nextChange(
  tlsaRolloverState: TlsaRolloverState,
  published: PublishedRrset,
  observed: RolloverObservation,
  desired: DesiredRollover,
): TlsaChange | undefined {
  const { records } = published;
  const rrsetOf = (wanted: readonly string[]): Rrset => ({
    records: sortedRecords(wanted),
    ttl: desired.ttl,
  });
  const recordsFor = (serverKeys: readonly ServerKey[]): readonly string[] =>
    recordsOf(serverKeys, desired.matchingTypes);
  if (!desired.publish) {
    if (published.own.length === 0) return undefined;
    const because =
      'the configuration requests no TLSA records, and without records no sender verifies';
    return { to: rrsetOf([]), harmless: true, because, clause: 'RFC 7672 §2.2' };
  }
  const shown = presentableKeys(tlsaRolloverState);
  const lacksStarttls = observed.addresses.some(({ starttls }) => starttls === 'absent');
  if (shown.length === 0 || observed.dnssec !== 'secure' || lacksStarttls) return undefined;
  const missing = shown.filter((serverKey) => !covers(published, serverKey));
  const isDeploying = Object.values(tlsaRolloverState.slots).some((keySlot) => keySlot.deploying);
  if (isDeploying && missing.length === 0) return undefined;
  if (!sameRecords(parameterSets(records), parameterSets(recordsFor(shown)))) {
    const announced = knownKeys(tlsaRolloverState).filter(
      (serverKey) =>
        shown.includes(serverKey) || (records.length > 0 && covers(published, serverKey)),
    );
    return {
      to: rrsetOf(recordsFor(announced)),
      because: 'it matches every key that the server shows, with the desired parameters',
      clause: 'RFC 7671 §8.1, §8.3',
    };
  }
  if (missing.length > 0)
    return {
      to: rrsetOf([...records, ...recordsFor(missing)]),
      harmless: true,
      because: `the server shows ${namesOf(missing)} and no record matches it`,
      clause: 'RFC 7671 §8',
    };
  const known = recordsFor(knownKeys(tlsaRolloverState));
  const remaining = records.filter((record) => known.includes(record));
  if (remaining.length < records.length) {
    if (!isShownEverywhere(observed, shown)) return undefined;
    const because = 'every address of the server shows another key than the retired one';
    return { to: rrsetOf(remaining), because, clause: 'RFC 7671 §8.1' };
  }
  const next = knownKeys(tlsaRolloverState).filter((serverKey) => !covers(published, serverKey));
  if (next.length === 0) return undefined;
  return {
    to: rrsetOf([...records, ...recordsFor(next)]),
    because: `${namesOf(next)} is announced before its use; the records in use stay`,
    clause: 'RFC 7671 §8.1',
  };
}

function isShownEverywhere(
  { addresses }: RolloverObservation,
  expected: readonly ServerKey[],
): boolean {
  return (
    addresses.length > 0 &&
    addresses.every(
      ({ keys }) => keys !== 'unknown' && expected.every(({ sha256 }) => keys.includes(sha256)),
    )
  );
}

function namesOf(serverKeys: readonly ServerKey[]): string {
  return serverKeys.map(({ name }) => name).join(' and ');
}
