import assert from 'node:assert/strict';
import test from 'node:test';
import { TaskLimit } from './task-limit.js';

test('tasks beyond the limit wait in order, also after a failed one', async () => {
  const limit = new TaskLimit(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const run = (n: number): Promise<number> =>
    limit.run(async () => {
      started.push(n);
      await new Promise<void>((resolve) => (ends[n] = resolve));
      if (n === 0) throw new Error('failed');
      return n;
    });
  const all = Promise.allSettled([0, 1, 2, 3].map(run));
  assert.deepEqual(started, [0, 1]);
  for (const [n, expected] of [
    [0, [0, 1, 2]],
    [2, [0, 1, 2, 3]],
  ] as const) {
    ends[n]?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(started, expected);
  }
  ends[1]?.();
  ends[3]?.();
  assert.deepEqual(
    (await all).map((one) => (one.status === 'fulfilled' ? one.value : 'failed')),
    ['failed', 1, 2, 3],
  );
});
