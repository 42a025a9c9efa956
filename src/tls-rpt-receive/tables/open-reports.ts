import { migrate, openStore, type OpenStoreOptions, type Store } from '../../store/index.js';
import { migrations } from './migrations.js';

/** Opens the database of reports, and brings its tables up to date. */
export async function openReports(file: string, options?: OpenStoreOptions): Promise<Store> {
  const store = await openStore(file, options);
  prepareReports(store);
  return store;
}

/** Brings the tables of reports up to date in a database that other jobs use too. */
export function prepareReports(store: Store): void {
  migrate(store, 'report', migrations);
}
