import assert from 'node:assert/strict';
import test from 'node:test';
import { readClientHello } from './read-client-hello.js';

test('a hello in one-octet records takes less than cubic time', () => {
  const records = Buffer.concat(
    Array.from({ length: 2000 }, (_, n) =>
      Buffer.from([22, 3, 1, 0, 1, [1, 0, 0x3f, 0xff][n] ?? 0]),
    ),
  );
  const began = process.cpuUsage();
  for (let end = 6; end <= records.length; end += 6)
    assert.equal(readClientHello(records.subarray(0, end)), 'more');
  const { user, system } = process.cpuUsage(began);
  assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms`);
});
