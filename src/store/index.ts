/**
 * Stores the persistent data in one SQLite file, in which every job owns its tables. A
 * committed transaction survives a crash and a power cut.
 *
 * A process with an event loop writes only through `Store.write`: a queue in which jobs
 * take turns, and which waits for the lock of another process without blocking the event
 * loop. Reads never wait, since the log (WAL) leaves the last commit readable. A queued
 * write is synced to the disk outside the event loop before its promise resolves
 * (`log-sync.ts`); every other write is durable when the call returns. Only SQLite may
 * open and close the database file in a running process; `private-file.ts` explains why.
 *
 * SQL stays within the subset that PostgreSQL also understands: `ON CONFLICT`,
 * `RETURNING`, window functions; times as integers, JSON as text.
 *
 * @example
 * ```ts
 * const store = await openStore(':memory:');
 * migrate(store, 'send', [
 *   'CREATE TABLE send_policy (domain TEXT PRIMARY KEY, body TEXT NOT NULL)',
 * ]);
 * store.transaction(() =>
 *   store
 *     .prepare('INSERT INTO send_policy (domain, body) VALUES (?, ?)')
 *     .run('example.com', 'version: STSv1'),
 * );
 * console.log(
 *   store
 *     .prepare<{ body: string }>('SELECT body FROM send_policy WHERE domain = ?')
 *     .get('example.com')?.body,
 * ); // version: STSv1
 * store.close();
 * ```
 */
export { openStore, type OpenStoreOptions, type Store } from './open-store.js';
export type { Statement } from './prepared-statement.js';
export type { JobWrites, Work } from './write-queue.js';
export type { ExposedFile } from './private-file.js';
export type { Value } from './driver.js';
export { migrateStore, migrateWhenFree, type TableSet } from './migrate.js';
export { groupCommit, type GroupCommitOptions } from './group-commit.js';
export { backUpStore, checkBackup } from './back-up-store.js';
export { findDamage, verifyStore } from './back-up-store.js';
export { isStoreFailure, storeError, storeFailures } from './failures.js';
export { openStoreToRead, type OpenToReadOptions } from './open-to-read.js';
