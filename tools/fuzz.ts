import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Random, type Target } from '../fuzz/random.js';

/**
 * Runs one fuzz target, or all targets, for many cases: `npm run fuzz -- dns --count
 * 1000000 --seed 7`. The same seed repeats a run.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const targets = readdirSync('fuzz')
  .filter((file) => file !== 'random.ts' && file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));
const count = Number(values.count);
const unknown = positionals.filter((name) => !targets.includes(name));
if (unknown.length > 0 || !Number.isSafeInteger(count) || count < 1) {
  console.error(`usage: npm run fuzz -- [${targets.join('|')}]... [--count N] [--seed N]`);
  process.exit(2);
}
for (const name of positionals.length > 0 ? positionals : targets) {
  const file = resolve('dist/fuzz', `${name}.js`);
  if (!existsSync(file)) throw new Error(`${file} is not built`);
  const { fuzz } = (await import(file)) as { fuzz: Target };
  const began = performance.now();
  const said = await fuzz(count, new Random(Number(values.seed)));
  console.log(
    `${name}: ${count} cases, seed ${values.seed}: ${said} (${((performance.now() - began) / 1000).toFixed(0)} s)`,
  );
}
