import assert from 'node:assert/strict';
import test from 'node:test';
import { isHermeticError } from '../../base/index.js';
import { migrateStore, openStore } from '../../store/index.js';
import { prepareReports } from '../../tls-rpt-receive/index.js';
import { readDigest, watchSection, watchTables, type WatchSettings } from '../../watch/index.js';
import type { JobContext } from '../service.js';
import { digestReceivers } from './digest-receivers.js';

const mail = { from: 'hermetic@example.com', to: 'admin@example.com', server: 'mail.example.com' };
const customers = { acme: ['a.example', 'unwatched.example'], beta: ['b.example'] };
const jobContext = { customers } as unknown as JobContext;

function settingsOf(receivers: object, notify: object = { mail }): WatchSettings {
  return watchSection.parse({
    domains: ['a.example', 'b.example', 'c.example'],
    notify,
    digest: { every: 'day', customers: receivers },
  });
}

test('a customer receives its watched domains, the operator all', () => {
  const webhook = 'https://chat.example.com/hook';
  const settings = settingsOf({ acme: { to: 'it@a.example', webhook }, beta: { webhook } });
  assert.deepEqual(
    digestReceivers(settings, jobContext).map(({ channel, domains }) => [channel, domains]),
    [
      ['mail', ['a.example', 'b.example', 'c.example']],
      ['acme/webhook', ['a.example']],
      ['acme/mail', ['a.example']],
      ['beta/webhook', ['b.example']],
    ],
  );
});

test('a receiver without a group, a watched domain or a server is refused', () => {
  const refusal = (settings: WatchSettings, context = jobContext): string => {
    try {
      digestReceivers(settings, context);
    } catch (error) {
      if (isHermeticError(error)) return `${error.message} ${error.fix ?? ''}`;
    }
    return '';
  };
  const to = 'it@a.example';
  assert.match(refusal(settingsOf({ acne: { to } })), /acne is not a group .*Did you mean acme\?/s);
  assert.match(refusal(settingsOf({ acme: { to } }), {} as JobContext), /which is empty/);
  // A name of Object.prototype is not a group.
  assert.match(refusal(settingsOf({ constructor: { to } })), /constructor is not a group/);
  assert.match(refusal(settingsOf({ acme: { to } }, {})), /watch.notify.mail names none/);
  const unwatched = { customers: { acme: ['z.example'] } } as unknown as JobContext;
  assert.match(refusal(settingsOf({ acme: { to } }), unwatched), /no domain .* is watched/);
  assert.ok(!watchSection.safeParse({ domains: ['a.example'], digest: { customers: {} } }).success);
  assert.throws(() => settingsOf({ acme: {} }), /has no receiver/);
});

test('the digest of a customer contains only alarms of its own domains', async () => {
  const store = await openStore(':memory:');
  migrateStore(store, watchTables.job, watchTables.migrations);
  prepareReports(store);
  const at = Date.parse('2027-01-04T08:00:00Z');
  const add = store.prepare('INSERT INTO watch_alarm (id, at, domain, body) VALUES (?, ?, ?, ?)');
  for (const domain of ['a.example', 'b.example', 'former.example'])
    add.run(domain, at, domain, JSON.stringify({ id: domain, domain }));
  const schedule = { every: 'day', hour: 7 } as const;
  const changed = async (domains: readonly string[], isConfined: boolean): Promise<string[]> => {
    const period = { from: at - 1, until: at + 1, schedule };
    const { changes } = await readDigest(store, { domains, isConfined, ...period });
    return changes.map(({ domain }) => domain).sort();
  };
  assert.deepEqual(await changed(['a.example'], true), ['a.example']);
  assert.deepEqual(await changed(['a.example', 'b.example'], false), [
    'a.example',
    'b.example',
    'former.example',
  ]);
  store.close();
});
