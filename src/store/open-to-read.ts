import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isStoreFailure, storeError } from './failures.js';
import { connectToRead, openStore, type Store } from './open-store.js';

export interface OpenToReadOptions {
  /** Brings the tables up to date that will be read, as `migrate` does. */
  prepare(store: Store): void;
  /** A database that does not exist is an error; otherwise it reads as an empty one. */
  readonly mustExist?: boolean;
}

/**
 * Opens a database to look at it: no file beside it is made, changed or removed, so a
 * user without write permission can do it, beside a daemon or after it has stopped. What
 * the caller writes is refused, or lost at `close`.
 *
 * A closed database has no log and is opened as immutable: SQLite would otherwise create
 * a log and an index beside it. One with log and index is in use, and is opened as it is.
 * What neither serves (the log of a crash, tables of an older version) is copied and
 * brought up to date there.
 */
export async function openStoreToRead(
  file: string,
  { prepare, mustExist = false }: OpenToReadOptions,
): Promise<Store> {
  if (file === ':memory:' || !existsSync(file)) {
    if (mustExist && file !== ':memory:') throw storeError('store-absent', file);
    return prepared(await openStore(':memory:'), prepare);
  }
  const target = realpathSync(file);
  const address = addressToRead(target);
  if (address !== undefined) {
    try {
      return prepared(await connectToRead(file, address), prepare);
    } catch (error) {
      // Tables of an older version cannot be brought up to date here, nor a log without
      // its index.
      if (!isStoreFailure(error, 'store-unwritable')) throw error;
    }
  }
  return copyToRead(target, prepare);
}

function prepared(store: Store, prepare: (store: Store) => void): Store {
  try {
    prepare(store);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Undefined where the log needs to be played back first. */
function addressToRead(file: string): string | undefined {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (log === 0 && !existsSync(`${file}-shm`)) return `${pathToFileURL(file).href}?immutable=1`;
  return existsSync(`${file}-shm`) ? file : undefined;
}

async function copyToRead(file: string, prepare: (store: Store) => void): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-read-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const suffix of ['', '-wal'])
      if (existsSync(`${file}${suffix}`))
        copyFileSync(`${file}${suffix}`, join(folder, `copy.db${suffix}`));
    const store = prepared(await openStore(join(folder, 'copy.db')), prepare);
    const close = (): void => {
      store.close();
      remove();
    };
    return { ...store, file, close };
  } catch (error) {
    remove();
    throw error;
  }
}
