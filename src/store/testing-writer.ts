import { openStore } from './index.js';

/** Writes rows until it is killed, and tells its parent of each that is durable. */
const store = await openStore(process.argv[2] ?? '');
const insert = store.prepare('INSERT INTO item (id) VALUES (?)');
for (let n = 1; ; n++) {
  store.transaction(() => insert.run(n));
  await new Promise((resolve) => process.send?.(n, resolve));
}
