import {
  covers,
  recordsOf,
  type RolloverAction,
  type RolloverObservation,
  type Rrset,
  type ServerKey,
} from '../../src/publish/index.js';
import { Random } from '../../fuzz/random.js';
import type { Order } from './orders.js';

export interface SimulationOptions {
  readonly senders: number;
  readonly changes: number;
  readonly seed: number;
}

export interface SimulationResult {
  /**
   * Number of senders that met a key without a matching record. Each sender counts once
   * for each change.
   */
  readonly held: number;
  /** Key changes that completed. */
  readonly changes: number;
  /** Median number of minutes from the request to the last step. */
  readonly minutes: number;
}

/** A value that is valid from `at` (seconds). */
type Line<T> = { readonly at: number; readonly is: T }[];

const HOUR = 3600;
const servers = 3;
const keyOf = (n: number): ServerKey => ({
  name: `ecdsa-${n}`,
  type: 'ecdsa',
  sha256: hex(n, 64),
  sha512: hex(n, 128),
});
const hex = (n: number, length: number): string => n.toString(16).padStart(length, '0');

/**
 * Simulates key changes in virtual time, each with its own TTL (5 minutes to 12 hours).
 * Three authoritative servers lag by up to 10 minutes. The program runs every minute, and
 * sometimes crashes or does not reach a server. Each sender delivers about once an hour,
 * queries any server, and caches the answer for a TTL. Every tenth sender is behind a
 * second cache, and uses an answer for up to two TTLs.
 */
export function simulate<S>(
  order: Order<S>,
  { senders, changes, seed }: SimulationOptions,
): SimulationResult {
  const source = new Random(seed);
  const random = (): number => source.below(0x100000000) / 0x100000000;
  let held = 0;
  const minutes: number[] = [];
  for (let i = 0; i < changes; i++) {
    const ttl = Math.round(300 * 144 ** random());
    const { zones, live, asked, ended } = oneChange(order, ttl, random);
    minutes.push((ended - asked) / 60);
    const from = asked - 2 * ttl;
    for (let s = 0; s < senders; s++)
      if (meetsStranger(zones, live, ttl, from, ended + 3 * ttl, random)) held++;
  }
  return { held, changes, minutes: minutes.sort((a, b) => a - b)[minutes.length >> 1] ?? 0 };
}

interface Course {
  readonly zones: readonly Line<Rrset>[];
  readonly live: Line<ServerKey>;
  readonly asked: number;
  readonly ended: number;
}

/** Returns the records and keys that were visible during one key change. */
function oneChange<S>(order: Order<S>, ttl: number, random: () => number): Course {
  const start: Rrset = { records: recordsOf([keyOf(1)], [1]), ttl };
  const zones: Line<Rrset>[] = Array.from({ length: servers }, () => [
    { at: -Infinity, is: start },
  ]);
  const live: Line<ServerKey> = [{ at: -Infinity, is: keyOf(1) }];
  let [memory, keys, quiet] = [order.start(), 1, 0];
  let ended = 0;
  const asked = 6 * ttl + 2 * HOUR;
  for (let now = 0; now <= asked || quiet < 3 * ttl + HOUR; now += 60) {
    quiet = now < asked ? 0 : quiet + 60;
    if (now > 400 * (ttl + HOUR)) throw new Error(`${order.name}: a key change does not end`);
    const reading: RolloverObservation = {
      at: now * 1000,
      nameservers: zones.map((line, i) => ({
        server: `ns${i}`,
        rrset: random() < 0.02 ? 'unknown' : valueAt(line, now),
      })),
      dnssec: 'secure',
      ds: { records: ['1'], ttl },
      addresses: [
        {
          address: '192.0.2.25',
          starttls: 'offered',
          keys: random() < 0.02 ? 'unknown' : [valueAt(live, now).sha256],
        },
      ],
      ring: Array.from({ length: keys }, (_, i) => ({ ...keyOf(i + 1), certified: true })),
    };
    const { state, actions } = order.step(
      memory,
      reading,
      now >= asked ? [keyOf(1).sha256] : [],
      ttl,
    );
    memory = state;
    if (random() < 0.01) continue; // the program crashed before its first action
    for (const action of actions) {
      if (action.kind === 'make-key') keys = Math.max(keys, Number(action.key.split('-')[1]));
      const changed = take(action, zones, live, now, random);
      if (!changed) continue;
      quiet = 0;
      if (now >= asked) ended = now;
    }
  }
  return { zones, live, asked, ended };
}

function take(
  action: RolloverAction,
  zones: readonly Line<Rrset>[],
  live: Line<ServerKey>,
  now: number,
  random: () => number,
): boolean {
  if (action.kind === 'deploy') {
    const key = keyOf(Number(action.key.split('-')[1]));
    if (valueAt(live, now).name === key.name) return false;
    live.push({ at: now, is: key });
    return true;
  }
  const [primary] = zones;
  // The program does not restart a running change.
  if (action.kind !== 'set-rrset' || !primary || primary.some(({ at }) => at > now)) return false;
  if (
    valueAt(primary, now).records.join() !== action.from.join() ||
    action.to.join() === action.from.join()
  )
    return false;
  let at = now + 30 + 150 * random();
  for (const line of zones) {
    line.push({ at, is: { records: action.to, ttl: action.ttl } });
    at += 600 * random();
  }
  return true;
}

function meetsStranger(
  zones: readonly Line<Rrset>[],
  live: Line<ServerKey>,
  ttl: number,
  from: number,
  to: number,
  random: () => number,
): boolean {
  const keeps = random() < 0.1 ? ttl * (1 + random()) : ttl;
  let cached: { readonly rrset: Rrset; readonly until: number } | undefined;
  for (let now = from + waiting(random); now < to; now += waiting(random)) {
    if (!cached || now >= cached.until) {
      const line = zones[Math.floor(random() * zones.length)] ?? [];
      cached = { rrset: valueAt(line, now), until: now + keeps };
    }
    if (!covers(cached.rrset, valueAt(live, now))) return true;
  }
  return false;
}

/** Returns the seconds to a sender's next delivery: one an hour on average. */
function waiting(random: () => number): number {
  return -HOUR * Math.log(1 - random());
}

function valueAt<T>(line: Line<T>, now: number): T {
  const found = line.findLast(({ at }) => at <= now);
  if (!found) throw new Error(`nothing is there at ${now}`);
  return found.is;
}
