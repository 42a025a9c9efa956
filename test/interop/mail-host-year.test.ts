import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { serverKey } from '../../src/publish/keys/key-ring.js';
import type { Applied } from '../../src/publish/apply/apply.js';
import { host, mailHostWorld } from '../support/publish/mail-host.js';
import { testSize } from '../support/test-size.js';

const [hour, day] = [3_600_000, 86_400_000];
/**
 * Returns the time between two rounds. The short form makes one round a day in long
 * periods.
 */
const interval = (days: number): number => (days > 8 ? testSize(24, 12) : 12) * hour;

async function world(t: TestContext, settings: Parameters<typeof mailHostWorld>[0]) {
  const made = await mailHostWorld(settings);
  t.after(() => made.close());
  return {
    ...made,
    keyShown: () =>
      serverKey('', made.loaded()?.publicKey ?? assert.fail('it shows nothing')).sha256,
    async rounds(
      days: number,
      how?: Parameters<typeof made.round>[0],
    ): Promise<readonly Applied[]> {
      const all: Applied[] = [];
      for (
        const end = made.clock.at + days * day;
        made.clock.at < end;
        made.clock.at += interval(days)
      )
        all.push(...(await made.round(how)));
      return all;
    },
  };
}

const failures = (rounds: readonly Applied[]): readonly string[] =>
  rounds.flatMap(({ outcomes }) =>
    outcomes.flatMap(({ outcome }) => (outcome.status === 'failed' ? [outcome.code] : [])),
  );
const alerts = (rounds: readonly Applied[]): readonly string[] =>
  rounds.flatMap(({ freshAlerts }) => freshAlerts.map(({ code }) => code));

test('half a year of 45-day certificates keeps every key and defers no mail', async (t) => {
  const { rounds, keyShown, ca, records } = await world(t, { lifetime: 45 * day });
  await rounds(4);
  const key = keyShown();
  assert.ok(
    records().length === 2 && records().includes(`3 1 1 ${key}`),
    'current and next are announced',
  );
  const later = await rounds(180);
  assert.deepEqual([failures(later), alerts(later), keyShown()], [[], [], key]);
  assert.equal(ca.certificates.size, 7, 'one every thirty days');
  const last = later.at(-1)?.certificates?.find(({ use }) => use === 'in use');
  assert.ok(
    last?.pinned &&
      last.shown &&
      last.told !== undefined &&
      last.renewed !== undefined &&
      last.notAfter !== undefined,
  );
  assert.ok(last.renewed > last.told && last.renewed < last.notAfter);
});

test('rollKeysEvery changes keys every thirty days, each announced ahead', async (t) => {
  const { rounds, keyShown, records } = await world(t, {
    lifetime: 90 * day,
    rollKeysEvery: '30d',
  });
  const keys = new Set<string>();
  for (let n = 0; n < 13; n++) {
    const some = await rounds(8);
    assert.deepEqual(failures(some), []);
    keys.add(keyShown());
  }
  assert.equal(keys.size, 4, '104 days: three changes');
  assert.ok(records().includes(`3 1 1 ${keyShown()}`));
});

test('a server that shows the old certificate is reported once, and nothing changes', async (t) => {
  const { rounds, loaded, records } = await world(t, { lifetime: 45 * day });
  await rounds(4);
  const [before, pins] = [loaded()?.fingerprint256, records()];
  const deaf = await rounds(33, { deaf: true });
  assert.deepEqual([loaded()?.fingerprint256, records(), failures(deaf)], [before, pins, []]);
  assert.deepEqual(alerts(deaf), ['publish-certificate-not-shown']);
  assert.equal(
    deaf.flatMap(({ outcomes }) => outcomes.filter(({ action }) => action.kind === 'deploy'))
      .length,
    1,
    'it is told once',
  );
});

test('a refused reload is retried every round and reported, then succeeds', async (t) => {
  const { rounds, loaded } = await world(t, { lifetime: 45 * day });
  await rounds(4);
  const before = loaded()?.fingerprint256;
  const refused = await rounds(32, { refuses: true });
  assert.deepEqual(new Set(failures(refused)), new Set(['publish-reload-failed']));
  assert.equal(loaded()?.fingerprint256, before);
  assert.deepEqual(failures(await rounds(1)), []);
  assert.notEqual(loaded()?.fingerprint256, before);
});

test('a server that does not read a new key keeps both keys announced', async (t) => {
  const { rounds, keyShown, records, ledger, clock } = await world(t, { lifetime: 90 * day });
  await rounds(4);
  const key = keyShown();
  await ledger.confirm(`leave:${host}:${key}`, clock.at);
  const deaf = await rounds(5, { deaf: true });
  assert.deepEqual(alerts(deaf), ['publish-certificate-not-shown']);
  assert.equal(keyShown(), key);
  assert.equal(records().length, 2);
  assert.ok(ledger.host(host).slots.ecdsa?.deploying);
});
