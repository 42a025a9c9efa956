import type { Database, Queries } from '../database/database.js';
import { scanError } from '../database/failures.js';
import { createSlices } from './scan-slices.js';
import { scanNumbered, type ScanParams, type ScanState } from './stored-scan.js';

const DAY = 86_400_000;
/**
 * Domains per second by which the first visits are spread. The rate exceeds that of a
 * worker, so that it does not limit the scan.
 */
const PLANNED_RATE = 500;
/**
 * Maximum length of a list whose visits all start at once: a list of this length covers
 * few networks.
 */
const MAX_UNSPREAD = 1000;

export interface ScanOptions {
  /** Days for which an earlier visit is still valid; default 14. */
  readonly revisitDays?: number | undefined;
  /**
   * Days after which workers scan the list again; 0: never. Default: the stored interval
   * of the list.
   */
  readonly everyDays?: number | undefined;
}

/**
 * Creates a scan of a stored list and returns its number. Workers begin at once.
 *
 * If a scan of the same list is running or paused, that scan continues instead, from its
 * state in the tables.
 */
export async function startScan(
  database: Database,
  listId: number,
  { revisitDays = 14, everyDays }: ScanOptions = {},
): Promise<number> {
  return database.transaction(async (tx) => {
    // Two commands that start the same list at once create one scan.
    await tx.query(
      `UPDATE hermetic_scan.list
        SET rescan_ms = CASE WHEN $2::float8 IS NULL THEN rescan_ms ELSE nullif($2, 0) * $3 END
        WHERE id = $1`,
      [listId, everyDays ?? null, DAY],
    );
    const [open] = await tx.query<{ id: number }>(
      `UPDATE hermetic_scan.scan SET state = 'running', reason = NULL
        WHERE list_id = $1 AND state IN ('running', 'paused') RETURNING id`,
      [listId],
    );
    if (open) {
      await wakeNetworks(tx, open.id);
      return open.id;
    }
    const [count] = await tx.query<{ domains: number }>(
      'SELECT count(*) AS domains FROM hermetic_scan.list_domain WHERE list_id = $1',
      [listId],
    );
    const domains = count?.domains ?? 0;
    const params: ScanParams = {
      revisitMs: revisitDays * DAY,
      spreadMs: domains > MAX_UNSPREAD ? (1000 * domains) / PLANNED_RATE : 0,
    };
    const [made] = await tx.query<{ id: number }>(
      `INSERT INTO hermetic_scan.scan (list_id, state, domains, params)
        VALUES ($1, 'running', $2, $3) RETURNING id`,
      [listId, domains, JSON.stringify(params)],
    );
    const id = made?.id ?? 0;
    // The statement contains the value as text, because CREATE TABLE for a partition
    // takes no parameters.
    await tx.query(
      `CREATE TABLE hermetic_scan.scan_domain_${id} PARTITION OF hermetic_scan.scan_domain
        FOR VALUES IN (${id}) WITH (fillfactor = 50, autovacuum_analyze_scale_factor = 0.5,
          autovacuum_vacuum_insert_scale_factor = 1)`,
    );
    await createSlices(tx, id, listId);
    return id;
  });
}

/**
 * Changes the state of a scan. A pause takes effect within one visit: workers read the
 * state at every claim. Throws `scan-absent`, or `scan-state` if the scan has ended.
 */
export async function controlScan(
  database: Database,
  id: number,
  action: 'pause' | 'resume' | 'cancel',
): Promise<void> {
  const state: ScanState = ({ pause: 'paused', resume: 'running', cancel: 'cancelled' } as const)[
    action
  ];
  await database.transaction(async (tx) => {
    const changed = await tx.query<{ id: number }>(
      `UPDATE hermetic_scan.scan SET state = $2, reason = NULL,
          finished_at = CASE WHEN $2 = 'cancelled' THEN now() END
        WHERE id = $1 AND state IN ('running', 'paused') RETURNING id`,
      [id, state],
    );
    if (changed.length === 0)
      throw scanError('scan-state', `scan ${id} is ${(await scanNumbered(tx, id)).state}`);
    if (action === 'cancel') await handOver(tx, id);
    if (action !== 'pause') await wakeNetworks(tx, id);
  });
}

/**
 * Hands visits of a cancelled scan over: if another open scan also needs a visit, the
 * visit continues for that scan.
 */
async function handOver(tx: Queries, id: number): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.visit v SET scan_id = o.id
      FROM hermetic_scan.scan_host h JOIN hermetic_scan.scan o ON o.id = h.scan_id
      WHERE v.scan_id = $1 AND v.state = 0 AND h.host_id = v.host_id
        AND o.id <> $1 AND o.state IN ('running', 'paused')`,
    [id],
  );
}

/**
 * Makes networks due again that had no visits of running scans.
 */
async function wakeNetworks(tx: Queries, scanId: number): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.neighbourhood SET wanted = wanted + 1, due_at = least(due_at, now())
      WHERE net IN (
        SELECT a.net FROM hermetic_scan.visit v
        JOIN hermetic_scan.scan_host h ON h.host_id = v.host_id AND h.scan_id = $1
        JOIN hermetic_scan.address a ON a.id = v.address_id WHERE v.state = 0)`,
    [scanId],
  );
}
