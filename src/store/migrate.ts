import { storeError } from './failures.js';
import type { Store } from './open-store.js';

/**
 * Brings one job's tables up to date: `migrations[n]` leads from version n to n + 1, and
 * is never changed once released. Each job owns its tables and its numbers. All of it
 * happens or nothing; tables that are up to date are only read, so that a reload needs no
 * write lock. Throws `store-newer` for a database that a newer version wrote.
 */
export function migrate(store: Store, job: string, migrations: readonly string[]): void {
  if (versionOf(store, job) === migrations.length) return;
  store.transaction(() => {
    store.execute(
      'CREATE TABLE IF NOT EXISTS schema_version (job TEXT PRIMARY KEY, version INTEGER NOT NULL)',
    );
    const version = versionOf(store, job) ?? 0;
    if (version > migrations.length)
      throw storeError(
        'store-newer',
        `${store.file} (${job} ${version}, known ${migrations.length})`,
      );
    if (version === migrations.length) return;
    for (const migration of migrations.slice(version)) store.execute(migration);
    store
      .prepare(
        'INSERT INTO schema_version (job, version) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET version = excluded.version',
      )
      .run(job, migrations.length);
  });
}

/** Undefined where the job has no tables yet. */
function versionOf(store: Store, job: string): number | undefined {
  const tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
  if (!store.prepare(tables).get()) return undefined;
  return store
    .prepare<{ version: number }>('SELECT version FROM schema_version WHERE job = ?')
    .get(job)?.version;
}
