import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isStoreFailure, storeError } from './failures.js';
import { connectToRead, openStore, type Store } from './open-store.js';

export interface OpenToReadOptions {
  /** Upgrades the tables that will be read, as `migrate` does. */
  prepare(stateStore: Store): void;
  /**
   * True to reject a database that does not exist. If false, a missing database counts as
   * empty.
   */
  readonly mustExist?: boolean;
}

/**
 * Opens a database for reading only: the call creates, changes and removes no file next
 * to it. The call therefore works without write permission, whether or not a daemon is
 * running. Writes of the caller are refused, or lost at `close`.
 *
 * A closed database has no log and is opened as immutable: SQLite would otherwise create
 * a log and an index next to it. A database with log and index is in use, and is opened
 * normally. If neither is possible (the log of a crashed process, tables of an older
 * version), the database is copied and the copy is upgraded.
 */
export async function openStoreToRead(
  filePath: string,
  { prepare, mustExist = false }: OpenToReadOptions,
): Promise<Store> {
  if (filePath === ':memory:' || !existsSync(filePath)) {
    if (mustExist && filePath !== ':memory:') throw storeError('store-absent', filePath);
    return prepared(await openStore(':memory:'), prepare);
  }
  const target = realpathSync(filePath);
  const address = addressToRead(target);
  if (address !== undefined) {
    try {
      return prepared(await connectToRead(filePath, address), prepare);
    } catch (error) {
      // A read-only connection can neither upgrade tables of an older version nor read a
      // log without its index.
      if (!isStoreFailure(error, 'store-unwritable')) throw error;
    }
  }
  return copyToRead(target, prepare);
}

function prepared(stateStore: Store, prepare: (store: Store) => void): Store {
  try {
    prepare(stateStore);
    return stateStore;
  } catch (error) {
    stateStore.close();
    throw error;
  }
}

/**
 * Returns the address at which to open the database for reading; undefined if the log
 * must be replayed first.
 */
function addressToRead(filePath: string): string | undefined {
  const log = statSync(`${filePath}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (log === 0 && !existsSync(`${filePath}-shm`))
    return `${pathToFileURL(filePath).href}?immutable=1`;
  return existsSync(`${filePath}-shm`) ? filePath : undefined;
}

async function copyToRead(filePath: string, prepare: (stateStore: Store) => void): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-read-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const suffix of ['', '-wal'])
      if (existsSync(`${filePath}${suffix}`))
        copyFileSync(`${filePath}${suffix}`, join(folder, `copy.db${suffix}`));
    const stateStore = prepared(await openStore(join(folder, 'copy.db')), prepare);
    const close = (): void => {
      stateStore.close();
      remove();
    };
    return { ...stateStore, file: filePath, close };
  } catch (error) {
    remove();
    throw error;
  }
}
