import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { isHermeticError } from '../base/index.js';
import { migrate, openStore, verifyStore, type Store } from './index.js';

const items = ['CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)'];

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'hermetic-store-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

const count = (store: Store): number =>
  store.prepare<{ n: number }>('SELECT count(*) AS n FROM item').get()?.n ?? -1;

function withCode(code: string): (error: unknown) => boolean {
  return (error) => isHermeticError(error) && error.code === code && (error.fix ?? '').length > 0;
}

// [8460-8-1]
test('values come back as they went in, and the file is for its owner alone', async (t) => {
  const file = join(folder(t), 'a.db');
  const store = await openStore(file);
  migrate(store, 'test', items);
  store.prepare('INSERT INTO item VALUES (?, ?)').run(1, Buffer.from([0, 255]));
  const row = store.prepare<{ body: Uint8Array }>('SELECT body FROM item').get();
  assert.deepEqual([...(row?.body ?? [])], [0, 255]);
  assert.equal(store.prepare('SELECT body FROM item WHERE id = ?').get(2), undefined);
  assert.deepEqual(
    [...store.iterate<{ id: number }>('SELECT id FROM item')].map((r) => r.id),
    [1],
  );
  assert.equal(store.prepare<{ synchronous: number }>('PRAGMA synchronous').get()?.synchronous, 2);
  assert.equal(statSync(file).mode & 0o077, 0);
  assert.deepEqual(verifyStore(store), []);
  store.close();
});

test('a transaction that throws leaves nothing, also from a transaction inside', async () => {
  const store = await openStore(':memory:');
  migrate(store, 'test', items);
  const insert = store.prepare('INSERT INTO item (id) VALUES (?)');
  assert.throws(() =>
    store.transaction(() => {
      insert.run(1);
      store.transaction(() => insert.run(1));
    }),
  );
  assert.equal(count(store), 0);
  assert.equal(
    store.transaction(() => insert.run(1)),
    1,
  );
  assert.equal(count(store), 1);
});

test('migrations go on from where a job stands; a failing one changes nothing', async () => {
  const store = await openStore(':memory:');
  migrate(store, 'test', items);
  migrate(store, 'test', items);
  const more = [...items, 'ALTER TABLE item ADD COLUMN size INTEGER'];
  assert.throws(() => migrate(store, 'test', [...more, 'CREATE TABLE broken (']));
  assert.throws(() => store.prepare('SELECT size FROM item'));
  migrate(store, 'test', more);
  store.prepare('SELECT size FROM item').all();
  migrate(store, 'other', ['CREATE TABLE other (id INTEGER)']);
  assert.throws(() => migrate(store, 'test', items), withCode('store-newer'));
});

test('what is wrong with the file is named, with what to do', async (t) => {
  const where = folder(t);
  await assert.rejects(openStore(join(where, 'missing', 'a.db')), withCode('store-unwritable'));
  await assert.rejects(openStore(where), withCode('store-unwritable'));
  const noise = join(where, 'noise.db');
  writeFileSync(noise, 'no database at all '.repeat(500));
  await assert.rejects(openStore(noise), withCode('store-corrupt'));
});

test('a second process that holds the database is named', async (t) => {
  const file = join(folder(t), 'a.db');
  const [one, two] = [await openStore(file), await openStore(file, { busyTimeoutMs: 20 })];
  migrate(one, 'test', items);
  one.transaction(() =>
    assert.throws(() => two.transaction(() => undefined), withCode('store-busy')),
  );
  two.transaction(() => undefined);
  one.close();
  two.close();
});

test('a killed process loses nothing that it acknowledged', async (t) => {
  const file = join(folder(t), 'a.db');
  const store = await openStore(file);
  migrate(store, 'test', items);
  let acknowledged = 0;
  const child = fork(join(import.meta.dirname, 'testing-writer.js'), [file], { stdio: 'ignore' });
  await new Promise<void>((resolve) => {
    child.on('message', (n) => {
      acknowledged = n as number;
      if (acknowledged >= 20) child.kill('SIGKILL');
    });
    child.on('exit', () => resolve());
  });
  assert.ok(acknowledged >= 20);
  assert.ok(count(store) >= acknowledged);
  assert.deepEqual(verifyStore(store), []);
  store.close();
});
