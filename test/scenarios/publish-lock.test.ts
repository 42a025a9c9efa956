import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openAcmeStore, openLedger } from '../../src/publish/index.js';
import { holdLock, lockOften } from '../support/foreign-lock.js';
import { acmeWorld } from '../support/publish/acme-ca.js';
import { DomainSimulation } from '../support/publish/domain-simulation.js';

const [host, key] = ['mta-sts.example.com', 'ecdsa-1'];
/**
 * A synchronous write fails immediately, and a queued write fails after a few attempts.
 */
const impatient = { busyTimeoutMs: 0, waitMs: 30 };

function databaseFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-publish-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'hermetic.db');
}

test('foreign locks through the life of a domain lose no write of publishing', async (t) => {
  const calm = await DomainSimulation.begin();
  await calm.live();
  const expected = calm.summary();
  await calm.end();
  const file = databaseFor(t);
  const disturbed = await DomainSimulation.begin(file, impatient);
  t.after(() => disturbed.end());
  const client = await lockOften(t, file, 40);
  await disturbed.live();
  assert.deepEqual(disturbed.summary(), expected);
  client.kill('SIGKILL');
});

test('foreign locks at every request of an order cause no second order', async (t) => {
  const file = databaseFor(t);
  const world = await acmeWorld(
    { listsOrders: false, reusesOrders: false },
    { file, ...impatient },
  );
  t.after(() => world.close());
  world.ring.make(host, key, 'ecdsa');
  const [one, other] = [world.certifier(), world.certifier()];
  const client = await lockOften(t, file, 60);
  assert.deepEqual(await one.certify({ host, key }), { status: 'done' });
  assert.deepEqual(await other.certify({ host, key }), { status: 'done' });
  assert.equal(world.ca.orders.size, 1);
  assert.equal(world.ca.accounts.size, 1);
  client.kill('SIGKILL');
});

test('a write of publishing waits for a lock of any length, and the event loop runs', async (t) => {
  const file = databaseFor(t);
  const { store, close } = await acmeWorld({}, { file, ...impatient });
  t.after(close);
  const [ledger, orders] = [openLedger(store), openAcmeStore(store)];
  const client = await holdLock(t, file);
  const order = { directory: 'https://ca.example/', names: [host], url: 'https://ca.example/1' };
  const writes = Promise.all([
    ledger.note(1, host, 'waited'),
    ledger.serve('one.example', 'version: STSv1'),
    orders.saveOrder(host, key, order),
    orders.claim({ host, key, holder: 'a', until: 2000 }, 1000),
  ]);
  let turns = 0;
  const [publishing] = store.writes();
  for (; (publishing?.failed ?? 0) < 8; turns++)
    await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(turns > 20, `${turns} turns of the event loop`);
  assert.equal(ledger.body('one.example'), undefined);
  client.stdin.end();
  assert.equal((await writes)[3], true);
  assert.deepEqual(orders.order(host, key), order);
  assert.equal(ledger.notes(1)[0]?.says, 'waited');
});

test('the abort signal ends the wait for a lock', async (t) => {
  const file = databaseFor(t);
  const { store, close } = await acmeWorld({}, { file, ...impatient });
  t.after(close);
  const stopping = new AbortController();
  const ledger = openLedger(store, stopping.signal);
  await holdLock(t, file);
  const write = ledger.confirm('enforce:one.example:1-1', 1);
  stopping.abort();
  await assert.rejects(write, { code: 'store-busy' });
  assert.deepEqual(ledger.confirmed(), []);
});
