import assert from 'node:assert/strict';
import test from 'node:test';
import type { Store } from '../../store/index.js';
import { exportReports, importReports, openReports, pruneReports } from '../index.js';
import { reportJson } from '../../../test/support/report/mail.js';
import { systemClockAt } from '../../../test/support/fake-clock.js';

const now = Date.parse('2026-05-10T00:00:00Z');
const day = 86_400_000;

async function bring(
  store: Store,
  at: number,
  domains: readonly string[],
  ...texts: readonly string[]
): Promise<void> {
  async function* sources() {
    yield {
      name: 'lines',
      open: async function* () {
        yield Buffer.from(texts.join('\n'));
      },
    };
  }
  for await (const record of importReports(sources(), {
    clock: systemClockAt(() => at),
    store,
    domains,
  }))
    assert.equal(record.status, 'accepted');
}

const counts = (store: Store): unknown =>
  ['report', 'report_policy', 'report_failure', 'report_text', 'report_day'].map(
    (table) => store.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n,
  );

test('old reports are removed with their rows; the daily sums stay', async () => {
  const store = await openReports(':memory:');
  await bring(
    store,
    now - 500 * day,
    [],
    reportJson(1, 1, 'old', '2024-12-20'),
    reportJson(1, 1, 'older', '2024-12-19'),
  );
  await bring(store, now - 40 * day, ['other.example'], reportJson(9, 0, 'foreign', '2026-03-20'));
  await bring(store, now - 5 * day, [], reportJson(2, 0, 'new', '2026-05-04'));
  const days = (counts(store) as number[])[4];
  assert.equal(await pruneReports(store, { now, keepDays: 400 }), 3);
  assert.deepEqual(counts(store), [1, 1, 0, 1, days]);
  assert.equal(await pruneReports(store, { now, keepDays: 400 }), 0);
});

test('uncounted reports cannot fill the disk', async () => {
  const store = await openReports(':memory:');
  await bring(
    store,
    now,
    ['other.example'],
    ...Array.from({ length: 20 }, (_, n) => reportJson(n, 0, String(n))),
  );
  assert.equal(await pruneReports(store, { now, keepDays: 400, maxUncounted: 5 }), 15);
});

test('an export can be imported and gives the same sums', async () => {
  const [one, two] = [await openReports(':memory:'), await openReports(':memory:')];
  await bring(
    one,
    now,
    [],
    reportJson(1, 1, 'a'),
    reportJson(2, 3, 'b', '2026-05-05'),
    reportJson(4, 0, 'c', '2026-05-05', 'sub.rcpt.example'),
  );
  await bring(two, now, [], ...exportReports(one));
  assert.deepEqual(counts(two), counts(one));
  assert.equal([...exportReports(one, { domain: 'sub.rcpt.example' })].length, 1);
});

test('pruning keeps the newest days of unauthenticated reports and all others', async () => {
  const store = await openReports(':memory:');
  for (let n = 0; n < 9; n++) {
    const texts = [reportJson(1, 0, `u${n}`)];
    await bring(store, now + Math.floor(n / 3) * day, ['other.example'], ...texts);
    await bring(store, now + Math.floor(n / 3) * day, [], reportJson(1, 0, `g${n}`));
  }
  const { n: before } = store.prepare<{ n: number }>('SELECT count(*) AS n FROM report').get() ?? {
    n: 0,
  };
  assert.equal(before, 18);
  const later = { now: now + 5 * day, keepDays: 400 };
  assert.equal(await pruneReports(store, { ...later, maxUnauthenticated: 9 }), 0);
  assert.equal(await pruneReports(store, { ...later, maxUnauthenticated: 8 }), 3);
  assert.equal(await pruneReports(store, { ...later, maxUnauthenticated: 8 }), 0);
  const kept = store
    .prepare<{ n: number }>("SELECT count(*) AS n FROM report WHERE trust = 'given'")
    .get();
  assert.equal(kept?.n, 9);
});
