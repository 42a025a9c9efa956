import { storeError } from './failures.js';
import type { Store } from './open-store.js';

/**
 * Brings one job's tables up to date: `migrations[n]` leads from version n to n + 1, and
 * is never changed once released. Each job owns its tables and its numbers. All of it
 * happens or nothing; tables that are up to date are only read, so that a reload needs no
 * write lock. Throws `store-newer` for a database that a newer version wrote.
 */
export function migrate(stateStore: Store, job: string, migrations: readonly string[]): void {
  if (versionOf(stateStore, job) === migrations.length) return;
  stateStore.transaction(() => {
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
  });
}

/** Undefined where the job has no tables yet. */
function versionOf(stateStore: Store, job: string): number | undefined {
  const tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
  if (!stateStore.prepare(tables).get()) return undefined;
  return stateStore
    .prepare<{ version: number }>('SELECT version FROM schema_version WHERE job = ?')
    .get(job)?.version;
}
