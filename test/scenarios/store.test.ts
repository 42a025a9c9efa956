import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { isHermeticError } from '../../src/base/index.js';
import { DatabaseSync } from '@photostructure/sqlite';
import {
  migrateStore,
  openStore,
  openStoreToRead,
  verifyStore,
  type Store,
} from '../../src/store/index.js';

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
test('values survive storing, and only the owner can read the file', async (t) => {
  const file = join(folder(t), 'a.db');
  const store = await openStore(file);
  migrateStore(store, 'test', items);
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

test('a transaction that throws is rolled back with its inner transactions', async () => {
  const store = await openStore(':memory:');
  migrateStore(store, 'test', items);
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

test('migrations continue from the version of a job; a failed one changes nothing', async () => {
  const store = await openStore(':memory:');
  migrateStore(store, 'test', items);
  migrateStore(store, 'test', items);
  const more = [...items, 'ALTER TABLE item ADD COLUMN size INTEGER'];
  assert.throws(() => migrateStore(store, 'test', [...more, 'CREATE TABLE broken (']));
  assert.throws(() => store.prepare('SELECT size FROM item'));
  migrateStore(store, 'test', more);
  store.prepare('SELECT size FROM item').all();
  migrateStore(store, 'other', ['CREATE TABLE other (id INTEGER)']);
  assert.throws(() => migrateStore(store, 'test', items), withCode('store-newer'));
});

test('a fault of the file is reported with the fix', async (t) => {
  const where = folder(t);
  await assert.rejects(openStore(join(where, 'missing', 'a.db')), withCode('store-unwritable'));
  await assert.rejects(openStore(where), withCode('store-unwritable'));
  const noise = join(where, 'noise.db');
  writeFileSync(noise, 'no database at all '.repeat(500));
  await assert.rejects(openStore(noise), withCode('store-corrupt'));
});

test('the database of another program is refused and not changed', async (t) => {
  const where = folder(t);
  const foreign = {
    notes: 'CREATE TABLE notes (text)',
    versions: 'CREATE TABLE schema_version (version INTEGER)',
    log: 'PRAGMA journal_mode = WAL; CREATE TABLE notes (text)',
    marked: 'PRAGMA application_id = 7',
  };
  for (const [name, sql] of Object.entries(foreign)) {
    const file = join(where, name);
    const other = new DatabaseSync(file);
    other.exec(sql);
    other.close();
    chmodSync(file, 0o644);
    const before = readFileSync(file);
    await assert.rejects(openStore(file), withCode('store-foreign'));
    await assert.rejects(openStoreToRead(file, { prepare: () => undefined }), (error) => {
      assert.match(String(error), new RegExp(file));
      return withCode('store-foreign')(error);
    });
    assert.deepEqual(readFileSync(file), before, name);
    assert.equal(modeOf(file), '644');
  }
});

test('an own database opens again, with the mark or the table of versions', async (t) => {
  const file = join(folder(t), 'own.db');
  for (const mark of ['PRAGMA application_id = 0', 'DROP TABLE schema_version']) {
    const store = await openStore(file);
    migrateStore(store, 'one', ['CREATE TABLE one (n)']);
    store.close();
    const changed = new DatabaseSync(file);
    changed.exec(mark);
    changed.close();
    (await openStore(file)).close();
    rmSync(file);
  }
});

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

test('an existing database, its log and its shared memory become private', async (t) => {
  for (const mode of [0o644, 0o666, 0o640, 0o604]) {
    const file = join(folder(t), 'a.db');
    const child = fork(join(import.meta.dirname, '../support/store-writer.js'), [file, 'create'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const files = [file, `${file}-wal`, `${file}-shm`];
    for (const each of files) chmodSync(each, mode);
    const store = await openStore(file);
    assert.deepEqual(files.map(modeOf), ['600', '600', '600'], mode.toString(8));
    assert.deepEqual(store.exposed, []);
    store.close();
  }
});

test('a file that is not a database keeps its content and mode', async (t) => {
  const where = folder(t);
  for (const [name, content] of [
    ['passwd', 'root:x:0:0:root:/root:/bin/sh\n'.repeat(40)],
    ['short', 'a'],
    ['key.pem', '-----BEGIN PRIVATE KEY-----\n'.repeat(100)],
  ] as const) {
    const [file, link] = [join(where, name), join(where, `${name}.db`)];
    writeFileSync(file, content, { mode: 0o644 });
    symlinkSync(file, link);
    for (const path of [file, link]) {
      await assert.rejects(openStore(path), withCode('store-corrupt'));
      assert.deepEqual([modeOf(file), readFileSync(file, 'utf8')], ['644', content]);
    }
    assert.deepEqual(
      readdirSync(where).filter((found) => /-(wal|shm|journal)$/.test(found)),
      [],
    );
  }
});

test('a new database is private from its first moment, also behind a symbolic link', async (t) => {
  const where = folder(t);
  mkdirSync(join(where, 'disk'));
  symlinkSync(join('disk', 'b.db'), join(where, 'a.db'));
  const before = process.umask(0);
  const store = await openStore(join(where, 'a.db'));
  process.umask(before);
  migrateStore(store, 'test', items);
  const files = ['b.db', 'b.db-wal', 'b.db-shm'].map((name) => join(where, 'disk', name));
  assert.deepEqual(files.map(modeOf), ['600', '600', '600']);
  store.close();
});

test('a mode that cannot be changed is reported', { skip: process.getuid?.() !== 0 }, async (t) => {
  const where = folder(t);
  const file = join(where, 'a.db');
  (await openStore(file)).close();
  chmodSync(where, 0o777);
  chmodSync(file, 0o666);
  process.seteuid?.(65534);
  try {
    const store = await openStore(file);
    assert.deepEqual(store.exposed, [{ file, mode: '666' }]);
    store.close();
  } finally {
    process.seteuid?.(0);
  }
});

test('a path that is not a regular file is refused without opening it', async (t) => {
  const where = folder(t);
  // Opening a FIFO would wait for a writer.
  execFileSync('mkfifo', [join(where, 'pipe')]);
  await assert.rejects(openStore(join(where, 'pipe')), withCode('store-unwritable'));
  symlinkSync('loop', join(where, 'loop'));
  await assert.rejects(openStore(join(where, 'loop')), withCode('store-unwritable'));
});

/**
 * Returns the locks that this process holds on the file and its shared memory, as the
 * kernel lists them.
 */
function locksOn(file: string): readonly string[] {
  const inodes = [file, `${file}-shm`].map((name) => String(statSync(name).ino));
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((parts) => parts[4] === String(process.pid))
    .filter((parts) => inodes.includes((parts[5] ?? '').split(':')[2] ?? ''))
    .map((parts) => parts.slice(1).join(' '))
    .sort();
}

// Reproduces the fault of https://sqlite.org/howtocorrupt.html, section 2.2
test('opening the database again keeps the locks of the open connection', async (t) => {
  const file = join(folder(t), 'a.db');
  const store = await openStore(file);
  migrateStore(store, 'test', items);
  const held = locksOn(file);
  assert.ok(held.length >= 2, 'the database and its shared memory are locked');
  for (const mustExist of [false, true]) {
    const second = await openStore(file, { mustExist });
    second.prepare('SELECT * FROM item').all();
    second.close();
    assert.deepEqual(locksOn(file), held);
  }
  chmodSync(file, 0o644);
  (await openStore(file)).close();
  assert.deepEqual(locksOn(file), held);
  store.close();
});

test('a second process with the database open is reported', async (t) => {
  const file = join(folder(t), 'a.db');
  const [one, two] = [await openStore(file), await openStore(file, { busyTimeoutMs: 20 })];
  migrateStore(one, 'test', items);
  one.transaction(() =>
    assert.throws(() => two.transaction(() => undefined), withCode('store-busy')),
  );
  two.transaction(() => undefined);
  one.close();
  two.close();
});

test('a killed process loses no acknowledged write', async (t) => {
  const file = join(folder(t), 'a.db');
  const store = await openStore(file);
  migrateStore(store, 'test', items);
  let acknowledged = 0;
  const child = fork(join(import.meta.dirname, '../support/store-writer.js'), [file], {
    stdio: 'ignore',
  });
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
