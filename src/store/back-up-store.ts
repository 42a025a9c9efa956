import { writeFileSync } from 'node:fs';
import { neutralise } from '../base/index.js';
import { storeError } from './failures.js';
import { openStoreToRead } from './open-to-read.js';
import type { Store } from './open-store.js';

/**
 * Writes a consistent copy of the database to a new file, while other processes write.
 * SQLite's `VACUUM INTO` reads within one transaction. Its backup API would start again
 * after each write of another process, and might never end. Only SQLite opens the
 * database file.
 */
export async function backUpStore(file: string, copy: string): Promise<void> {
  const store = await openStoreToRead(file, { prepare: () => undefined, mustExist: true });
  try {
    // SQLite accepts an empty file, and keeps its mode: only their owner may read
    // reports.
    writeFileSync(copy, '', { mode: 0o600, flag: 'wx' });
    store.prepare('VACUUM INTO ?').run(copy);
  } finally {
    store.close();
  }
  await checkBackup(copy);
}

/**
 * Throws HermeticError `store-corrupt` unless the file is an undamaged database of this
 * program.
 */
export async function checkBackup(file: string): Promise<void> {
  const store = await openStoreToRead(file, { prepare: () => undefined, mustExist: true });
  try {
    const [damage] = verifyStore(store);
    if (damage !== undefined) throw storeError('store-corrupt', `${file}: ${damage}`);
    const known = store.prepare("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").get();
    if (known === undefined)
      throw storeError('store-corrupt', `${file}: not a database of hermetic`);
  } finally {
    store.close();
  }
}

/**
 * Returns the first damage of the tables: reads the whole file, without its indexes.
 * Undefined when the tables are intact.
 */
export function findDamage(stateStore: Store): string | undefined {
  try {
    const row = stateStore.prepare<{ quick_check: string }>('PRAGMA quick_check(1)').get();
    return row?.quick_check === 'ok' ? undefined : oneLine(row?.quick_check ?? 'unreadable');
  } catch (error) {
    return oneLine((error as Error).message);
  }
}

/** SQLite describes damage in several lines. */
function oneLine(text: string): string {
  return neutralise(text.replace(/\s+/g, ' '), 200);
}

/**
 * Reads the whole file and compares tables with indexes. Empty when the file is intact,
 * else its damage.
 */
export function verifyStore(stateStore: Store): readonly string[] {
  const rows = stateStore.prepare<{ integrity_check: string }>('PRAGMA integrity_check').all();
  return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
}
