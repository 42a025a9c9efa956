import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { isHermeticError } from '../base/index.js';
import { groupCommit, type JobWrites, type OpenStoreOptions, type Store } from './index.js';
import { openedStore, type OpenedStore } from '../../test/support/opened-store.js';

const items = ['CREATE TABLE item (id INTEGER PRIMARY KEY, job TEXT)'];

const open = (t: TestContext, options?: OpenStoreOptions): Promise<OpenedStore> =>
  openedStore(t, items, options);

const rows = (store: Store): readonly number[] =>
  store
    .prepare<{ id: number }>('SELECT id FROM item ORDER BY id')
    .all()
    .map(({ id }) => id);

const put = (store: Store, id: number, job = ''): number =>
  store.prepare('INSERT INTO item VALUES (?, ?)').run(id, job);

const busy = (error: unknown): boolean => isHermeticError(error) && error.code === 'store-busy';

test('a write waits for a foreign lock while the event loop runs', async (t) => {
  const { store, other } = await open(t, { waitMs: 60_000 });
  other.execute('BEGIN IMMEDIATE');
  const written = store.write('a', () => put(store, 1));
  let turns = 0;
  let longest = 0;
  for (let before = performance.now(); turns < 100; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    longest = Math.max(longest, performance.now() - before);
    before = performance.now();
    assert.deepEqual(rows(store), [], 'reads do not wait');
  }
  // A write that blocks the event loop would block it for 60 s; otherwise even a busy
  // machine is faster.
  assert.ok(longest < 10_000, `${longest} ms`);
  other.execute('COMMIT');
  assert.equal(await written, 1);
  assert.deepEqual(rows(other), [1]);
});

test('a lasting lock: every pending write fails with store-busy, later ones succeed', async (t) => {
  const changes: string[] = [];
  const onChange = ({ job, failure }: JobWrites): void =>
    void changes.push(`${job} ${failure?.code ?? 'ok'}`);
  const { store, other } = await open(t, { waitMs: 50, onChange });
  other.execute('BEGIN IMMEDIATE');
  const all = await Promise.allSettled(
    ['a', 'a', 'b'].map((job, i) => store.write(job, () => put(store, i))),
  );
  assert.ok(all.every((one) => one.status === 'rejected' && busy(one.reason)));
  other.execute('COMMIT');
  await store.write('a', () => put(store, 9));
  assert.deepEqual(rows(store), [9]);
  assert.deepEqual(changes, ['a store-busy', 'b store-busy', 'a ok'], 'each change once');
  assert.deepEqual(
    store.writes().map(({ job, written, failed }) => [job, written, failed]),
    [
      ['b', 0, 1],
      ['a', 1, 2],
    ],
  );
});

test('jobs take turns: one with many writes does not delay another', async (t) => {
  const { store } = await open(t);
  const order: string[] = [];
  const write = (job: string, id: number): Promise<unknown> =>
    store.write(job, () => {
      order.push(job);
      return put(store, id, job);
    });
  await Promise.all([
    ...Array.from({ length: 100 }, (_, i) => write('many', i)),
    write('few', 1000),
    write('other', 1001),
  ]);
  assert.ok(order.indexOf('few') <= 2 && order.indexOf('other') <= 3, order.slice(0, 5).join());
});

test('a write that throws is rolled back alone; other writes are durable', async (t) => {
  const { store, other } = await open(t);
  const good = store.write('a', () => put(store, 1));
  const broken = store.write('b', () => {
    put(store, 2);
    put(store, 2);
  });
  const late = store.write('a', () => put(store, 3));
  await assert.rejects(broken);
  await Promise.all([good, late]);
  assert.deepEqual(rows(other), [1, 3]);
});

test('a long write in steps is whole or absent, and the event loop runs between', async (t) => {
  const { store, other } = await open(t);
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  const long = store.write('a', function* () {
    for (let id = 0; id < 40; id++) {
      const until = performance.now() + 3;
      while (performance.now() < until);
      put(store, id);
      yield;
      if (id === 20) {
        assert.deepEqual(rows(other), [], 'nothing is visible before the end');
        assert.throws(() => other.transaction(() => undefined), busy);
      }
    }
    return 'done';
  });
  const between = store.write('b', () => put(store, 100));
  assert.equal(await long, 'done');
  clearInterval(counting);
  assert.ok(turns >= 3, `${turns} turns`);
  await between;
  assert.equal(rows(other).length, 41);
});

test('a failed long write leaves no rows', async (t) => {
  const { store, other } = await open(t);
  const failing = store.write('a', function* () {
    for (let id = 0; id < 10; id++) {
      const until = performance.now() + 5;
      while (performance.now() < until);
      put(store, id);
      yield;
    }
    throw new Error('no');
  });
  await assert.rejects(failing, /no/);
  await store.write('a', () => put(store, 50));
  assert.deepEqual(rows(other), [50]);
});

test('code outside the queue cannot write into a long write', async (t) => {
  const { store } = await open(t);
  const seen: unknown[] = [];
  const long = store.write('a', function* () {
    for (let id = 0; id < 20; id++) {
      const until = performance.now() + 5;
      while (performance.now() < until);
      put(store, id);
      yield;
    }
  });
  const outside = setInterval(() => {
    try {
      put(store, 1000);
    } catch (error) {
      seen.push(error);
    }
  }, 1);
  await long;
  clearInterval(outside);
  assert.ok(seen.some(busy), seen.join());
});

test('a group is written together and collects writes again during a lock', async (t) => {
  const { store, other } = await open(t, { waitMs: 60_000 });
  const sizes: number[] = [];
  const write = groupCommit({
    store,
    job: 'a',
    write: (ids: readonly number[]) => {
      sizes.push(ids.length);
      return ids.map((id) => put(store, id));
    },
    maxItems: 100,
  });
  other.execute('BEGIN IMMEDIATE');
  const first = Array.from({ length: 60 }, (_, i) => write(i));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const second = Array.from({ length: 60 }, (_, i) => write(100 + i));
  other.execute('COMMIT');
  assert.deepEqual(new Set(await Promise.all([...first, ...second])), new Set([1]));
  assert.deepEqual(sizes, [100, 20]);
});

test('a group fails at its timeout, and the next one is written', async (t) => {
  const { store, other } = await open(t, { waitMs: 30 });
  const write = groupCommit({
    store,
    job: 'a',
    write: (ids: readonly number[]) => ids.map((id) => put(store, id)),
  });
  other.execute('BEGIN IMMEDIATE');
  const failed = await Promise.allSettled([write(1), write(2)]);
  assert.ok(failed.every((one) => one.status === 'rejected' && busy(one.reason)));
  other.execute('COMMIT');
  assert.equal(await write(3), 1);
  assert.deepEqual(rows(store), [3]);
});

test('a write into a file that was moved away is not acknowledged', async (t) => {
  const { file, store, other } = await open(t);
  await store.write('a', () => put(store, 1));
  for (const name of [file, `${file}-wal`]) {
    renameSync(name, `${name}.gone`);
    assert.equal(store.inPlace(), false);
    await assert.rejects(
      store.write('a', () => put(store, Math.floor(Math.random() * 1e6))),
      (error) => isHermeticError(error) && error.code === 'store-replaced',
    );
    renameSync(`${name}.gone`, name);
    await store.write('a', () => put(store, Math.floor(Math.random() * 1e6)));
  }
  assert.ok(other.inPlace());
});

test('close completes pending writes', async (t) => {
  const { store, other } = await open(t);
  const waiting = [1, 2, 3].map((id) => store.write('a', () => put(store, id)));
  store.close();
  await Promise.all(waiting);
  assert.deepEqual(rows(other), [1, 2, 3]);
});
