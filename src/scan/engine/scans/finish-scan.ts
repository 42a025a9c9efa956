import type { Database } from '../database/database.js';

/** Computes the statistics of a scan and ends it. A second run changes nothing. */
export async function finishScan(database: Database, scanId: number): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query(
      `INSERT INTO hermetic_scan.stat (scan_id, page, key, counted, n, of, unknown)
        SELECT $1, 'overview', s.grade ->> 'verdict', 'domains', count(*), sum(count(*)) OVER (),
          sum(count(*) FILTER (WHERE s.grade ->> 'verdict' = 'inconclusive')) OVER ()
        FROM hermetic_scan.scan_domain d JOIN hermetic_scan.shape s ON s.id = d.shape_id
        WHERE d.scan_id = $1 GROUP BY s.grade ->> 'verdict'
        ON CONFLICT (scan_id, page, key, counted) DO NOTHING`,
      [scanId],
    );
    await tx.query(
      `UPDATE hermetic_scan.scan SET state = 'done', finished_at = now()
        WHERE id = $1 AND state = 'running'`,
      [scanId],
    );
  });
}
