/**
 * What must outlive the process: one SQLite file, in which every job owns its own tables. What a transaction wrote survives a crash and a power cut.
 * SQL is kept to what PostgreSQL also understands: `ON CONFLICT`, `RETURNING`, window functions; times as integers, JSON as text.
 *
 * @example
 * const store = await openStore(':memory:');
 * migrate(store, 'send', ['CREATE TABLE send_policy (domain TEXT PRIMARY KEY, body TEXT NOT NULL)']);
 * store.transaction(() => store.prepare('INSERT INTO send_policy (domain, body) VALUES (?, ?)').run('example.com', 'version: STSv1'));
 * console.log(store.prepare<{ body: string }>('SELECT body FROM send_policy WHERE domain = ?').get('example.com')?.body); // version: STSv1
 * store.close();
 */
export { openStore, type OpenStoreOptions, type Statement, type Store } from './open-store.js';
export type { Value } from './driver.js';
export { migrate } from './migrate.js';
export { groupCommit } from './group-commit.js';
export { verifyStore } from './verify-store.js';
export { storeFailures } from './failures.js';
