import { writeFileSync } from 'node:fs';
import { neutralise } from '../base/index.js';
import { storeError } from './failures.js';
import { openStoreToRead } from './open-to-read.js';
import type { Store } from './open-store.js';

/**
 * Writes a consistent copy of the database to a new file, while other processes may write
 * to the database. SQLite's `VACUUM INTO` reads within one transaction. SQLite's backup
 * API would restart after each write of another process, and might never end. Only SQLite
 * opens the database file.
 */
export async function backUpStore(file: string, copy: string): Promise<void> {
  const store = await openStoreToRead(file, { prepare: () => undefined, mustExist: true });
  try {
    // The empty file has mode 0600, which SQLite does not change, so that only the owner
    // can read the reports.
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
 * Reads all tables, without their indexes, and returns the first damage; undefined if the
 * tables are intact.
 */
export function findDamage(stateStore: Store): string | undefined {
  try {
    const row = stateStore.prepare<{ quick_check: string }>('PRAGMA quick_check(1)').get();
    return row?.quick_check === 'ok' ? undefined : oneLine(row?.quick_check ?? 'unreadable');
  } catch (error) {
    return oneLine((error as Error).message);
  }
}

/** Returns SQLite's description of damage, which may have several lines, as one line. */
function oneLine(text: string): string {
  return neutralise(text.replace(/\s+/g, ' '), 200);
}

/**
 * Reads the whole file, compares tables with indexes, and returns the damage. The list is
 * empty if the file is intact.
 */
export function verifyStore(stateStore: Store): readonly string[] {
  const rows = stateStore.prepare<{ integrity_check: string }>('PRAGMA integrity_check').all();
  return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
}
