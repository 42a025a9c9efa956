import {
  migrateStore,
  openStore,
  type OpenStoreOptions,
  type Store,
  type TableSet,
} from '../../store/index.js';
import { reportMigrations } from './migrations.js';

/** The set of tables in which reports are stored. */
export const reportTables: TableSet = { job: 'report', migrations: reportMigrations };

/** Opens the database of reports, and migrates its tables. */
export async function openReports(filePath: string, options?: OpenStoreOptions): Promise<Store> {
  const stateStore = await openStore(filePath, options);
  prepareReports(stateStore);
  return stateStore;
}

/** Migrates the tables of reports in an open database, which other jobs may use too. */
export function prepareReports(stateStore: Store): void {
  migrateStore(stateStore, reportTables.job, reportMigrations);
}
