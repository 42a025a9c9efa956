import type { KeyType } from '../actions.js';
import { sameRecords, sortedRecords } from './rrset.js';
import type {
  CachedRrset,
  KeySlot,
  RolloverObservation,
  TlsaRolloverState,
  Rrset,
  ServerKey,
  Since,
} from './types.js';

/**
 * A cache holds an RRset for one TTL. [7671-8.1-1] requires two, which also covers a
 * forwarder before a cache.
 */
const CACHE_TTLS = 2;

/**
 * Represents the RRset before the first observation. The content of this RRset is not
 * known, so no key matches it.
 */
const UNKNOWN_PAST: readonly string[] = ['unknown'];

/**
 * Returns the state after an observation: the RRsets that caches may hold, the keys that
 * the server presents, and the last change of the delegation. The function makes no
 * decision. `types`: the key types that the server should present. Pure.
 */
export function applyRolloverObservation(
  { pushing: pending, ...state }: TlsaRolloverState,
  observed: RolloverObservation,
  types: readonly KeyType[],
): TlsaRolloverState {
  const open = pending && !isSettled(pending, observed) ? pending : undefined;
  const updated: TlsaRolloverState = {
    ...state,
    alive: updateCached(state.alive, open?.to, observed),
    slots: updateSlots(state, observed, types),
    ...updateDs(state, observed),
  };
  return open ? { ...updated, pushing: open } : updated;
}

/**
 * Returns the validated RRset that every authoritative server serves; undefined if a
 * server does not answer or is outdated, or if the answer is bogus. A cache lifetime
 * starts only with a complete observation. [7672-2.1-1, 7672-2.2-7]
 */
export function publishedRrset({
  nameservers,
  dnssec,
}: RolloverObservation): PublishedRrset | undefined {
  if (dnssec === 'bogus' || dnssec === 'indeterminate') return undefined;
  const [first] = nameservers;
  if (!first || first.rrset === 'unknown') return undefined;
  const records = sortedRecords(first.rrset.records);
  const ttls = nameservers.map(({ rrset, synthesised }) => {
    if (rrset === 'unknown' || synthesised !== first.synthesised) return undefined;
    return sameRecords(sortedRecords(rrset.records), records) ? rrset.ttl : undefined;
  });
  if (!ttls.every((ttlSeconds) => ttlSeconds !== undefined)) return undefined;
  const own = first.synthesised ? [] : records;
  return { records, own, ttl: Math.max(...ttls) };
}

/**
 * The published RRset. `own`: the records of the owner itself, none if a wildcard answers
 * for it. An update can require and replace only own records.
 */
export interface PublishedRrset extends Rrset {
  readonly own: readonly string[];
}

/**
 * Returns the time at which the RRset expires in the last cache, milliseconds since 1970;
 * undefined while a server may still serve the RRset.
 */
export function cacheEnd({ gone, again, ttl }: CachedRrset): number | undefined {
  return gone === undefined ? undefined : (again ?? gone) + CACHE_TTLS * ttl * 1000;
}

/**
 * Returns whether a change is settled: every server returns the new RRset, or every
 * server returns a third RRset. In the second case the compare-and-set can no longer
 * succeed.
 */
function isSettled(
  { from, to }: NonNullable<TlsaRolloverState['pushing']>,
  observed: RolloverObservation,
): boolean {
  const published = publishedRrset(observed);
  if (!published) return false;
  return sameRecords(published.own, to.records) || !sameRecords(published.own, from);
}

function updateCached(
  cached: readonly CachedRrset[],
  pending: Rrset | undefined,
  observed: RolloverObservation,
): readonly CachedRrset[] {
  const { at } = observed;
  const identityOf = ({ records, ttl }: Rrset): string => `${ttl} ${records.join(',')}`;
  const shown = observed.nameservers.flatMap(({ rrset }) =>
    rrset === 'unknown' ? [] : [{ records: sortedRecords(rrset.records), ttl: rrset.ttl }],
  );
  const served = new Map(
    [...shown, ...(pending ? [pending] : [])].map((rrset) => [identityOf(rrset), rrset]),
  );
  const earlier = cached
    .filter((cachedRrset) => !served.has(identityOf(cachedRrset)))
    .map((cachedRrset) => withStart(cachedRrset, cachedRrset.gone, at));
  const published = publishedRrset(observed);
  const isFirst = cached.length === 0 && published !== undefined && published.records.length > 0;
  const past = isFirst ? [{ records: UNKNOWN_PAST, ttl: published.ttl, gone: at }] : [];
  return [
    ...past,
    ...served.values(),
    ...earlier.flatMap((cachedRrset): CachedRrset[] => {
      const end = cacheEnd(cachedRrset);
      if (end === undefined) return [published ? { ...cachedRrset, gone: at } : cachedRrset];
      return at >= end ? [] : [cachedRrset];
    }),
  ];
}

const keyTypes: readonly KeyType[] = ['ecdsa', 'rsa'];

function updateSlots(
  state: Pick<TlsaRolloverState, 'slots'>,
  observed: RolloverObservation,
  types: readonly KeyType[],
): TlsaRolloverState['slots'] {
  return Object.fromEntries(
    keyTypes.flatMap((keyType) => {
      const keySlot = updateSlot(keyType, state.slots[keyType] ?? { made: 0 }, observed);
      const isOver = !types.includes(keyType) && isShownNowhere(keySlot, observed);
      const remaining: KeySlot = isOver ? { made: keySlot.made } : keySlot;
      const isUsed = remaining.current || remaining.next || remaining.made > 0;
      return isUsed ? [[keyType, remaining]] : [];
    }),
  );
}

/**
 * Returns whether the removal of a key type is complete: every address was observed
 * without the keys of that type.
 */
function isShownNowhere({ current, next }: KeySlot, { addresses }: RolloverObservation): boolean {
  const slotKeys = [current?.sha256, next?.sha256];
  return (
    addresses.length > 0 &&
    addresses.every(
      ({ keys }) => keys !== 'unknown' && !keys.some((identity) => slotKeys.includes(identity)),
    )
  );
}

function updateSlot(keyType: KeyType, before: KeySlot, observed: RolloverObservation): KeySlot {
  const ring = observed.ring.filter((key) => key.type === keyType);
  const shown = ring.filter(({ sha256 }) =>
    observed.addresses.some(({ keys }) => keys !== 'unknown' && keys.includes(sha256)),
  );
  const keySlot = withShownKeys(before, shown);
  const { current, next, made } = keySlot;
  if (!next) {
    const following = ring.find(({ name }) => name === `${keyType}-${made + 1}`);
    if (!following) return keySlot;
    return { ...keySlot, next: withoutCertificate(following), made: made + 1 };
  }
  if (!shown.some(({ sha256 }) => sha256 === next.sha256)) return keySlot;
  const isEverywhere = observed.addresses.every(
    ({ keys }) =>
      keys !== 'unknown' &&
      keys.includes(next.sha256) &&
      !(current && keys.includes(current.sha256)),
  );
  return isEverywhere ? { current: next, made } : { ...keySlot, deploying: true };
}

/**
 * Handles a ring key that the operator installed on the server by other means. The key
 * becomes the key in use or, if another key is in use, the key of the change to complete.
 */
function withShownKeys(keySlot: KeySlot, shown: readonly ServerKey[]): KeySlot {
  const [unexpected] = shown.filter(
    ({ sha256 }) => sha256 !== keySlot.current?.sha256 && sha256 !== keySlot.next?.sha256,
  );
  if (!unexpected) return keySlot;
  const serverKey = withoutCertificate(unexpected);
  const made = Math.max(keySlot.made, numberOf(serverKey));
  if (!keySlot.current) return { ...keySlot, current: serverKey, made };
  return { current: keySlot.current, next: serverKey, deploying: true, made };
}

/** Removes the ring's additional fields from a key: only the key itself is saved. */
function withoutCertificate({ name, type, sha256, sha512 }: ServerKey): ServerKey {
  return { name, type, sha256, sha512 };
}

function numberOf({ name }: ServerKey): number {
  return Number(/-(\d{1,9})$/.exec(name)?.[1] ?? 0);
}

/**
 * Restarts a wait whose saved time is in the future. The saved time remains, because it
 * applies again once a slow clock is corrected.
 */
function withStart<Wait extends Since>(wait: Wait, time: number | undefined, at: number): Wait {
  const isFuture = time !== undefined && time > at;
  if (!isFuture && wait.again === undefined) return wait;
  return { ...wait, again: isFuture ? Math.min(wait.again ?? at, at) : undefined };
}

/** Saves the time of the last change of the DS records. An unknown answer is ignored. */
function updateDs(
  state: Pick<TlsaRolloverState, 'ds'>,
  { ds, at }: RolloverObservation,
): Pick<TlsaRolloverState, 'ds'> {
  const known = state.ds && withStart(state.ds, state.ds.changed, at);
  if (ds === 'unknown') return known ? { ds: known } : {};
  const records = sortedRecords(ds.records);
  if (!known) return { ds: { records } };
  if (sameRecords(known.records, records)) return { ds: known };
  return { ds: { records, changed: at } };
}
