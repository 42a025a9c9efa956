import type { Database } from '../database/database.js';
import { startScan } from './control-scan.js';

const DAY = 86_400_000;

/**
 * Starts a scan of each list whose interval has passed since the start of its last scan.
 * A list is not due while its last scan is open, or if that scan was cancelled. The new
 * scan revisits unchanged hosts after the same number of days. Returns the started scans.
 */
export async function startDueScans(database: Database): Promise<readonly number[]> {
  const due = await database.query<{ id: number; revisit_ms: number }>(
    `SELECT l.id, (s.params ->> 'revisitMs')::float8 AS revisit_ms
      FROM hermetic_scan.list l CROSS JOIN LATERAL (
        SELECT state, started_at, params FROM hermetic_scan.scan
        WHERE list_id = l.id ORDER BY id DESC LIMIT 1) s
      WHERE l.rescan_ms IS NOT NULL AND s.state = 'done'
        AND s.started_at <= now() - l.rescan_ms * interval '1 ms'
      ORDER BY l.id`,
  );
  const started: number[] = [];
  for (const { id, revisit_ms } of due)
    started.push(await startScan(database, id, { revisitDays: revisit_ms / DAY }));
  return started;
}
