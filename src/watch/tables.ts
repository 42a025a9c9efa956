import { migrateStore, type Store, type TableSet } from '../store/index.js';
import {
  acceptableLosses,
  acceptLosses,
  type Acceptance,
  type LostProtection,
} from './accept-loss.js';
import { decideAlarms, keepDomains, type AlarmDecision } from './decide-alarms.js';
import {
  emptyState,
  watchStateSchema,
  type WatchedCheck,
  type WatchAlarm,
  type WatchState,
} from './types.js';

/**
 * `watch_state` has one row: the memory as JSON. `watch_alarm` holds the alarms,
 * `watch_send` a row for each channel that an alarm is to be sent to; `sent_at` is empty
 * until the channel accepted the alarm. `watch_digest` holds the end of the last accepted
 * digest for each channel. Times are milliseconds since 1970.
 */
const migrations = [
  `CREATE TABLE watch_state (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
   CREATE TABLE watch_alarm (
     id TEXT PRIMARY KEY,
     at BIGINT NOT NULL,
     domain TEXT NOT NULL,
     body TEXT NOT NULL
   );
   CREATE TABLE watch_send (
     alarm TEXT NOT NULL,
     channel TEXT NOT NULL,
     queued_at BIGINT NOT NULL,
     sent_at BIGINT,
     PRIMARY KEY (alarm, channel)
   );
   CREATE INDEX watch_send_due ON watch_send (channel, sent_at);`,
  `CREATE TABLE watch_mute (domain TEXT PRIMARY KEY, until BIGINT NOT NULL);`,
  `CREATE TABLE watch_digest (channel TEXT PRIMARY KEY, until BIGINT NOT NULL);`,
];

/** Milliseconds that sent alarms stay in the database: 400 days. */
const KEEP_MS = 400 * 86_400_000;
/** Maximum number of alarms in one message. */
const MAX_IN_MESSAGE = 50;

/** The tables of the watch. */
export const watchTables: TableSet = { job: 'watch', migrations };

/** Creates missing tables and migrates older ones. */
export function prepareWatch(stateStore: Store): void {
  migrateStore(stateStore, watchTables.job, migrations);
}

/** Returns the memory; an empty memory before the first check. */
export function readWatch(stateStore: Store): WatchState {
  const row = stateStore
    .prepare<{ body: string }>('SELECT body FROM watch_state WHERE id = 1')
    .get();
  return row ? watchStateSchema.parse(JSON.parse(row.body)) : emptyState;
}

/** The domains that are watched, and the channels that each alarm is to be sent to. */
export interface WatchScope {
  readonly domains: readonly string[];
  readonly channels: readonly string[];
}

/**
 * Decides the changes of a check, and stores the memory together with the alarms to be
 * sent in one transaction: after a crash, the database contains either both or neither.
 * Resolves to the new alarms once they are durable; rejects with a failure of the store.
 * `now`: milliseconds since 1970.
 */
export function recordCheck(
  stateStore: Store,
  check: WatchedCheck,
  watchScope: WatchScope,
  now: number,
): Promise<readonly WatchAlarm[]> {
  return stateStore.write('watch', () => {
    const decided = decideAlarms(readWatch(stateStore), check, now);
    const kept = keepDomains(decided.state, watchScope.domains, now);
    const alarms = [...decided.alarms, ...kept.alarms];
    return saveDecision(stateStore, { state: kept.state, alarms }, watchScope, now);
  });
}

/**
 * Removes domains from memory that are no longer watched, and ends their alarms. Resolves
 * to these ends once they are durable. `now`: milliseconds since 1970.
 */
export function forgetUnwatched(
  stateStore: Store,
  watchScope: WatchScope,
  now: number,
): Promise<readonly WatchAlarm[]> {
  const { domains } = readWatch(stateStore);
  if (Object.keys(domains).every((domainName) => watchScope.domains.includes(domainName)))
    return Promise.resolve([]);
  return stateStore.write('watch', () => {
    const kept = keepDomains(readWatch(stateStore), watchScope.domains, now);
    return saveDecision(stateStore, kept, watchScope, now);
  });
}

/**
 * Accepts losses of protection for a domain. At the time of the write, `choose` selects
 * them from the open losses. `alongside` runs in the same transaction, and records the
 * acceptance. Resolves to the accepted losses.
 */
export function acceptStored(
  stateStore: Store,
  domainName: string,
  acceptance: Omit<Acceptance, 'losses'>,
  {
    choose,
    alongside,
  }: {
    readonly choose: (losses: readonly LostProtection[]) => readonly LostProtection[];
    readonly alongside: (losses: readonly LostProtection[]) => void;
  },
): Promise<readonly LostProtection[]> {
  return stateStore.write('watch', () => {
    const state = readWatch(stateStore);
    const losses = choose(acceptableLosses(state, domainName));
    if (losses.length === 0) return losses;
    const decided = acceptLosses(state, domainName, { ...acceptance, losses });
    saveDecision(stateStore, decided, { channels: channelsOf(stateStore) }, acceptance.at);
    alongside(losses);
    return losses;
  });
}

/**
 * Returns the channels that have received alarms: the end of an alarm goes to the same
 * channels.
 */
function channelsOf(stateStore: Store): readonly string[] {
  return stateStore
    .prepare<{ channel: string }>('SELECT DISTINCT channel FROM watch_send ORDER BY channel')
    .all()
    .map(({ channel }) => channel);
}

/** Stores the memory and queues the alarms, inside a transaction. Returns the alarms. */
function saveDecision(
  stateStore: Store,
  { state, alarms }: AlarmDecision,
  { channels }: Pick<WatchScope, 'channels'>,
  now: number,
): readonly WatchAlarm[] {
  stateStore
    .prepare(
      'INSERT INTO watch_state (id, body) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
    )
    .run(JSON.stringify(state));
  if (alarms.length > 0) prune(stateStore, now - KEEP_MS);
  for (const watchAlarm of alarms) queueAlarm(stateStore, watchAlarm, channels, now);
  return alarms;
}

/** Adds an alarm once, and a row for each channel that has to accept it. */
function queueAlarm(
  stateStore: Store,
  watchAlarm: WatchAlarm,
  channels: readonly string[],
  now: number,
): void {
  const { id, domain } = watchAlarm;
  stateStore
    .prepare(
      'INSERT INTO watch_alarm (id, at, domain, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    )
    .run(id, now, domain, JSON.stringify(watchAlarm));
  const queue = stateStore.prepare(
    'INSERT INTO watch_send (alarm, channel, queued_at) VALUES (?, ?, ?) ON CONFLICT (alarm, channel) DO NOTHING',
  );
  for (const channel of channels) queue.run(id, channel, now);
}

/** Deletes old alarms. An alarm that a channel has not accepted is not deleted. */
function prune(stateStore: Store, before: number): void {
  stateStore.prepare('DELETE FROM watch_send WHERE sent_at < ?').run(before);
  stateStore
    .prepare('DELETE FROM watch_alarm WHERE at < ? AND id NOT IN (SELECT alarm FROM watch_send)')
    .run(before);
}

/**
 * Sends alarms to one receiver. If the function returns false or rejects, the alarms are
 * sent again later.
 */
export type AlarmChannel = (watchAlarms: readonly WatchAlarm[]) => Promise<boolean>;

/** An attempt to send the pending alarms of one channel. */
export interface Sending {
  readonly channel: string;
  readonly accepted: boolean;
  readonly alarms: readonly WatchAlarm[];
  readonly error?: Error | undefined;
}

/**
 * Sends each channel the alarms that it has not accepted yet, and then marks them as
 * sent. After a crash between the two, the alarms are sent again with the same `id`: no
 * alarm is lost, and a receiver can recognise the repetition.
 */
export async function sendAlarms(
  stateStore: Store,
  channels: Readonly<Record<string, AlarmChannel>>,
  now: () => number,
): Promise<readonly Sending[]> {
  const sendings = Object.entries(channels).map(async ([channel, send]): Promise<Sending> => {
    const alarms = unsentAlarms(stateStore, channel, now());
    if (alarms.length === 0) return { channel, accepted: true, alarms };
    try {
      const accepted = await send(alarms);
      if (accepted) await markSent(stateStore, channel, alarms, now());
      return { channel, accepted, alarms };
    } catch (error) {
      return { channel, accepted: false, alarms, error: error as Error };
    }
  });
  return (await Promise.all(sendings)).filter(({ alarms }) => alarms.length > 0);
}

/** An alarm with the time of its check and its state of delivery. */
export interface ListedAlarm extends WatchAlarm {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Channels that have not accepted the alarm yet. */
  readonly waiting: readonly string[];
}

/** Maximum number of alarms to read for a selection. */
const MAX_SEARCHED = 10_000;

/** Lists alarms, newest first. `covers`: selects alarms of these domains only. */
export function listAlarms(
  stateStore: Store,
  limit: number,
  covers: (domain: string) => boolean = () => true,
): readonly ListedAlarm[] {
  const waiting = stateStore.prepare<{ channel: string }>(
    'SELECT channel FROM watch_send WHERE alarm = ? AND sent_at IS NULL ORDER BY channel',
  );
  return stateStore
    .prepare<{ at: number; body: string; domain: string }>(
      'SELECT at, body, domain FROM watch_alarm ORDER BY at DESC, id LIMIT ?',
    )
    .all(MAX_SEARCHED)
    .filter(({ domain }) => covers(domain))
    .slice(0, limit)
    .map(({ at, body }) => {
      const alarm = JSON.parse(body) as WatchAlarm;
      return { ...alarm, at, waiting: waiting.all(alarm.id).map(({ channel }) => channel) };
    });
}

/**
 * Mutes the alarms of a domain until a time, milliseconds since 1970; a past time unmutes
 * them. `alongside` runs in the same transaction.
 */
export function muteDomain(
  stateStore: Store,
  domain: string,
  until: number,
  alongside: () => void,
): Promise<void> {
  return stateStore.write('watch', () => {
    stateStore
      .prepare(
        'INSERT INTO watch_mute (domain, until) VALUES (?, ?) ON CONFLICT (domain) DO UPDATE SET until = excluded.until',
      )
      .run(domain, until);
    alongside();
  });
}

/** Returns the muted domains, with the end of each mute in milliseconds since 1970. */
export function mutedDomains(stateStore: Store, now: number): ReadonlyMap<string, number> {
  const rows = stateStore
    .prepare<{ domain: string; until: number }>(
      'SELECT domain, until FROM watch_mute WHERE until > ?',
    )
    .all(now);
  return new Map(rows.map(({ domain, until }) => [domain, until]));
}

/**
 * Returns the alarms that a channel has not accepted, oldest first, at most 50. Alarms of
 * a muted domain wait until the mute ends.
 */
export function unsentAlarms(
  stateStore: Store,
  channel: string,
  now = Number.MAX_SAFE_INTEGER,
): readonly WatchAlarm[] {
  return stateStore
    .prepare<{ body: string }>(
      `SELECT body FROM watch_alarm JOIN watch_send ON alarm = id
       WHERE channel = ? AND sent_at IS NULL
         AND domain NOT IN (SELECT domain FROM watch_mute WHERE until > ?)
       ORDER BY at, id LIMIT ${MAX_IN_MESSAGE}`,
    )
    .all(channel, now)
    .map(({ body }) => JSON.parse(body) as WatchAlarm);
}

/** Records that a channel accepted alarms, so that they are never sent to it again. */
async function markSent(
  stateStore: Store,
  channel: string,
  watchAlarms: readonly WatchAlarm[],
  now: number,
): Promise<void> {
  await stateStore.write('watch', () => {
    const mark = stateStore.prepare(
      'UPDATE watch_send SET sent_at = ? WHERE alarm = ? AND channel = ?',
    );
    for (const { id } of watchAlarms) mark.run(now, id, channel);
  });
}
