import type { Queries } from '../database/database.js';
import { scanError } from '../database/failures.js';
import type { DomainGrade, Facts } from '../contract/scan-work.js';
import { PRUNED } from './prune-scans.js';
import { scanNumbered } from './stored-scan.js';

/** Domains that one statement reads. */
const PAGE = 1000;

/** The result of one domain in one scan. */
export interface ExportedDomain {
  readonly domain: string;
  readonly rank: number;
  /** The facts that were observed in this scan. */
  readonly facts: Facts;
  readonly grade: DomainGrade;
}

/**
 * Returns the results of a scan, in the order of ranks. Domains without a grade are left
 * out: the scan has not finished. Memory does not grow with the scan. The rows do not
 * change after the end of the scan. Throws `scan-pruned` after its retention.
 */
export async function* exportScan(
  database: Queries,
  scanId: number,
): AsyncGenerator<ExportedDomain, void> {
  const { reason } = await scanNumbered(database, scanId);
  if (reason === PRUNED) throw scanError('scan-pruned', String(scanId));
  let [lastRank, lastId] = [-1, -1];
  for (;;) {
    const rows = await database.query<ExportRow>(
      `SELECT l.rank, l.domain_id, d.name, s.grade, f.body AS facts
        FROM hermetic_scan.list_domain l
        JOIN hermetic_scan.scan c ON c.id = $1 AND c.list_id = l.list_id
        JOIN hermetic_scan.domain d ON d.id = l.domain_id
        JOIN hermetic_scan.scan_domain o ON o.scan_id = $1 AND o.domain_id = l.domain_id
        JOIN hermetic_scan.shape s ON s.id = o.shape_id
        JOIN hermetic_scan.fact f ON f.id = o.fact_id
        WHERE (l.rank, l.domain_id) > ($2, $3)
        ORDER BY l.rank, l.domain_id LIMIT $4`,
      [scanId, lastRank, lastId, PAGE],
    );
    for (const { name, rank, facts, grade } of rows) yield { domain: name, rank, facts, grade };
    const last = rows.at(-1);
    if (!last) return;
    [lastRank, lastId] = [last.rank, last.domain_id];
  }
}

interface ExportRow {
  readonly rank: number;
  readonly domain_id: number;
  readonly name: string;
  readonly facts: Facts;
  readonly grade: DomainGrade;
}
