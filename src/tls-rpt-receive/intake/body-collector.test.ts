import assert from 'node:assert/strict';
import test from 'node:test';
import { collectGarbage } from '../../base/index.js';
import { bodyCollector } from './body-collector.js';

async function* octets(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield new Uint8Array(size).fill(n);
}

test('a body that comes octet by octet takes no more memory than another', async () => {
  const collect = bodyCollector();
  collectGarbage();
  const before = process.memoryUsage();
  const grown = await collect(octets(400_000, 1), {
    most: 1_000_000,
    use: async (body) => {
      assert.ok(
        typeof body !== 'string' && body.length === 400_000 && body[300_000] === (300_000 & 255),
      );
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external - before.heapUsed - before.external;
    },
  });
  assert.ok(grown < 30_000_000, `${grown} octets`);
});

test('large bodies are read at a bounded pace, and small ones at once', async () => {
  const collect = bodyCollector(100_000_000);
  const read = async (count: number, drain = false): Promise<number> => {
    const began = performance.now();
    await collect(octets(count, 64_000), { most: 2_000_000, drain, use: async () => undefined });
    return performance.now() - began;
  };
  const large = Promise.all([read(30), read(30), read(60, true)]);
  await read(2);
  let [small, ended] = [1, false];
  const ending = large.then((times) => ((ended = true), times));
  while (!ended) {
    await read(2);
    await new Promise((resolve) => setTimeout(resolve, 1));
    small++;
  }
  const longest = Math.max(...(await ending));
  // Reading 7.3 MB at 8 MB a second takes 0.9 seconds, or longer on a busy machine.
  assert.ok(longest > 700, `${longest} ms`);
  assert.ok(small > 5, `${small} small bodies meanwhile`);
});

test('large bodies share a bounded memory, and small ones always fit', async () => {
  const collect = bodyCollector(1_000_000);
  const read = (
    count: number,
    use: (body: Buffer | string) => Promise<unknown> = async () => undefined,
    drain = false,
  ): Promise<string> =>
    collect(octets(count, 100_000), {
      most: 5_000_000,
      drain,
      use: async (body) => (await use(body), typeof body === 'string' ? body : 'taken'),
    });
  let done: (() => void) | undefined;
  const first = read(9, () => new Promise<void>((resolve) => (done = resolve)));
  while (!done) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await Promise.all([read(8), read(8, undefined, true), read(1)]), [
    'no-room',
    'no-room',
    'taken',
  ]);
  done();
  assert.equal(await first, 'taken');
  assert.deepEqual(
    [await read(8), await read(60), await read(60, undefined, true), await read(8)],
    ['taken', 'no-room', 'no-room', 'taken'],
  );
});
