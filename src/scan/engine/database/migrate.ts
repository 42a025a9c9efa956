import { loadPackage } from './load-package.js';
import type { Database } from './database.js';
import { scanError } from './failures.js';
import { scanMigrations } from './migrations.js';

/** The schema of graphile-worker's own tables. */
export const JOBS_SCHEMA = 'hermetic_jobs';

/** Key of the advisory lock that migrations hold: the octets of "hermetic". */
const LOCK = '7523099284105817443';

/**
 * Requires tables of this version, and writes nothing. Throws `scan-database-empty`,
 * `scan-database-older` or `scan-database-newer`.
 */
export async function requireMigrated(database: Database): Promise<void> {
  const [table] = await database.query<{ present: boolean }>(
    "SELECT to_regclass('hermetic_scan.migration') IS NOT NULL AS present",
  );
  const version = table?.present ? await versionOf(database) : 0;
  const detail = `schema version ${version}, newest known version ${scanMigrations.length}`;
  if (version === 0) throw scanError('scan-database-empty', 'no tables');
  if (version < scanMigrations.length) throw scanError('scan-database-older', detail);
  if (version > scanMigrations.length) throw scanError('scan-database-newer', detail);
}

/**
 * Migrates the tables to this version: `migrations[n]` converts version n to n + 1.
 * Processes that start together wait for each other. One transaction applies all
 * migrations or none.
 *
 * Throws `scan-database-newer` if a newer version wrote the tables.
 */
export async function migrate(database: Database): Promise<void> {
  const { runMigrations } = await loadPackage('graphile-worker', () => import('graphile-worker'));
  await database.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    await tx.query('CREATE SCHEMA IF NOT EXISTS hermetic_scan');
    await tx.query(
      'CREATE TABLE IF NOT EXISTS hermetic_scan.migration (number int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const version = await versionOf(tx);
    if (version > scanMigrations.length)
      throw scanError(
        'scan-database-newer',
        `schema version ${version}, newest known version ${scanMigrations.length}`,
      );
    for (const [index, statements] of scanMigrations.entries()) {
      if (index < version) continue;
      for (const statement of statements) await tx.query(statement);
      await tx.query('INSERT INTO hermetic_scan.migration (number) VALUES ($1)', [index + 1]);
    }
    // The lock also covers these statements: CREATE SCHEMA IF NOT EXISTS of two processes
    // can collide.
    await runMigrations({ pgPool: database.pool, schema: JOBS_SCHEMA });
  });
}

async function versionOf(database: Pick<Database, 'query'>): Promise<number> {
  const [row] = await database.query<{ version: number }>(
    'SELECT coalesce(max(number), 0) AS version FROM hermetic_scan.migration',
  );
  return row?.version ?? 0;
}
