import assert from 'node:assert/strict';
import test from 'node:test';
import PostalMime from 'postal-mime';
import { migrateStore, openStore, type Store } from '../../store/index.js';
import { prepareReports } from '../../tls-rpt-receive/index.js';
import { watchSection, watchTables } from '../../watch/index.js';
import { formatAlertMail, type AlertMessage } from '../alert-channels.js';
import type { JobContext } from '../service.js';
import { DigestSender } from './watch-digest.js';
import { FakeClock } from '../../../test/support/fake-clock.js';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
/** The wall-clock time at which a test begins: an hour after a planned digest. */
const start = Date.parse('2027-01-04T08:00:00Z');

/**
 * A simulated daemon that sends daily digests to two channels. `refused`: the channels
 * that accept no message.
 */
class World {
  readonly clock = new FakeClock(start);
  readonly sent: (readonly [channel: string, message: AlertMessage])[] = [];
  readonly events: string[] = [];
  refused: readonly string[] = [];

  private constructor(readonly store: Store) {}

  static async open(): Promise<World> {
    const store = await openStore(':memory:');
    migrateStore(store, watchTables.job, watchTables.migrations);
    prepareReports(store);
    return new World(store);
  }

  sender(digest: object | undefined = { every: 'day' }): DigestSender {
    const note = (event: string): void => void this.events.push(event);
    const log = { info: note, warn: note, error: note };
    const jobContext = { store: this.store, clock: this.clock, log } as unknown as JobContext;
    const settings = watchSection.parse({ domains: ['a.example'], digest });
    const send = (channel: string) => (message: AlertMessage) => {
      if (this.refused.includes(channel)) return Promise.reject(new Error('not reachable'));
      this.sent.push([channel, message]);
      return Promise.resolve(true);
    };
    const receivers = ['mail', 'webhook'].map((channel) => ({
      channel,
      domains: settings.domains,
      send: send(channel),
    }));
    return new DigestSender(settings, jobContext, receivers);
  }

  channels(): readonly string[] {
    return this.sent.splice(0).map(([channel]) => channel);
  }
}

test('each channel receives a digest a day, and none at the first start', async () => {
  const world = await World.open();
  const sender = world.sender();
  await sender.round();
  await sender.round();
  assert.deepEqual(world.channels(), []);
  world.clock.at += DAY;
  await sender.round();
  await sender.round();
  assert.deepEqual(world.channels(), ['mail', 'webhook']);
  // The daemon is down for five days.
  world.clock.at += 5 * DAY;
  const restarted = world.sender();
  await restarted.round();
  await restarted.round();
  const [, [, digest]] = world.sent as [unknown, [string, AlertMessage]];
  const { from, until } = JSON.parse(digest.json) as { from: string; until: string };
  assert.deepEqual([from.slice(0, 10), until.slice(0, 10)], ['2027-01-05', '2027-01-10']);
  assert.deepEqual(world.channels(), ['mail', 'webhook']);
  world.store.close();
});

test('a digest that a channel refused is sent again only to that channel', async () => {
  const world = await World.open();
  const sender = world.sender();
  await sender.round();
  world.clock.at += DAY;
  world.refused = ['mail'];
  for (let round = 0; round < 3; round++) await sender.round();
  assert.deepEqual(world.channels(), ['webhook']);
  assert.equal(
    world.events.filter((event) => event === 'watch-digest-not-accepted').length,
    1,
    'it is not tried in every round',
  );
  world.refused = [];
  world.clock.at += 16 * MINUTE;
  await sender.round();
  assert.deepEqual(world.channels(), ['mail']);
  world.store.close();
});

test('a repeated digest has the same Message-ID, the next digest a new one', async () => {
  const world = await World.open();
  await world.sender().round();
  const ids: string[] = [];
  for (const wait of [DAY, 0, DAY]) {
    world.clock.at += wait;
    await world.sender().round();
    ids.push(...world.sent.splice(0).map(([, { id }]) => id));
    // The daemon crashes before it records the digest as sent.
    if (ids.length === 2) world.store.prepare('UPDATE watch_digest SET until = until - ?').run(DAY);
  }
  assert.equal(new Set(ids.slice(0, 4)).size, 1);
  assert.equal(new Set(ids).size, 2);
  world.store.close();
});

test('without a schedule no digest is sent', async () => {
  const world = await World.open();
  const settings = watchSection.parse({ domains: ['a.example'] });
  assert.equal(settings.digest, undefined);
  const never = (): Promise<boolean> => Promise.reject(new Error('sent'));
  const jobContext = { store: world.store, clock: world.clock } as unknown as JobContext;
  const { domains } = settings;
  const sender = new DigestSender(settings, jobContext, [
    { channel: 'mail', domains, send: never },
  ]);
  await sender.round();
  world.clock.at += 30 * DAY;
  await sender.round();
  world.store.close();
});

test('a digest mail has text and HTML as alternatives', async () => {
  const world = await World.open();
  const sender = world.sender();
  await sender.round();
  world.clock.at += DAY;
  await sender.round();
  const [, message] = world.sent[0] ?? assert.fail('nothing was sent');
  const addresses = { from: 'hermetic@example.com', to: 'admin@example.com' };
  const raw = formatAlertMail(addresses, message, world.clock.now());
  for (const line of raw.split('\r\n')) assert.ok(line.length <= 200 && !line.includes('\n'), line);
  const mail = await new PostalMime().parse(raw);
  assert.match(mail.text ?? '', /^1 domain could not be checked\./);
  assert.match(mail.html ?? '', /<h1[^>]*>1 domain could not be checked/);
  assert.equal(mail.subject, 'Mail TLS: 1 domain could not be checked');
  assert.equal(mail.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-generated');
  world.store.close();
});
