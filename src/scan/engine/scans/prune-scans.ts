import type { Database, Queries } from '../database/database.js';
import { isLockTimeout } from '../database/errors.js';

/** Value of `scan.reason` for a scan whose rows were deleted. */
export const PRUNED = 'pruned';

/** The time for which rows stay, in days after the end of a scan or the last visit. */
export interface Retention {
  /**
   * Rows of a scan: results of its domains, and changes. The statistics of the scan stay.
   */
  readonly scanDays: number;
  /** Visits to hosts that no open scan needs. */
  readonly visitDays: number;
  /**
   * Facts and grades that no row refers to, counted from the run that found them unused.
   */
  readonly unusedDays: number;
}

export const retention: Retention = { scanDays: 400, visitDays: 90, unusedDays: 7 };

/** Maximum number of scans that one run prunes; the next run continues. */
const MAX_PRUNED = 100;

/**
 * Deletes the rows of old scans and old visits, and then the facts that no row refers to.
 * The newest finished scan of each list stays. Statistics stay for trends. Returns the number
 * of pruned scans.
 */
export async function pruneScans(
  database: Database,
  { scanDays, visitDays, unusedDays }: Retention = retention,
): Promise<number> {
  const old = await database.query<{ id: number }>(
    `SELECT id FROM hermetic_scan.scan s
      WHERE state IN ('done', 'cancelled') AND reason IS DISTINCT FROM $2
        AND finished_at < now() - $1 * interval '1 day'
        AND EXISTS (SELECT FROM hermetic_scan.scan o
          WHERE o.list_id = s.list_id AND o.state = 'done' AND o.id > s.id)
      ORDER BY id LIMIT $3`,
    [scanDays, PRUNED, MAX_PRUNED],
  );
  let pruned = 0;
  for (const { id } of old) if (await pruneScan(database, id)) pruned++;
  await pruneVisits(database, visitDays);
  await pruneFacts(database, unusedDays);
  return pruned;
}

/**
 * Deletes the rows of one scan, and returns whether they are deleted. If an export reads
 * the partition, the next run tries again: waiting for the lock would block every other
 * statement on the table.
 */
async function pruneScan(database: Database, id: number): Promise<boolean> {
  try {
    await database.transaction(async (tx) => {
      await tx.query("SET LOCAL lock_timeout = '1s'");
      await tx.query(`DROP TABLE IF EXISTS hermetic_scan.scan_domain_${id}`);
      for (const table of ['scan_host', 'scan_slice', 'change', 'family_total'])
        await tx.query(`DELETE FROM hermetic_scan.${table} WHERE scan_id = $1`, [id]);
      await tx.query('UPDATE hermetic_scan.scan SET reason = $2 WHERE id = $1', [id, PRUNED]);
    });
    return true;
  } catch (error) {
    if (isLockTimeout(error)) return false;
    throw error;
  }
}

async function pruneVisits(database: Queries, visitDays: number): Promise<void> {
  await database.query(
    `DELETE FROM hermetic_scan.visit v
      WHERE v.state > 0 AND v.visited_at < now() - $1 * interval '1 day'
        AND NOT EXISTS (SELECT FROM hermetic_scan.scan_host h
          JOIN hermetic_scan.scan s ON s.id = h.scan_id
          WHERE h.host_id = v.host_id AND s.state IN ('running', 'paused'))`,
    [visitDays],
  );
}

/** The columns that refer to facts. */
const REFERENCES = [
  ['domain', 'fact_id'],
  ['domain', 'stands_id'],
  ['host', 'fact_id'],
  ['visit', 'fact_id'],
  ['family', 'model_fact_id'],
  ['scan_domain', 'fact_id'],
  ['scan_domain', 'shape_id'],
].map(([table, column]) => `SELECT ${column} AS id FROM hermetic_scan.${table}`);

/**
 * Deletes facts that no row refers to and that were unused at an earlier run as well. A
 * worker may have saved a fact and refer to it a moment later, so a row stays for days after
 * it was marked. A worker that saves the same fact again removes the mark.
 */
async function pruneFacts(database: Database, unusedDays: number): Promise<void> {
  await database.transaction(async (tx) => {
    // This transaction reads its whole tables, unlike the transactions of workers.
    await tx.query('SET LOCAL enable_seqscan = on');
    await tx.query(
      `CREATE TEMPORARY TABLE used ON COMMIT DROP AS
        SELECT DISTINCT id FROM (${REFERENCES.join(' UNION ALL ')}) r WHERE id IS NOT NULL`,
    );
    await tx.query('ANALYZE used');
    await tx.query(
      `UPDATE hermetic_scan.fact f SET unused_since = NULL
        FROM used WHERE used.id = f.id AND f.unused_since IS NOT NULL`,
    );
    const unused = 'NOT EXISTS (SELECT FROM used WHERE used.id = f.id)';
    await tx.query(
      `DELETE FROM hermetic_scan.fact f
        WHERE f.unused_since < now() - $1 * interval '1 day' AND ${unused}`,
      [unusedDays],
    );
    await tx.query(
      `UPDATE hermetic_scan.fact f SET unused_since = now()
        WHERE f.unused_since IS NULL AND ${unused}`,
    );
  });
}
