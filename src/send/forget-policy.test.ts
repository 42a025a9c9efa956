import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { StsEntry } from '../mta-sts/index.js';
import { openStore } from '../store/index.js';
import { forgetPolicy, forgottenRevision, stsStore } from './index.js';

const entry = (domain: string, fetchedAt: number, id = '1'): StsEntry => ({
  domain,
  policy: { id, mode: 'enforce', maxAge: 604_800, mx: ['mx.one.example'], body: '', fetchedAt },
  usedAt: fetchedAt,
});

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-forget-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'a.db');
}

test('a forgotten policy does not count in another process, even after a save', async (t) => {
  const path = file(t);
  const [daemon, command] = [await openStore(path), await openStore(path)];
  t.after(() => [daemon, command].forEach((store) => store.close()));
  const cache = stsStore(daemon);
  const at = Date.now();
  await cache.put(entry('one.example', at));
  await cache.put(entry('two.example', at));
  const before = forgottenRevision(daemon);
  assert.equal(forgetPolicy(command, 'one.example')?.id, '1');
  assert.notEqual(forgottenRevision(daemon), before);
  assert.equal(cache.get('one.example'), undefined);
  // After the removal, a delivery that was in progress records the use of the policy.
  await cache.put({ ...entry('one.example', at), usedAt: at + 5 });
  assert.equal(cache.get('one.example'), undefined);
  assert.equal(cache.get('two.example')?.policy?.id, '1');
  await cache.put(entry('one.example', at + 10, '2'));
  assert.equal(cache.get('one.example')?.policy?.id, '2');
});

test('a policy is forgotten even when the clocks of two processes differ', async (t) => {
  const path = file(t);
  const [daemon, command] = [await openStore(path), await openStore(path)];
  t.after(() => [daemon, command].forEach((store) => store.close()));
  const cache = stsStore(daemon, { now: () => 5_000_000 });
  await cache.put(entry('one.example', 5_000_000));
  forgetPolicy(command, 'one.example');
  assert.equal(cache.get('one.example'), undefined);
  await cache.put(entry('one.example', 5_000_001));
  assert.ok(cache.get('one.example'));
});

const HOUR = 3_600_000;

// The policy was fetched and removed while the clock was ahead. The clock was corrected
// afterwards.
for (const [ahead, hours] of [
  ['an hour', 1],
  ['a month', 720],
  ['thirty years', 262_800],
] as const)
  test(`a policy forgotten while the clock was ${ahead} ahead does not stop later ones`, async (t) => {
    const path = file(t);
    const now = Date.now();
    const wrong = await openStore(path);
    await stsStore(wrong, { now: () => now + hours * HOUR }).put(
      entry('one.example', now + hours * HOUR),
    );
    forgetPolicy(wrong, 'one.example');
    wrong.close();
    const store = await openStore(path);
    t.after(() => store.close());
    let time = now;
    const cache = stsStore(store, { now: () => time });
    await cache.put({ ...entry('one.example', now + hours * HOUR), usedAt: now });
    assert.equal(cache.get('one.example')?.policy, undefined);
    time += 1;
    await cache.put(entry('one.example', time, '2'));
    assert.equal(cache.get('one.example')?.policy?.id, '2');
  });

test('forgetting an uncached policy changes nothing and is reported', async (t) => {
  const store = await openStore(file(t));
  t.after(() => store.close());
  const cache = stsStore(store);
  const before = forgottenRevision(store);
  assert.equal(forgetPolicy(store, 'one.example'), undefined);
  assert.notEqual(forgottenRevision(store), before);
  await cache.put(entry('one.example', Date.now()));
  assert.ok(cache.get('one.example'));
});
