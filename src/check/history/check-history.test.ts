import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { atHost, healthyResult } from '../../../test/support/watch-results.js';
import { migrateStore, openStore, type Store } from '../../store/index.js';
import { HISTORY_DAYS, historyTables, readHistory, recordHistory } from './check-history.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const start = Date.parse('2027-01-01T00:00:00Z');

async function opened(t: TestContext): Promise<Store> {
  const store = await openStore(':memory:');
  t.after(() => store.close());
  migrateStore(store, historyTables.job, historyTables.migrations);
  return store;
}

const verdicts = (store: Store, domain?: string): readonly string[] =>
  [...readHistory(store, { domain })].map((one) => `${one.domain} ${one.verdict}`);

const healthy = healthyResult('a.example');
const broken = atHost('starttls-absent')(healthy);

test('every change of a domain is stored, and an unchanged one once a day', async (t) => {
  const store = await opened(t);
  const results = [healthy, healthy, broken, broken, healthy];
  results.forEach((result, index) => recordHistory(store, result, start + index * 6 * HOUR));
  assert.deepEqual(verdicts(store), ['a.example pass', 'a.example fail', 'a.example pass']);
  recordHistory(store, healthy, start + 4 * 6 * HOUR + DAY);
  assert.equal(verdicts(store).length, 4);
});

test('a change of the findings alone is stored', async (t) => {
  const store = await opened(t);
  recordHistory(store, broken, start);
  recordHistory(store, atHost('dane-mismatch')(healthy), start + HOUR);
  assert.equal(verdicts(store).length, 2);
});

test('results expire', async (t) => {
  const store = await opened(t);
  recordHistory(store, healthy, start);
  recordHistory(store, healthy, start + HISTORY_DAYS * DAY);
  assert.equal(verdicts(store).length, 2);
  recordHistory(store, broken, start + HISTORY_DAYS * DAY + 1);
  assert.deepEqual(verdicts(store), ['a.example pass', 'a.example fail']);
});

test('the results of one domain since a time are complete', async (t) => {
  const store = await opened(t);
  recordHistory(store, healthyResult('b.example'), start);
  recordHistory(store, healthy, start);
  recordHistory(store, broken, start + DAY);
  assert.deepEqual(verdicts(store, 'a.example'), ['a.example pass', 'a.example fail']);
  const [only, ...more] = readHistory(store, { domain: 'a.example', since: start + 1 });
  assert.deepEqual(only, JSON.parse(JSON.stringify(broken)));
  assert.deepEqual(more, []);
});

test('setting the clock back loses no later change', async (t) => {
  const store = await opened(t);
  recordHistory(store, healthy, start);
  recordHistory(store, healthy, start - 10 * DAY);
  recordHistory(store, broken, start - 9 * DAY);
  assert.equal(verdicts(store).length, 3);
});

test('an unreadable result is omitted', async (t) => {
  const store = await opened(t);
  recordHistory(store, healthy, start);
  recordHistory(store, { ...broken, verdict: 'unheard-of' as never }, start + DAY);
  assert.deepEqual(verdicts(store), ['a.example pass']);
});
