import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * `npm run bench -- NAME`: each benchmark prints a ratio to a limit or a peer measured in
 * the same run.
 */
const names = readdirSync('bench').flatMap((file) => /^(.+)\.bench\.ts$/.exec(file)?.[1] ?? []);
const [name, ...rest] = process.argv.slice(2);
if (!name || !names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join('|')}`);
  process.exit(2);
}
const { bench } = (await import(resolve('dist/bench', `${name}.bench.js`))) as {
  bench: (args: readonly string[]) => Promise<void>;
};
await bench(rest);
