import type { Command } from 'commander';
import { Database, migrate, openCluster, requireMigrated } from '../../scan/index.js';
import { misuse } from '../options.js';

/** The options that choose the database of scans. */
export interface ScanDatabaseFlags {
  readonly local?: string;
  readonly database?: string;
}

/** Adds the options of the database to a command, in a separate group. */
export function withScanDatabase(command: Command): Command {
  return command
    .optionsGroup('Database:')
    .option('--local <folder>', 'start a separate PostgreSQL server in this folder')
    .option('--database <url>', 'use this server: postgres://USER@HOST/NAME');
}

/** Options of {@link withDatabase}. */
export interface OpenOptions {
  /**
   * Creates the database and migrates its tables. By default, the database must exist
   * with current tables.
   */
  readonly create?: boolean;
  /** Receives temporary faults. */
  readonly onError?: (error: Error) => void;
}

/**
 * Opens the database, and closes it after the work. A local server stops when the last
 * process that uses it ends.
 */
export async function withDatabase<T>(
  flags: ScanDatabaseFlags,
  work: (database: Database) => Promise<T>,
  { create = false, onError = () => undefined }: OpenOptions = {},
): Promise<T> {
  const { local, database: url } = flags;
  if ((local === undefined) === (url === undefined))
    throw misuse(
      '--local or --database',
      'the command needs exactly one of them',
      'Use --local FOLDER on one machine, or --database postgres://USER@HOST/NAME.',
    );
  const cluster = local === undefined ? undefined : await openCluster(local, { create });
  try {
    const database = cluster
      ? await cluster.open({ onError })
      : await Database.open({ connection: url ?? '', onError });
    try {
      await (create ? migrate : requireMigrated)(database);
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    await cluster?.close();
  }
}
