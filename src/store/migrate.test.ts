import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { isHermeticError } from '../base/index.js';
import { migrateStore, migrateWhenFree, openStore, type Store, type TableSet } from './index.js';

const tables: TableSet = {
  job: 'one',
  migrations: ['CREATE TABLE one (n INTEGER)', 'INSERT INTO one VALUES (1)'],
};

/**
 * Opens one database with two connections, which represent this process and another
 * process.
 */
async function twoConnections(
  t: TestContext,
): Promise<{ readonly own: Store; readonly foreign: Store }> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-migrate-'));
  const [own, foreign] = [
    await openStore(join(folder, 'a.db'), { busyTimeoutMs: 0 }),
    await openStore(join(folder, 'a.db'), { busyTimeoutMs: 0 }),
  ];
  t.after(() => {
    own.close();
    foreign.close();
    rmSync(folder, { recursive: true });
  });
  return { own, foreign };
}

const rows = (store: Store): number =>
  store.prepare<{ n: number }>('SELECT count(*) AS n FROM one').get()?.n ?? 0;

test('a migration waits for a foreign lock while the event loop runs', async (t) => {
  const { own, foreign } = await twoConnections(t);
  foreign.execute('BEGIN IMMEDIATE');
  let ended = false;
  const work = migrateWhenFree(own, tables, 60_000).then(() => (ended = true));
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(ended, false);
  foreign.execute('COMMIT');
  await work;
  assert.equal(rows(own), 1);
});

test('a migration completed by another process runs once', async (t) => {
  const { own, foreign } = await twoConnections(t);
  foreign.execute('BEGIN IMMEDIATE');
  const work = migrateWhenFree(own, tables, 60_000);
  foreign.execute('COMMIT');
  migrateStore(foreign, tables.job, tables.migrations);
  await work;
  assert.equal(rows(own), 1);
});

test('a migration waits for a long write of its own process', async (t) => {
  const { own } = await twoConnections(t);
  own.execute('CREATE TABLE other (n INTEGER)');
  let left = 20;
  const write = own.write('other', function* () {
    for (; left > 0; left--) {
      const until = performance.now() + 12;
      while (performance.now() < until);
      own.prepare('INSERT INTO other VALUES (1)').run();
      yield;
    }
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(left > 0);
  await migrateWhenFree(own, tables, 60_000);
  assert.equal(left, 0);
  await write;
  assert.equal(rows(own), 1);
});

test('with a lasting lock a migration fails with store-busy, and reads still work', async (t) => {
  const { own, foreign } = await twoConnections(t);
  foreign.execute('BEGIN IMMEDIATE');
  const code = (error: unknown): string => (isHermeticError(error) ? error.code : String(error));
  await assert.rejects(migrateWhenFree(own, tables, 50), (error) => code(error) === 'store-busy');
  assert.deepEqual(own.writes(), [], 'no job is degraded');
  foreign.execute('ROLLBACK');
  migrateStore(own, tables.job, tables.migrations);
  foreign.execute('BEGIN IMMEDIATE');
  await migrateWhenFree(own, tables, 0);
  foreign.execute('ROLLBACK');
});

test('tables of a newer version are refused at once', async (t) => {
  const { own } = await twoConnections(t);
  migrateStore(own, tables.job, [...tables.migrations, 'CREATE TABLE newer (n INTEGER)']);
  await assert.rejects(migrateWhenFree(own, tables, 60_000), /newer hermetic/);
});
