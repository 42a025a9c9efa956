import type { Store } from './open-store.js';

/**
 * Reads the whole file and compares tables with indexes. Empty when all is well, else
 * what is damaged.
 */
export function verifyStore(stateStore: Store): readonly string[] {
  const rows = stateStore.prepare<{ integrity_check: string }>('PRAGMA integrity_check').all();
  return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
}
