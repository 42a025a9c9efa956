import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  migrateStore,
  openStore,
  type OpenStoreOptions,
  type Store,
} from '../../src/store/index.js';

/** A database in a separate folder, and a second connection to it. */
export interface OpenedStore {
  readonly file: string;
  readonly store: Store;
  /** The other connection: it can take the write lock or read committed data. */
  readonly other: Store;
}

/** Opens a new database with the given table, and removes it after the test. */
export async function openedStore(
  t: TestContext,
  tables: readonly string[],
  options: OpenStoreOptions = {},
): Promise<OpenedStore> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-store-'));
  const file = join(folder, 'a.db');
  const store = await openStore(file, { busyTimeoutMs: 0, ...options });
  migrateStore(store, 'test', tables);
  const other = await openStore(file, { busyTimeoutMs: 0 });
  t.after(() => {
    store.close();
    other.close();
    rmSync(folder, { recursive: true });
  });
  return { file, store, other };
}
