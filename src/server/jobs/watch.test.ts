import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { historyTables, readHistory } from '../../check/index.js';
import { chooseResolver } from '../../dns/index.js';
import { createLab, scenariosFor } from '../../lab/index.js';
import { migrateStore, openStore, type Store } from '../../store/index.js';
import { prepareWatch, readWatch, unsentAlarms, watchSection } from '../../watch/index.js';
import type { JobContext } from '../service.js';
import { Watcher } from './watch.js';
import { FakeClock } from '../../../test/support/fake-clock.js';

const HOUR = 3_600_000;

interface Line {
  readonly event: string;
  readonly domain?: string;
  readonly rule?: string;
  readonly kind?: string;
}

/**
 * Returns a lab in which a test can start watchers; `clock.at` is their wall-clock time.
 */
async function watching(
  t: TestContext,
  section: object,
): Promise<{
  readonly store: Store;
  readonly clock: FakeClock;
  readonly lines: Line[];
  /** Starts a watcher. `changed`: the settings that a reload replaced. */
  start(changed?: object): Watcher;
}> {
  const lab = await createLab({
    scenarios: scenariosFor(['good.example', 'plaintext.example']),
  });
  t.after(() => lab.close());
  const store = await openStore(':memory:');
  prepareWatch(store);
  migrateStore(store, historyTables.job, historyTables.migrations);
  const clock = new FakeClock(Date.now(), 'skip');
  const lines: Line[] = [];
  const note = (event: string, fields: object): void => void lines.push({ event, ...fields });
  const { network, upstreams, anchors, trustStore } = lab;
  const jobContext = {
    store,
    clock,
    localNetwork: network,
    network,
    trustStore,
    resolver: chooseResolver({ upstreams, anchors }, { network }),
    log: { info: note, warn: note, error: note },
  } as unknown as JobContext;
  const { signal } = new AbortController();
  const start = (changed = {}): Watcher =>
    new Watcher(watchSection.parse({ ...section, ...changed }), jobContext, signal, () => 0.5);
  return { store, clock, lines, start };
}

const checks = (lines: Line[]): readonly (string | undefined)[] =>
  lines
    .splice(0)
    .filter(({ event }) => event === 'watch-check')
    .map(({ domain }) => domain);

test('each domain is checked on its interval, sooner while a change is unconfirmed', async (t) => {
  const { clock, lines, start, store } = await watching(t, {
    domains: ['good.example', 'plaintext.example'],
    everyHours: 6,
  });
  const watcher = start();
  await watcher.round();
  assert.deepEqual(checks(lines).toSorted(), ['good.example', 'plaintext.example']);
  await watcher.round();
  assert.deepEqual(checks(lines), []);
  clock.at += HOUR / 4;
  await watcher.round();
  const alarm = lines.find(({ event }) => event === 'watch-alarm');
  assert.deepEqual([alarm?.kind, alarm?.rule], ['added', 'starttls-absent']);
  assert.deepEqual(checks(lines), ['plaintext.example']);
  clock.at += 5 * HOUR;
  // A restart does not change the time of the next check.
  const again = start();
  await again.round();
  assert.deepEqual(checks(lines), []);
  clock.at += 2 * HOUR;
  await again.round();
  assert.deepEqual(checks(lines).toSorted(), ['good.example', 'plaintext.example']);
  assert.equal(readWatch(store).domains['good.example']?.verdict, 'pass');
  const history = [...readHistory(store)].map(({ domain, verdict }) => `${domain} ${verdict}`);
  assert.deepEqual(history, ['good.example pass', 'plaintext.example fail']);
});

test('a refused alarm stays queued, and maintenance is silent', async (t) => {
  const { clock, lines, start, store } = await watching(t, {
    domains: ['plaintext.example'],
    notify: { webhook: 'https://nowhere.good.example/hook' },
    silence: [
      {
        domain: 'plaintext.example',
        from: '2020-01-01T00:00:00Z',
        until: new Date(Date.now() + HOUR).toISOString(),
        reason: 'move to another server',
      },
    ],
  });
  const watcher = start();
  await watcher.round();
  clock.at += HOUR / 2;
  await watcher.round();
  assert.deepEqual(unsentAlarms(store, 'webhook'), []);
  clock.at += 10 * HOUR;
  for (let round = 0; round < 2; round++) {
    await watcher.round();
    assert.equal(unsentAlarms(store, 'webhook').length, 1);
    assert.ok(lines.splice(0).some(({ event }) => event === 'watch-alarm-not-accepted'));
  }
});

test('a restart confirms a fault, a restart without the domain ends it', async (t) => {
  const { clock, lines, start, store } = await watching(t, {
    domains: ['plaintext.example', 'good.example'],
    notify: { webhook: 'https://nowhere.good.example/hook' },
  });
  await start().round();
  assert.deepEqual(unsentAlarms(store, 'webhook'), []);
  clock.at += HOUR / 4;
  await start().round();
  assert.deepEqual(kindsOf(unsentAlarms(store, 'webhook')), ['added starttls-absent']);
  const changed = start({ domains: ['good.example'] });
  for (let round = 0; round < 2; round++) await changed.round();
  assert.deepEqual(kindsOf(unsentAlarms(store, 'webhook')), [
    'added starttls-absent',
    'ended starttls-absent',
  ]);
  assert.deepEqual(Object.keys(readWatch(store).domains), ['good.example']);
  assert.deepEqual(
    lines.filter(({ event }) => event === 'watch-alarm').map(({ kind }) => kind),
    ['added', 'ended'],
  );
});

const kindsOf = (alarms: readonly { readonly kind: string; readonly rule: string }[]): string[] =>
  alarms.map(({ kind, rule }) => `${kind} ${rule}`).sort();
