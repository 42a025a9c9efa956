import type { KeyType } from '../actions.js';
import { sameRecords, sorted } from './rrset.js';
import type {
  AliveRrset,
  KeySlot,
  RolloverReading,
  RolloverState,
  Rrset,
  ServerKey,
} from './types.js';

/**
 * A cache keeps an RRset for one TTL; [7671-8.1-1] asks for two, which also covers caches
 * in a row.
 */
const TTLS = 2;

/**
 * Stands for what was published before the first reading: nobody knows, so it matches
 * nothing.
 */
const PAST: readonly string[] = ['unknown'];

/**
 * What a reading changes in what is remembered. Nothing is decided here. `types`: key
 * types the server is to have.
 */
export function readWorld(
  { pushing, ...state }: RolloverState,
  seen: RolloverReading,
  types: readonly KeyType[],
): RolloverState {
  const open = pushing && !isSettled(pushing, seen) ? pushing : undefined;
  return {
    ...state,
    alive: readAlive(state.alive, open?.to, seen),
    ...(open ? { pushing: open } : {}),
    slots: readSlots(state, seen, types),
    ...readDs(state, seen),
  };
}

/**
 * The RRset that every authoritative server serves, validated. Undefined while one of
 * them is silent or behind: only a whole reading starts a clock. [7672-2.1-1, 7672-2.2-7]
 */
export function publishedRrset({
  nameservers,
  dnssec,
}: RolloverReading): PublishedRrset | undefined {
  if (dnssec === 'bogus' || dnssec === 'indeterminate') return undefined;
  const [first] = nameservers;
  if (!first || first.rrset === 'unknown') return undefined;
  const records = sorted(first.rrset.records);
  const ttls = nameservers.map(({ rrset, synthesised }) =>
    rrset !== 'unknown' &&
    synthesised === first.synthesised &&
    sameRecords(sorted(rrset.records), records)
      ? rrset.ttl
      : undefined,
  );
  if (!ttls.every((ttl) => ttl !== undefined)) return undefined;
  const own = first.synthesised ? [] : records;
  return { records, own, ttl: Math.max(...ttls) };
}

/** `own`: the records of the owner itself; none where a wildcard answers for it. */
export interface PublishedRrset extends Rrset {
  readonly own: readonly string[];
}

/** When the last cache has let go of it; undefined while a server may still serve it. */
export function endOf({ gone, ttl }: AliveRrset): number | undefined {
  return gone === undefined ? undefined : gone + TTLS * ttl * 1000;
}

/**
 * A change is over when every server shows it, or a third thing: then compare-and-set can
 * no longer succeed.
 */
function isSettled(
  { from, to }: NonNullable<RolloverState['pushing']>,
  seen: RolloverReading,
): boolean {
  const published = publishedRrset(seen);
  return (
    published !== undefined &&
    (sameRecords(published.own, to.records) || !sameRecords(published.own, from))
  );
}

function readAlive(
  alive: readonly AliveRrset[],
  coming: Rrset | undefined,
  seen: RolloverReading,
): readonly AliveRrset[] {
  const keyOf = ({ records, ttl }: Rrset): string => `${ttl} ${records.join(',')}`;
  const shown = seen.nameservers.flatMap(({ rrset }) =>
    rrset === 'unknown' ? [] : [{ records: sorted(rrset.records), ttl: rrset.ttl }],
  );
  const here = new Map([...shown, ...(coming ? [coming] : [])].map((set) => [keyOf(set), set]));
  const before = alive.filter((set) => !here.has(keyOf(set)));
  const whole = publishedRrset(seen);
  const past =
    whole && alive.length === 0 && whole.records.length > 0
      ? [{ records: PAST, ttl: whole.ttl, gone: seen.at }]
      : [];
  return [
    ...past,
    ...here.values(),
    ...before.flatMap((set): AliveRrset[] => {
      const end = endOf(set);
      if (end === undefined) return [whole ? { ...set, gone: seen.at } : set];
      return seen.at >= end ? [] : [set];
    }),
  ];
}

const keyTypes: readonly KeyType[] = ['ecdsa', 'rsa'];

function readSlots(
  state: Pick<RolloverState, 'slots'>,
  seen: RolloverReading,
  types: readonly KeyType[],
): RolloverState['slots'] {
  return Object.fromEntries(
    keyTypes.flatMap((type) => {
      const slot = readSlot(type, state.slots[type] ?? { made: 0 }, seen);
      const gone = !types.includes(type) && isShownNowhere(slot, seen);
      const kept = gone ? { made: slot.made } : slot;
      return kept.current || kept.next || kept.made > 0 ? [[type, kept]] : [];
    }),
  );
}

/** A key type that is no longer wanted is over when every address was seen without it. */
function isShownNowhere({ current, next }: KeySlot, { addresses }: RolloverReading): boolean {
  const keys = [current?.sha256, next?.sha256];
  return (
    addresses.length > 0 &&
    addresses.every((a) => a.keys !== 'unknown' && !a.keys.some((key) => keys.includes(key)))
  );
}

function readSlot(type: KeyType, before: KeySlot, seen: RolloverReading): KeySlot {
  const ring = seen.ring.filter((key) => key.type === type);
  const shown = ring.filter(({ sha256 }) =>
    seen.addresses.some(({ keys }) => keys !== 'unknown' && keys.includes(sha256)),
  );
  const slot = withShown(before, shown);
  const { current, next, made } = slot;
  if (!next) {
    const fresh = ring.find(({ name }) => name === `${type}-${made + 1}`);
    return fresh ? { ...slot, next: withoutCertificate(fresh), made: made + 1 } : slot;
  }
  if (!shown.some(({ sha256 }) => sha256 === next.sha256)) return slot;
  const everywhere = seen.addresses.every(
    ({ keys }) =>
      keys !== 'unknown' &&
      keys.includes(next.sha256) &&
      !(current && keys.includes(current.sha256)),
  );
  return everywhere ? { current: next, made } : { ...slot, deploying: true };
}

/**
 * A key of the ring that somebody put on the server by hand is the one in use, or with
 * another in use the change to finish.
 */
function withShown(slot: KeySlot, shown: readonly ServerKey[]): KeySlot {
  const [stranger] = shown.filter(
    ({ sha256 }) => sha256 !== slot.current?.sha256 && sha256 !== slot.next?.sha256,
  );
  if (!stranger) return slot;
  const key = withoutCertificate(stranger);
  const made = Math.max(slot.made, numberOf(key));
  return slot.current
    ? { current: slot.current, next: key, deploying: true, made }
    : { ...slot, current: key, made };
}

function withoutCertificate({ name, type, sha256, sha512 }: ServerKey): ServerKey {
  return { name, type, sha256, sha512 };
}

function numberOf({ name }: ServerKey): number {
  return Number(/-(\d{1,9})$/.exec(name)?.[1] ?? 0);
}

function readDs(
  state: Pick<RolloverState, 'ds'>,
  { ds, at }: RolloverReading,
): Pick<RolloverState, 'ds'> {
  if (ds === 'unknown') return state.ds ? { ds: state.ds } : {};
  const records = sorted(ds.records);
  if (!state.ds) return { ds: { records } };
  return { ds: sameRecords(state.ds.records, records) ? state.ds : { records, changed: at } };
}
