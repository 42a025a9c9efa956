import { knownKeys, mayBeShown } from './keys.js';
import { combinations, covers, recordsOf, sameRecords, sorted } from './rrset.js';
import type { PublishedRrset } from './apply-observation.js';
import type { RolloverReading, RolloverState, DesiredRollover, Rrset, ServerKey } from './types.js';

export interface Change {
  readonly to: Rrset;
  /**
   * Safe even where the server cannot be seen whole: it only adds a match for a key of
   * ours, or takes all records away.
   */
  readonly harmless?: true;
  readonly because: string;
  readonly clause: string;
}

/**
 * The next RRset to publish, if one is wanted and safe: it covers every key the server
 * may show, each with every digest [7671-8.3-1]. Where a wildcard answered so far, it
 * begins with the wildcard's records, since an address may show a key that only they
 * match.
 */
export function nextChange(
  state: RolloverState,
  published: PublishedRrset,
  seen: RolloverReading,
  wish: DesiredRollover,
): Change | undefined {
  const { records } = published;
  const to = (wanted: readonly string[]): Rrset => ({ records: sorted(wanted), ttl: wish.ttl });
  if (!wish.publish) {
    const because = 'no TLSA records are wanted; without any, nobody verifies by them';
    return published.own.length > 0
      ? { to: to([]), harmless: true, because, clause: 'RFC 7672 §2.2' }
      : undefined;
  }
  const shown = mayBeShown(state);
  if (
    shown.length === 0 ||
    seen.dnssec !== 'secure' ||
    seen.addresses.some(({ starttls }) => starttls === 'absent')
  )
    return undefined;
  const of = (keys: readonly ServerKey[]): readonly string[] => recordsOf(keys, wish.matchingTypes);
  const missing = shown.filter((key) => !covers(published, key));
  const moving = Object.values(state.slots).some((slot) => slot.deploying);
  if (moving && missing.length === 0) return undefined;
  if (!sameRecords(combinations(records), combinations(of(shown)))) {
    const announced = knownKeys(state).filter(
      (key) => shown.includes(key) || (records.length > 0 && covers(published, key)),
    );
    return {
      to: to(of(announced)),
      because: 'it matches every key the server shows, with the parameters wanted',
      clause: 'RFC 7671 §8.1, §8.3',
    };
  }
  if (missing.length > 0) {
    const because = `the server shows ${names(missing)} and no record matches it`;
    return { to: to([...records, ...of(missing)]), harmless: true, because, clause: 'RFC 7671 §8' };
  }
  const known = of(knownKeys(state));
  const kept = records.filter((record) => known.includes(record));
  if (kept.length < records.length) {
    const because =
      'every address of the server was seen to show another key than the one that is retired';
    return showsEverywhere(seen, shown)
      ? { to: to(kept), because, clause: 'RFC 7671 §8.1' }
      : undefined;
  }
  const next = knownKeys(state).filter((key) => !covers(published, key));
  if (next.length === 0) return undefined;
  return {
    to: to([...records, ...of(next)]),
    because: `${names(next)} is announced ahead of its use; what is in use stays`,
    clause: 'RFC 7671 §8.1',
  };
}

function showsEverywhere({ addresses }: RolloverReading, keys: readonly ServerKey[]): boolean {
  return (
    addresses.length > 0 &&
    addresses.every(
      (a) => a.keys !== 'unknown' && keys.every(({ sha256 }) => a.keys.includes(sha256)),
    )
  );
}

function names(keys: readonly ServerKey[]): string {
  return keys.map(({ name }) => name).join(' and ');
}
