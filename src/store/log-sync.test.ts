import assert from 'node:assert/strict';
import { fdatasyncSync, readFileSync, readdirSync, statSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isHermeticError } from '../base/index.js';
import { groupCommit, type OpenStoreOptions, type Store } from './index.js';
import { openedStore, type OpenedStore } from '../../test/support/opened-store.js';
import type { LogDisk } from './log-sync.js';

const items = ['CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)'];

/** A simulated disk that confirms a sync when the test requests it. */
class SlowDisk implements LogDisk {
  readonly syncs: { confirm(): void; fail(code: string): void }[] = [];
  /** The code of the error that `syncNow` throws; undefined if `syncNow` succeeds. */
  failure: string | undefined;

  sync(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.syncs.push({ confirm: resolve, fail: (code) => reject(systemError(code)) }),
    );
  }

  syncNow(): void {
    if (this.failure !== undefined) throw systemError(this.failure);
  }

  /** Confirms every sync until the promise is settled. */
  async confirmUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    void promise.finally(() => (settled = true)).catch(() => undefined);
    while (!settled) {
      this.syncs.at(-1)?.confirm();
      await nextTurn();
    }
    return promise;
  }
}

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

const open = (t: TestContext, options?: OpenStoreOptions): Promise<OpenedStore> =>
  openedStore(t, items, options);

const put = (store: Store, id: number, octets = 0): number =>
  store.prepare('INSERT INTO item VALUES (?, ?)').run(id, Buffer.alloc(octets));

const count = (store: Store): number =>
  store.prepare<{ n: number }>('SELECT count(*) AS n FROM item').get()?.n ?? -1;

const unsynced = (error: unknown): boolean =>
  isHermeticError(error) && error.code === 'store-unsynced' && (error.fix ?? '').length > 0;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

test('no write is acknowledged before the sync that covers it', async (t) => {
  const disk = new SlowDisk();
  const { store, other } = await open(t, { logDisk: disk });
  const acknowledged: number[] = [];
  const write = (id: number): Promise<unknown> =>
    store.write('a', () => put(store, id)).then(() => acknowledged.push(id));
  const first = write(1);
  await until(() => disk.syncs.length === 1);
  assert.equal(count(other), 1, 'committed');
  const later = [write(2), write(3)];
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.deepEqual(acknowledged, []);
  disk.syncs[0]?.confirm();
  await first;
  assert.deepEqual(acknowledged, [1]);
  await until(() => disk.syncs.length === 2);
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.deepEqual(acknowledged, [1]);
  disk.syncs[1]?.confirm();
  await Promise.all(later);
  assert.equal(disk.syncs.length, 2, 'both share one sync');
});

test('the event loop runs, and reads are answered, during a sync', async (t) => {
  const disk = new SlowDisk();
  const { store } = await open(t, { logDisk: disk });
  const written = store.write('a', () => put(store, 1));
  await until(() => disk.syncs.length === 1);
  for (let i = 0; i < 100; i++) {
    await nextTurn();
    assert.equal(count(store), 1);
  }
  await disk.confirmUntil(written);
});

test('a group and a write in steps wait for their sync as well', async (t) => {
  const disk = new SlowDisk();
  const { store } = await open(t, { logDisk: disk });
  const add = groupCommit({
    store,
    job: 'a',
    write: (ids: readonly number[]) => ids.map((id) => put(store, id)),
  });
  let done = 0;
  const all = [
    add(1),
    add(2),
    store.write('b', function* () {
      yield put(store, 3);
      return put(store, 4);
    }),
  ].map((one) => one.then(() => done++));
  await until(() => disk.syncs.length === 1);
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.equal(done, 0);
  await disk.confirmUntil(Promise.all(all));
  assert.equal(count(store), 4);
});

test('settle waits for the sync', async (t) => {
  const disk = new SlowDisk();
  const { store } = await open(t, { logDisk: disk });
  const written = store.write('a', () => put(store, 1));
  await until(() => disk.syncs.length === 1);
  let settled = false;
  const settling = store.settle().then(() => (settled = true));
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.equal(settled, false);
  await disk.confirmUntil(Promise.all([written, settling]));
});

test('close syncs committed writes and acknowledges them once', async (t) => {
  const disk = new SlowDisk();
  const { store, other } = await open(t, { logDisk: disk });
  const first = store.write('a', () => put(store, 1));
  await until(() => disk.syncs.length === 1);
  const second = store.write('a', () => put(store, 2));
  store.close();
  assert.deepEqual(await Promise.all([first, second]), [1, 1]);
  disk.syncs[0]?.fail('EIO');
  await nextTurn();
  assert.equal(count(other), 2);
});

test('close rejects writes that the disk does not confirm', async (t) => {
  const disk = new SlowDisk();
  const { store } = await open(t, { logDisk: disk });
  const first = store.write('a', () => put(store, 1));
  await until(() => disk.syncs.length === 1);
  const second = store.write('a', () => put(store, 2));
  disk.failure = 'EIO';
  store.close();
  await assert.rejects(first, unsynced);
  await assert.rejects(second, unsynced);
});

for (const code of ['EIO', 'ENOSPC', 'EDQUOT'])
  test(`after a sync failure with ${code} no write is acknowledged`, async (t) => {
    const disk = new SlowDisk();
    const changes: string[] = [];
    const { store, file, other } = await open(t, {
      logDisk: disk,
      onChange: ({ job, failure }) => void changes.push(`${job} ${failure?.code ?? 'ok'}`),
    });
    await disk.confirmUntil(store.write('a', () => put(store, 1)));
    const before = store.rollbacks();
    const failed = store.write('a', () => put(store, 2));
    const waiting = store.write('b', () => put(store, 3));
    await until(() => disk.syncs.length === 2);
    disk.syncs[1]?.fail(code);
    await assert.rejects(failed, unsynced);
    await assert.rejects(waiting, unsynced);
    // A further sync would succeed, because the kernel counts the lost pages as clean.
    await assert.rejects(
      store.write('a', () => put(store, 4)),
      unsynced,
    );
    assert.throws(() => store.transaction(() => put(store, 5)), unsynced);
    assert.throws(() => put(store, 6), unsynced);
    assert.equal(disk.syncs.length, 2);
    assert.ok(store.rollbacks() > before, 'caches forget what they learnt');
    assert.ok(count(store) >= 1, 'reads go on');
    assert.deepEqual(changes, ['a store-unsynced', 'b store-unsynced']);
    assert.deepEqual(
      store.writes().map(({ job, written, failed }) => [job, written, failed]),
      [
        ['a', 1, 2],
        ['b', 0, 1],
      ],
    );
    other.close();
    const log = readFileSync(`${file}-wal`);
    store.close();
    assert.deepEqual(readFileSync(`${file}-wal`), log, 'the log is not moved into the database');
  });

test('a write outside the queue is durable when it returns', async (t) => {
  const { store } = await open(t);
  const synchronous = (): unknown =>
    store.prepare<{ synchronous: number }>('PRAGMA synchronous').get()?.synchronous;
  const full = 2;
  assert.equal(synchronous(), full);
  await store.write('a', () => put(store, 1));
  assert.equal(synchronous(), full);
  await assert.rejects(store.write('a', () => put(store, 1)));
  assert.equal(synchronous(), full);
});

/** Returns the locks of this process on a database and its shared memory. */
function locks(file: string): readonly string[] {
  const inodes = ['', '-shm'].map((suffix) => `:${statSync(`${file}${suffix}`).ino} `);
  return readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .filter((line) => line.includes(` ${process.pid} `) && inodes.some((id) => line.includes(id)))
    .map((line) => line.replace(/^\d+: /, ''))
    .sort();
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

test(
  'a thread moves a long log into the database, and the process keeps its locks',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { store, file } = await open(t, { checkpointThread: true });
    const size = (name: string): number => statSync(name).size;
    await store.write('a', () => put(store, 0));
    const held = locks(file);
    assert.ok(held.length >= 2, held.join('\n'));
    let early: number | undefined;
    for (let round = 1; round <= 4; round++) {
      const before = size(file);
      for (let i = 0; i < 20; i++) await store.write('a', () => put(store, round * 100 + i, 1e6));
      await store.settle();
      assert.ok(size(file) > before + 1e7, `${before} octets before, ${size(file)} after`);
      assert.deepEqual(locks(file), held);
      early ??= descriptors();
    }
    assert.ok(descriptors() <= (early ?? 0), 'descriptors stay level');
    assert.ok(size(`${file}-wal`) < 6e7, 'the log starts again from its beginning');
  },
);

test('the log stays while a reader needs it, and no write fails', async (t) => {
  const { store, other } = await open(t, { checkpointThread: true });
  await store.write('a', () => put(store, 0));
  other.execute('BEGIN');
  assert.equal(count(other), 1);
  for (let i = 1; i <= 40; i++) await store.write('a', () => put(store, i, 1e6));
  await store.settle();
  assert.equal(count(other), 1);
  other.execute('COMMIT');
  assert.equal(count(other), 41);
});

test('a log truncated by another program is still synced', async (t) => {
  const synced: number[] = [];
  const disk: LogDisk = {
    sync: (descriptor) => {
      synced.push(descriptor);
      return Promise.resolve(fdatasyncSync(descriptor));
    },
    syncNow: fdatasyncSync,
  };
  const { store, other } = await open(t, { logDisk: disk });
  for (let i = 0; i < 5; i++) {
    await store.write('a', () => put(store, i));
    other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  }
  assert.equal(synced.length, 5);
  assert.equal(count(other), 5);
});
