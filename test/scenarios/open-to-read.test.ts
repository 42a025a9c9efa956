import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isHermeticError } from '../../src/base/index.js';
import { migrateStore, openStore, openStoreToRead, type Store } from '../../src/store/index.js';

const first = 'CREATE TABLE t (x INTEGER NOT NULL)';
const second = 'ALTER TABLE t ADD COLUMN y INTEGER NOT NULL DEFAULT 7';
const prepare = (store: Store): void => migrateStore(store, 'test', [first]);
const prepareNext = (store: Store): void => migrateStore(store, 'test', [first, second]);

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'hermetic-to-read-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function filled(file: string): Promise<Store> {
  const store = await openStore(file);
  prepare(store);
  store.prepare('INSERT INTO t (x) VALUES (?)').run(5);
  return store;
}

/**
 * Returns a hash of the names, modes and contents of the files in a folder, without
 * `-shm`, the index of a running database.
 */
function digest(at: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(at).sort())
    if (!name.endsWith('-shm'))
      hash.update(`${name} ${statSync(join(at, name)).mode} `).update(readFileSync(join(at, name)));
  return hash.digest('hex');
}

const rows = (store: Store): unknown[] =>
  store
    .prepare<object>('SELECT * FROM t')
    .all()
    .map((row) => ({ ...row }));

/**
 * Closes the database and removes its empty log immediately: the driver removes the log
 * only at the next garbage collection.
 */
function close(store: Store): void {
  store.close();
  for (const suffix of ['-wal', '-shm']) rmSync(`${store.file}${suffix}`, { force: true });
}

test('reading a closed database leaves no other file', async (t) => {
  const at = folder(t);
  close(await filled(join(at, 'a b?.db')));
  const before = [digest(at), readdirSync(at)];
  const store = await openStoreToRead(join(at, 'a b?.db'), { prepare });
  assert.deepEqual(rows(store), [{ x: 5 }]);
  assert.throws(() => store.prepare('INSERT INTO t (x) VALUES (6)').run());
  store.close();
  assert.deepEqual([digest(at), readdirSync(at)], before);
});

test('a database in use is read in its current state', async (t) => {
  const at = folder(t);
  const writer = await filled(join(at, 'a.db'));
  const reader = await openStoreToRead(join(at, 'a.db'), { prepare });
  writer.prepare('INSERT INTO t (x) VALUES (?)').run(6);
  assert.deepEqual(rows(reader), [{ x: 5 }, { x: 6 }]);
  reader.close();
  writer.prepare('INSERT INTO t (x) VALUES (?)').run(7);
  assert.equal(rows(writer).length, 3);
  writer.close();
});

test('the log of a crash is applied in a copy', async (t) => {
  const [at, crashed] = [folder(t), folder(t)];
  const writer = await filled(join(at, 'a.db'));
  // Another process reads the file, because closing a descriptor of it here would release
  // the locks of SQLite.
  execFileSync('cp', [join(at, 'a.db'), join(at, 'a.db-wal'), crashed]);
  writer.close();
  const before = [digest(crashed), readdirSync(crashed)];
  const store = await openStoreToRead(join(crashed, 'a.db'), { prepare });
  assert.deepEqual(rows(store), [{ x: 5 }]);
  store.close();
  assert.deepEqual([digest(crashed), readdirSync(crashed)], before);
});

test('tables of an older version are migrated in a copy', async (t) => {
  const at = folder(t);
  close(await filled(join(at, 'a.db')));
  const before = [digest(at), readdirSync(at)];
  const store = await openStoreToRead(join(at, 'a.db'), { prepare: prepareNext });
  assert.deepEqual(rows(store), [{ x: 5, y: 7 }]);
  store.close();
  assert.deepEqual([digest(at), readdirSync(at)], before);
});

test('a newer database is refused, and a missing one reads as empty', async (t) => {
  const at = folder(t);
  const newer = await filled(join(at, 'a.db'));
  prepareNext(newer);
  close(newer);
  const isNewer = (error: unknown): boolean =>
    isHermeticError(error) && error.code === 'store-newer';
  await assert.rejects(openStoreToRead(join(at, 'a.db'), { prepare }), isNewer);
  const none = await openStoreToRead(join(at, 'none.db'), { prepare });
  assert.deepEqual(rows(none), []);
  none.close();
  assert.deepEqual(readdirSync(at), ['a.db']);
  await assert.rejects(openStoreToRead(join(at, 'none.db'), { prepare, mustExist: true }));
});
