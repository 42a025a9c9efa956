import {
  covers,
  recordsOf,
  type RolloverAction,
  type RolloverObservation,
  type Rrset,
  type ServerKey,
} from '../../src/publish/index.js';
import type { Order } from './orders.js';

/**
 * A state of a small model that tries every order of events. The model has two
 * authoritative servers, of which the second follows with any delay, two addresses of one
 * mail server, and one cache. One cache suffices, because it queries at any time. Changes
 * of records arrive late or never, servers do not answer, the delegation changes, and the
 * program crashes between saving and acting. One tick is one TTL.
 */
interface World<S> {
  readonly now: number;
  readonly servers: readonly [Rrset, Rrset];
  readonly flying?: { readonly from: readonly string[]; readonly to: Rrset };
  readonly live: readonly [number, number];
  /** Number of existing keys, which are numbered from 1. */
  readonly keys: number;
  readonly certified: number;
  readonly cache?: { readonly rrset: Rrset; readonly at: number };
  readonly ds: number;
  readonly dsAt?: number;
  /** Key changes that were requested so far. */
  readonly asked: number;
  readonly memory: S;
}

export interface ModelBounds {
  /** Key changes. */
  readonly changes: number;
  readonly dsChanges: number;
  /** TTLs for which a cache may hold its records: 2 is the margin of RFC 7671 §8.1. */
  readonly held: 1 | 2;
  readonly limit: number;
}

export interface ModelResult {
  readonly states: number;
  readonly transitions: number;
  /** Whether every state within the bounds was visited. */
  readonly whole: boolean;
  /**
   * The events before a violation: a rule is broken, or a sender's records do not match
   * the key of the server.
   */
  readonly failure?: { readonly what: string; readonly trace: readonly string[] };
  /** States from which the change does not complete, even without further faults. */
  readonly stuck: number;
}

const TTL = 1;
const keyOf = (n: number): ServerKey => ({
  name: `ecdsa-${n}`,
  type: 'ecdsa',
  sha256: `${n}`.padStart(64, 'a'),
  sha512: `${n}`.padStart(128, 'a'),
});
const rrsetOf = (...keys: number[]): Rrset => ({
  records: recordsOf(keys.map(keyOf), [1]),
  ttl: TTL,
});

interface StepFault {
  /** The part that the observation misses. */
  readonly blind?: 'server' | 'address';
  /** The state of the actions: not done, pending, done at one address only. */
  readonly does?: 'nothing' | 'late' | 'half';
}

const troubles: readonly StepFault[] = [
  {},
  { blind: 'server' },
  { blind: 'address' },
  { does: 'nothing' },
  { does: 'late' },
  { does: 'half' },
  { blind: 'address', does: 'half' },
];

/** Visits every reachable state breadth first, and stops at the first failure. */
export function checkModel<S>(order: Order<S>, bounds: ModelBounds): ModelResult {
  const empty: World<S> = {
    now: 0,
    servers: [rrsetOf(1), rrsetOf(1)],
    live: [1, 1],
    keys: 1,
    certified: 1,
    ds: 0,
    asked: 0,
    memory: order.start(),
  };
  // One observation before the first event: the earlier delegation is unknown.
  const first = act(order, empty, {}).after;
  const seen = new Map<string, { readonly from?: string; readonly event: string }>([
    [keyed(first), { event: 'start' }],
  ]);
  let frontier: readonly World<S>[] = [first];
  let [transitions, stuck] = [0, 0];
  const trace = (key: string | undefined): string[] => {
    const step = key === undefined ? undefined : seen.get(key);
    return step ? [...trace(step.from), step.event] : [];
  };
  while (frontier.length > 0) {
    const next: World<S>[] = [];
    for (const world of frontier) {
      const key = keyed(world);
      if (!finishes(order, world)) stuck++;
      for (const [event, after, broken] of events(order, world, bounds)) {
        transitions++;
        const afterKey = keyed(after);
        const what = broken ?? unmatched(after, bounds);
        if (what !== undefined)
          return {
            states: seen.size,
            transitions,
            whole: false,
            failure: { what, trace: [...trace(key), event] },
            stuck,
          };
        if (seen.has(afterKey)) continue;
        seen.set(afterKey, { from: key, event });
        next.push(after);
      }
      if (seen.size > bounds.limit) return { states: seen.size, transitions, whole: false, stuck };
    }
    frontier = next;
  }
  return { states: seen.size, transitions, whole: true, stuck };
}

type Event<S> = readonly [string, World<S>, string?];

function* events<S>(
  order: Order<S>,
  world: World<S>,
  { changes, dsChanges }: ModelBounds,
): Generator<Event<S>> {
  const { servers, flying, now } = world;
  yield ['a TTL passes', { ...world, now: now + TTL }];
  yield ['a cache asks the first server', { ...world, cache: { rrset: servers[0], at: now } }];
  yield ['a cache asks the second server', { ...world, cache: { rrset: servers[1], at: now } }];
  yield ['the second server follows', { ...world, servers: [servers[0], servers[0]] }];
  if (flying) yield ['the push arrives', arrive(world)];
  if (world.asked < changes)
    yield ['the operator requests a new key', { ...world, asked: world.asked + 1 }];
  if (world.ds < dsChanges)
    yield ['the delegation changes', { ...world, ds: world.ds + 1, dsAt: now }];
  for (const trouble of troubles) {
    const what = [
      trouble.blind && `not seeing one ${trouble.blind}`,
      trouble.does && `its actions: ${trouble.does}`,
    ].filter(Boolean);
    const { after, broken } = act(order, world, trouble);
    yield [
      `the publisher takes a step${what.length > 0 ? `, ${what.join(', ')}` : ''}`,
      after,
      broken,
    ];
  }
}

/** Returns one run of the program, which observes, saves and executes. */
function act<S>(
  order: Order<S>,
  world: World<S>,
  { blind, does }: StepFault,
): { after: World<S>; broken?: string } {
  const { state, actions } = order.step(world.memory, readingOf(world, blind), leaving(world), TTL);
  let after: World<S> = { ...world, memory: state };
  if (does === 'nothing') return { after };
  for (const action of actions) {
    // A started deployment may complete while the delegation changes, but no change of
    // records may begin.
    const moving =
      world.dsAt !== undefined && world.now - world.dsAt < 2 * TTL && action.kind === 'set-rrset';
    after = perform(after, action, does);
    if (moving) return { after, broken: 'records are changed while the delegation changes' };
  }
  return { after };
}

function perform<S>(world: World<S>, action: RolloverAction, does: StepFault['does']): World<S> {
  const number = 'key' in action ? Number(action.key.split('-')[1]) : 0;
  switch (action.kind) {
    case 'make-key':
      return { ...world, keys: Math.max(world.keys, number) };
    case 'certify':
      return { ...world, certified: Math.max(world.certified, number) };
    case 'deploy':
      return { ...world, live: [number, does === 'half' ? world.live[1] : number] };
    case 'set-rrset': {
      const sent: World<S> = {
        ...world,
        flying: { from: action.from, to: { records: action.to, ttl: action.ttl } },
      };
      return does === 'late' ? sent : arrive(sent);
    }
  }
}

function arrive<S>({ flying, ...world }: World<S>): World<S> {
  const applies = flying && flying.from.join() === world.servers[0].records.join();
  return applies ? { ...world, servers: [flying.to, world.servers[1]] } : world;
}

function readingOf<S>(world: World<S>, blind?: StepFault['blind']): RolloverObservation {
  return {
    at: world.now * 1000,
    nameservers: world.servers.map((rrset, i) => ({
      server: `ns${i}`,
      rrset: blind === 'server' && i === 1 ? 'unknown' : rrset,
    })),
    dnssec: 'secure',
    ds: { records: [`${world.ds}`], ttl: TTL },
    addresses: world.live.map((key, i) => ({
      address: `192.0.2.${i}`,
      starttls: 'offered',
      keys: blind === 'address' && i === 1 ? 'unknown' : [keyOf(key).sha256],
    })),
    ring: Array.from({ length: world.keys }, (_, i) => ({
      ...keyOf(i + 1),
      certified: i + 1 <= world.certified,
    })),
  };
}

function leaving<S>({ asked }: World<S>): readonly string[] {
  return Array.from({ length: asked }, (_, i) => keyOf(i + 1).sha256);
}

/**
 * Returns a sentence if no cached record of a sender matches one of the keys in use
 * (RFC 7671 §8.4).
 */
function unmatched<S>({ cache, live, now }: World<S>, { held }: ModelBounds): string | undefined {
  if (!cache || now - cache.at >= held * TTL) return undefined;
  const wrong = live.find((key) => !covers(cache.rrset, keyOf(key)));
  return wrong === undefined
    ? undefined
    : `a sender has ${cache.rrset.records.length} cached records, and none matches ecdsa-${wrong}`;
}

/**
 * Returns true if, without further faults, the server uses the requested keys at the end.
 */
function finishes<S>(order: Order<S>, world: World<S>): boolean {
  let at = world;
  for (let i = 0; i < 60; i++) {
    at = act(order, arrive({ ...at, servers: [at.servers[0], at.servers[0]] }), {}).after;
    at = { ...at, servers: [at.servers[0], at.servers[0]], now: at.now + TTL };
    if (at.live.every((key) => key === at.asked + 1) && covers(at.servers[0], keyOf(at.asked + 1)))
      return true;
  }
  return false;
}

/**
 * States that differ only in the date, or in the age of irrelevant facts, count as one.
 */
function keyed<S>({ now, cache, dsAt, ...world }: World<S>): string {
  const ago = (at: number): number => Math.min(now - at, 3 * TTL);
  const memory = JSON.stringify(world.memory, (name, value: unknown) =>
    (name === 'gone' || name === 'changed' || name === 'since') && typeof value === 'number'
      ? ago(value / 1000)
      : value,
  );
  const kept =
    cache && ago(cache.at) < 2 * TTL ? `${cache.rrset.records.join()}@${ago(cache.at)}` : '';
  return JSON.stringify([
    { ...world, memory: 0 },
    memory,
    kept,
    dsAt === undefined ? '' : ago(dsAt),
  ]);
}
