import { setTimeout as sleep } from 'node:timers/promises';
import { isStoreFailure, storeError } from './failures.js';
import type { Store } from './open-store.js';

/**
 * Upgrades the tables of one job to the current version. `migrations[n]` upgrades version
 * n to n + 1, and never changes after its release. Each job has its own tables and
 * version numbers. The upgrade is one transaction. If the tables are current, the
 * function only reads, so a reload needs no write lock. Throws `store-newer` for a
 * database that a newer version wrote.
 */
export function migrateStore(stateStore: Store, job: string, migrations: readonly string[]): void {
  if (versionOf(stateStore, job) === migrations.length) return;
  stateStore.transaction(() => upgrade(stateStore, { job, migrations }));
}

/** A job and its migrations. */
export interface TableSet {
  readonly job: string;
  readonly migrations: readonly string[];
}

/** Milliseconds between two attempts to take the write lock. */
const PAUSE = 20;

/**
 * Upgrades tables as `migrate` does, in a process with an event loop. The call waits up
 * to `waitMs` for the lock of another process without blocking, then rejects with
 * `store-busy`. The call does not use `Store.write`, which would mark the job as degraded
 * although only a new configuration failed to start.
 */
export async function migrateWhenFree(
  stateStore: Store,
  { job, migrations }: TableSet,
  waitMs = 5000,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;)
    try {
      return migrateStore(stateStore, job, migrations);
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
      `${stateStore.file} (${job}: schema version ${version}, newest known version ${migrations.length})`,
    );
  if (version === migrations.length) return;
  for (const migration of migrations.slice(version)) stateStore.execute(migration);
  stateStore
    .prepare(
      'INSERT INTO schema_version (job, version) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET version = excluded.version',
    )
    .run(job, migrations.length);
}

/** Returns the version of a job's tables; undefined if the job has no tables yet. */
function versionOf(stateStore: Store, job: string): number | undefined {
  const tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
  if (!stateStore.prepare(tables).get()) return undefined;
  return stateStore
    .prepare<{ version: number }>('SELECT version FROM schema_version WHERE job = ?')
    .get(job)?.version;
}
