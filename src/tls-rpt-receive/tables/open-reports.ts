import {
  migrateStore,
  openStore,
  type OpenStoreOptions,
  type Store,
  type TableSet,
} from '../../store/index.js';
import { reportMigrations } from './migrations.js';

/** The tables of reports. */
export const reportTables: TableSet = { job: 'report', migrations: reportMigrations };

/** Opens the database of reports, and migrates its tables. */
export async function openReports(filePath: string, options?: OpenStoreOptions): Promise<Store> {
  const stateStore = await openStore(filePath, options);
  prepareReports(stateStore);
  return stateStore;
}

/** Migrates the tables of reports in a database that other jobs use too. */
export function prepareReports(stateStore: Store): void {
  migrateStore(stateStore, reportTables.job, reportMigrations);
}
