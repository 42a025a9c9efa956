import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Name } from '../../src/base/index.js';
import type { StsEntry } from '../../src/mta-sts/index.js';
import { stsWorld } from '../support/sts-source.js';
import { stsStore } from '../../src/send/index.js';
import { openStore, type Store } from '../../src/store/index.js';

const DAY = 86_400_000;

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-policies-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'a.db');
}

function entry(domain: string, fetchedAt: number, body = ''): StsEntry {
  const policy = { id: '1', mode: 'enforce', maxAge: 604_800, mx: ['mx.example.com'] } as const;
  return { domain, policy: { ...policy, body, fetchedAt }, usedAt: fetchedAt };
}

interface CacheFault {
  begin(store: Store, other: Store): void;
  end(store: Store, other: Store): void;
  readonly code: string;
}

/** Adds pages to the database file. */
const pages = (store: Store): number =>
  store.prepare<{ page_count: number }>('PRAGMA page_count').get()?.page_count ?? 0;

const troubles: Readonly<Record<string, CacheFault>> = {
  'on a full disk': {
    begin: (store) => store.execute(`PRAGMA max_page_count = ${pages(store)}`),
    end: (store) => store.execute('PRAGMA max_page_count = 1000000'),
    code: 'store-full',
  },
  'in a read-only database': {
    begin: (store) => store.execute('PRAGMA query_only = ON'),
    end: (store) => store.execute('PRAGMA query_only = OFF'),
    code: 'store-unwritable',
  },
  'under the lock of another process': {
    begin: (_, other) => other.execute('BEGIN IMMEDIATE'),
    end: (_, other) => other.execute('COMMIT'),
    code: 'store-busy',
  },
};

for (const [where, { begin, end, code }] of Object.entries(troubles))
  test(`a policy fetched ${where} is enforced, and stored afterwards`, async (t) => {
    const path = file(t);
    const changes: string[] = [];
    const store = await openStore(path, {
      busyTimeoutMs: 0,
      waitMs: 300,
      onChange: ({ job, failure }) => void changes.push(`${job} ${failure?.code ?? 'ok'}`),
    });
    const other = await openStore(path, { busyTimeoutMs: 0 });
    t.after(() => [store, other].forEach((one) => one.close()));
    const cache = stsStore(store);
    await cache.put(entry('before.example', Date.now()));
    begin(store, other);
    const world = stsWorld({ cache });
    world.time = Date.now();
    const policy = async (): Promise<string | undefined> =>
      (await world.source.lookup(Name.of('example.com'))).policy?.mode;
    assert.equal(await policy(), 'enforce');
    world.policy = 'sts-policy-redirect';
    world.time += 2 * 3_600_000;
    assert.equal(await policy(), 'enforce', 'also when it cannot be fetched any more');
    // The table is large enough for several pages.
    for (let i = 0; i < 20; i++)
      await cache.put(entry(`big${i}.example`, Date.now(), 'x'.repeat(20_000)));
    while (changes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(changes, [`policy-cache ${code}`], 'reported once, not for each policy');
    assert.equal(cache.size, 22);
    assert.ok(cache.get('big19.example') && cache.get('before.example'));
    assert.ok(cache.due(Date.now() + 30 * DAY, 100).some((one) => one.domain === 'big7.example'));
    await cache.delete('before.example');
    end(store, other);
    await cache.put(entry('after.example', Date.now()));
    await store.settle();
    await cache.put(entry('after.example', Date.now()));
    assert.deepEqual(changes, [`policy-cache ${code}`, 'policy-cache ok']);
    const reader = stsStore(other);
    assert.equal(reader.size, 22);
    assert.equal(reader.get('example.com')?.policy?.mode, 'enforce');
    assert.equal(reader.get('before.example'), undefined);
  });

test('a damaged database: policies are fetched and enforced, with one report', async (t) => {
  const path = file(t);
  const before = await openStore(path);
  const filled = stsStore(before);
  for (let i = 0; i < 200; i++) await filled.put(entry(`d${i}.example`, Date.now()));
  before.close();
  const bytes = readFileSync(path);
  const pageSize = bytes.readUInt16BE(16);
  // The schema stays readable, and random octets replace all other pages.
  bytes.fill(0xa5, 3 * pageSize);
  writeFileSync(path, bytes);
  const store = await openStore(path, { busyTimeoutMs: 0 });
  t.after(() => store.close());
  const failures: string[] = [];
  const cache = stsStore(store, { onReadFailure: ({ message }) => void failures.push(message) });
  const world = stsWorld({ cache });
  for (const domain of ['d1.example', 'd2.example', 'd1.example']) {
    const state = await world.source.lookup(Name.of(domain));
    assert.equal(state.policy?.mode, 'enforce');
    assert.equal(cache.get(domain)?.policy?.mode, 'enforce');
  }
  assert.equal(failures.length, 1, failures.join());
});

test('the policies in memory for an unwritable database are bounded', async (t) => {
  const store = await openStore(file(t), { busyTimeoutMs: 0 });
  t.after(() => store.close());
  const cache = stsStore(store);
  store.execute('PRAGMA query_only = ON');
  const now = Date.now();
  const failure = {
    code: 'sts-policy-redirect',
    blame: 'publisher',
    temporary: false,
    detail: '',
  } as const;
  void cache.put(entry('kept.example', now));
  for (let i = 0; i < 30_000; i++)
    void cache.put({
      domain: `f${i}.example`,
      failed: { failure, lastAt: now, count: 1 },
      usedAt: now,
    });
  await store.settle();
  assert.ok(cache.size <= 10_000, `${cache.size}`);
  assert.ok(cache.get('kept.example'), 'a policy outlasts failures');
  const body = 'x'.repeat(65_536);
  for (let i = 0; i < 1000; i++) void cache.put(entry(`b${i}.example`, now - DAY, body));
  await store.settle();
  const large = Array.from({ length: 1000 }, (_, i) => cache.get(`b${i}.example`)).filter(Boolean);
  assert.ok(large.length * body.length * 2 <= 32 * 1024 * 1024, `${large.length}`);
  assert.ok(cache.get('kept.example'));
});
