import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapConcurrent } from './map-concurrent.js';

test('at most the limit runs at once, and results keep the order of the items', async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrent([5, 4, 3, 2, 1], 2, async (item, index) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    running--;
    return item * 10 + index;
  });
  assert.deepEqual(results, [50, 41, 32, 23, 14]);
  assert.equal(most, 2);
});

test('no items give no results', async () => {
  assert.deepEqual(await mapConcurrent([], 4, () => Promise.reject(new Error('never'))), []);
});

test('the first error rejects, and later items do not start', async () => {
  const started: number[] = [];
  const run = mapConcurrent([1, 2, 3, 4, 5, 6], 2, async (item) => {
    started.push(item);
    await Promise.resolve();
    if (item === 2) throw new Error('second');
  });
  await assert.rejects(run, /second/);
  await new Promise(setImmediate);
  assert.ok(!started.includes(5), `started: ${started.join()}`);
});
