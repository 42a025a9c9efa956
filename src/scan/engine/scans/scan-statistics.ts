import type { Queries } from '../database/database.js';
import type { ScanStatistic } from '../contract/scan-work.js';

/** Returns the statistics of a finished scan; none before its end. */
export function scanStatistics(
  database: Queries,
  scanId: number,
): Promise<readonly ScanStatistic[]> {
  return database.query<ScanStatistic & Record<string, unknown>>(
    `SELECT page, key, counted, n, of, unknown FROM hermetic_scan.stat WHERE scan_id = $1
      ORDER BY page, key, counted`,
    [scanId],
  );
}
