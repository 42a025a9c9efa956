import assert from 'node:assert/strict';
import test from 'node:test';
import { lookUpBatch } from './look-up-batch.js';

const names = Array.from({ length: 1000 }, (_, index) => index);

test('a batch returns its results in order', async () => {
  const { signal } = new AbortController();
  const doubled = await lookUpBatch(names, signal, (n) => Promise.resolve(2 * n));
  assert.deepEqual(doubled.slice(0, 3), [0, 2, 4]);
  assert.equal(doubled.length, names.length);
});

test('an abort ends a batch whose lookups never end', async () => {
  const controller = new AbortController();
  let begun = 0;
  const batch = lookUpBatch(names, controller.signal, () => {
    begun++;
    return new Promise<void>(() => undefined);
  });
  controller.abort(new Error('stopped'));
  await assert.rejects(batch, /stopped/);
  assert.ok(begun < names.length, `${begun} begun`);
});

test('no lookup begins after an abort', async () => {
  const controller = new AbortController();
  let begun = 0;
  const batch = lookUpBatch(names, controller.signal, async (n) => {
    begun++;
    if (n === 20) controller.abort(new Error('stopped'));
    await Promise.resolve();
  });
  await assert.rejects(batch, /stopped/);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(begun <= 201, `${begun} begun`);
});

test('a batch rejects with the fault of a lookup', async () => {
  const { signal } = new AbortController();
  const batch = lookUpBatch(names, signal, () => Promise.reject(new Error('fault')));
  await assert.rejects(batch, /fault/);
});
