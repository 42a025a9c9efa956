import assert from 'node:assert/strict';
import test from 'node:test';
import { bodyCollector } from './body-collector.js';

async function* octets(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield new Uint8Array(size).fill(n);
}

test('a body that comes octet by octet takes no more memory than another', async () => {
  const collect = bodyCollector();
  globalThis.gc?.();
  const before = process.memoryUsage();
  const grown = await collect(octets(400_000, 1), {
    most: 1_000_000,
    use: async (body) => {
      assert.ok(
        typeof body !== 'string' && body.length === 400_000 && body[300_000] === (300_000 & 255),
      );
      globalThis.gc?.();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external - before.heapUsed - before.external;
    },
  });
  assert.ok(grown < 30_000_000, `${grown} octets`);
});

test('large bodies under way hold no more than their room together; small ones always have some, and refused ones give theirs back', async () => {
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
