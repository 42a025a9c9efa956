import { BoundedMap } from '../../../base/index.js';
import type { Queries } from './database.js';

/** Maximum number of host names with a cached row, at 150 octets each. */
const MAX_REMEMBERED = 200_000;

/** The rows of host names. Hosts are never removed while workers run. */
export class HostStore {
  readonly #database: Queries;
  readonly #rows = new BoundedMap<number>(MAX_REMEMBERED);

  constructor(database: Queries) {
    this.#database = database;
  }

  /**
   * Returns the row of every name, and creates missing rows. Runs outside of any
   * transaction, because a host without domains is harmless.
   */
  async save(names: Iterable<string>): Promise<ReadonlyMap<string, number>> {
    const rows = new Map<string, number>();
    const missing: string[] = [];
    for (const name of new Set(names)) {
      const row = this.#rows.get(name);
      if (row === undefined) missing.push(name);
      else rows.set(name, row);
    }
    if (missing.length === 0) return rows;
    // Every worker inserts rows in the same order, so that two workers do not deadlock.
    missing.sort();
    await this.#database.query(
      `INSERT INTO hermetic_scan.host (name, family)
        SELECT name, '' FROM unnest($1::text[]) AS g (name) ON CONFLICT (name) DO NOTHING`,
      [missing],
    );
    for (const { id, name } of await this.#database.query<{ id: number; name: string }>(
      'SELECT id, name FROM hermetic_scan.host WHERE name = ANY($1)',
      [missing],
    )) {
      this.#rows.set(name, id);
      rows.set(name, id);
    }
    return rows;
  }
}
