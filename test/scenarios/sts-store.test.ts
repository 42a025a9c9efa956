import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { policyInForce, type StsEntry } from '../../src/mta-sts/index.js';
import { openStore, verifyStore } from '../../src/store/index.js';
import { stsStore } from '../../src/send/index.js';

const DAY = 86_400_000;

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-policies-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'a.db');
}

const entry = (
  domain: string,
  fetchedAt: number,
  mode: 'enforce' | 'testing' = 'enforce',
  maxAge = 604_800,
): StsEntry => ({
  domain,
  policy: {
    id: '1',
    mode,
    maxAge,
    mx: ['mx.example.com', '*.example.net'],
    body: `mode: ${mode}`,
    fetchedAt,
  },
  usedAt: fetchedAt,
});

test('an entry survives storing, with a failure and without a policy too', async () => {
  const cache = stsStore(await openStore(':memory:'));
  const failure = {
    code: 'sts-policy-redirect',
    blame: 'publisher',
    temporary: false,
    detail: 'status 301',
  } as const;
  const entries: StsEntry[] = [
    entry('a.example', Date.now()),
    {
      ...entry('b.example', Date.now()),
      failed: { id: '2', failure, lastAt: Date.now(), count: 3 },
    },
    { domain: 'c.example', failed: { failure, lastAt: Date.now(), count: 1 }, usedAt: Date.now() },
  ];
  for (const one of entries) {
    void cache.put(one);
    assert.deepEqual(cache.get(one.domain), one);
  }
  assert.deepEqual([cache.size, cache.get('d.example')], [3, undefined]);
  void cache.delete('b.example');
  assert.equal(cache.size, 2);
});

test('a cache killed at any moment reopens without loss', { timeout: 240_000 }, async (t) => {
  const where = file(t);
  let stored = 0;
  for (let round = 1; round <= 5; round++) {
    const child = fork(join(import.meta.dirname, '../support/policy-writer.js'), [where]);
    let acknowledged = 0;
    await new Promise<void>((resolve) => {
      child.on('message', (n) => {
        acknowledged = n as number;
        if (acknowledged >= 7 * round) child.kill('SIGKILL');
      });
      child.on('exit', () => resolve());
    });
    stored = Math.max(stored, acknowledged);
    const store = await openStore(where);
    assert.deepEqual(verifyStore(store), []);
    const cache = stsStore(store);
    for (let n = 1; n <= stored; n++)
      assert.equal(policyInForce(cache.get(`d${n}.example`), Date.now())?.mode, 'enforce', `d${n}`);
    assert.equal(policyInForce(cache.get('always.example'), Date.now())?.mode, 'enforce');
    store.close();
  }
  assert.ok(stored >= 35);
});

test('a clock years ahead or behind at the start weakens no policy', async (t) => {
  const where = file(t);
  const real = Date.now();
  const open = async (now: number): Promise<{ mode: string | undefined; close(): void }> => {
    const store = await openStore(where);
    const cache = stsStore(store, { now: () => now });
    return { mode: policyInForce(cache.get('a.example'), now)?.mode, close: () => store.close() };
  };
  const first = await openStore(where);
  void stsStore(first).put(entry('a.example', real - DAY));
  first.close();
  for (const clock of [real + 3650 * DAY, real - 3650 * DAY, real]) {
    const opened = await open(clock);
    assert.equal(opened.mode, 'enforce', new Date(clock).toISOString());
    opened.close();
  }
});

test('a full cache drops failures first, then testing, and keeps enforced policies', async () => {
  const now = Date.now();
  const cache = stsStore(await openStore(':memory:'), { limit: 100, now: () => now });
  const put = async (one: StsEntry): Promise<void> => cache.put(one);
  for (let i = 0; i < 40; i++) await put(entry(`enforced${i}.example`, now - DAY));
  for (let i = 0; i < 40; i++) await put(entry(`testing${i}.example`, now));
  const failure = {
    code: 'sts-policy-redirect',
    blame: 'publisher',
    temporary: false,
    detail: '',
  } as const;
  for (let i = 0; i < 300; i++)
    await put({ domain: `f${i}.example`, failed: { failure, lastAt: now, count: 1 }, usedAt: now });
  assert.ok(cache.size <= 101, `${cache.size}`);
  for (let i = 0; i < 40; i++) assert.ok(cache.get(`enforced${i}.example`));
  for (let i = 0; i < 200; i++) await put(entry(`more${i}.example`, now));
  assert.ok(cache.size <= 101);
  assert.equal(cache.get('testing1.example'), undefined);
});

test('due policies are listed, the most urgent first', async () => {
  const now = Date.now();
  const cache = stsStore(await openStore(':memory:'), { now: () => now });
  void cache.put(entry('new.example', now));
  void cache.put(entry('old.example', now - 2 * DAY));
  void cache.put(entry('older.example', now - 3 * DAY));
  assert.deepEqual(
    cache.due(now, 10).map((e) => e.domain),
    ['older.example', 'old.example'],
  );
  assert.equal(cache.due(now, 1).length, 1);
});
