import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { Random, type Target } from '../fuzz/random.js';

/**
 * Short runs; `npm run fuzz -- NAME --count N` is the long run. The seed changes daily,
 * so that short runs on many days cover many seeds.
 */
const cases: Readonly<Record<string, number>> = {
  dns: 3_000,
  tls: 20_000,
  x509: 2_000,
  socketmap: 10_000,
};
const seed = Math.floor(Date.now() / 86_400_000);

test('every fuzz target has its short run', () => {
  const targets = readdirSync('fuzz').filter((f) => f !== 'random.ts');
  assert.deepEqual(targets.map((f) => f.replace('.ts', '')).sort(), Object.keys(cases).sort());
});

for (const [name, count] of Object.entries(cases))
  test(`fuzz ${name}: ${count} cases with seed ${seed}`, { timeout: 240_000 }, async () => {
    const { fuzz } = (await import(`../fuzz/${name}.js`)) as { fuzz: Target };
    assert.match(await fuzz(count, new Random(seed)), /\d/);
  });
