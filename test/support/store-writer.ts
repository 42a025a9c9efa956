import { migrateStore, openStore } from '../../src/store/index.js';

/**
 * Writes rows until it is killed, and reports each durable row to its parent. `create`:
 * makes the table itself.
 */
const store = await openStore(process.argv[2] ?? '');
if (process.argv[3] === 'create')
  migrateStore(store, 'test', ['CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)']);
const insert = store.prepare('INSERT INTO item (id) VALUES (?)');
for (let n = 1; ; n++) {
  store.transaction(() => insert.run(n));
  await new Promise((resolve) => process.send?.(n, resolve));
}
