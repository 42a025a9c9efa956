import { setTimeout as sleep } from 'node:timers/promises';
import { isStoreFailure, storeError } from './failures.js';
import type { Store } from './open-store.js';

/**
 * Brings one job's tables up to date: `migrations[n]` upgrades version n to n + 1, and
 * never changes after its release. Each job owns its tables and its numbers. The upgrade
 * is one transaction; tables that are up to date are only read, so that a reload needs no
 * write lock. Throws `store-newer` for a database that a newer version wrote.
 */
export function migrate(stateStore: Store, job: string, migrations: readonly string[]): void {
  if (versionOf(stateStore, job) === migrations.length) return;
  stateStore.transaction(() => upgrade(stateStore, { job, migrations }));
}

/** The tables of one job, the argument of `migrate`. */
export interface TableSet {
  readonly job: string;
  readonly migrations: readonly string[];
}

/** Milliseconds between two attempts to take the write lock. */
const PAUSE = 20;

/**
 * Brings tables up to date as `migrate` does, for a process with an event loop: it waits
 * `waitMs` for the lock of another process without blocking, then rejects with
 * `store-busy`. It does not use `Store.write`, because a configuration that failed to
 * start would leave its job degraded.
 */
export async function migrateWhenFree(
  stateStore: Store,
  { job, migrations }: TableSet,
  waitMs = 5000,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;)
    try {
      return migrate(stateStore, job, migrations);
    } catch (error) {
      if (!isStoreFailure(error, 'store-busy') || performance.now() >= deadline) throw error;
      await sleep(PAUSE);
    }
}

/** Runs the missing migrations inside the transaction of the caller. */
function upgrade(stateStore: Store, { job, migrations }: TableSet): void {
  stateStore.execute(
    'CREATE TABLE IF NOT EXISTS schema_version (job TEXT PRIMARY KEY, version INTEGER NOT NULL)',
  );
  const version = versionOf(stateStore, job) ?? 0;
  if (version > migrations.length)
    throw storeError(
      'store-newer',
      `${stateStore.file} (${job} ${version}, known ${migrations.length})`,
    );
  if (version === migrations.length) return;
  for (const migration of migrations.slice(version)) stateStore.execute(migration);
  stateStore
    .prepare(
      'INSERT INTO schema_version (job, version) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET version = excluded.version',
    )
    .run(job, migrations.length);
}

/** Undefined if the job has no tables yet. */
function versionOf(stateStore: Store, job: string): number | undefined {
  const tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
  if (!stateStore.prepare(tables).get()) return undefined;
  return stateStore
    .prepare<{ version: number }>('SELECT version FROM schema_version WHERE job = ?')
    .get(job)?.version;
}
