import type { Queries } from '../database/database.js';
import { scanError } from '../database/failures.js';
import type { DomainGrade, Facts } from '../contract/scan-work.js';
import { PRUNED } from './prune-scans.js';
import { scanNumbered } from './stored-scan.js';

/** Number of domains that one statement reads. */
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
 * change after the end of the scan. Throws `scan-pruned` after the retention of the scan.
 */
export async function* exportScan(
  database: Queries,
  scanId: number,
): AsyncGenerator<ExportedDomain, void> {
  const { reason, listId } = await scanNumbered(database, scanId);
  if (reason === PRUNED) throw scanError('scan-pruned', String(scanId));
  let [lastRank, lastId] = [-1, -1];
  for (;;) {
    const rows = await database.query<ExportRow>(
      // The limit applies before the joins: otherwise each page would sort all further
      // rows.
      `WITH page AS MATERIALIZED (
        SELECT rank, domain_id FROM hermetic_scan.list_domain
        WHERE list_id = $2 AND (rank, domain_id) > ($3, $4)
        ORDER BY rank, domain_id LIMIT $5
      )
      SELECT p.rank, p.domain_id, d.name, s.body AS grade, f.body AS facts
        FROM page p JOIN hermetic_scan.domain d ON d.id = p.domain_id
        LEFT JOIN hermetic_scan.scan_domain o ON o.scan_id = $1 AND o.domain_id = p.domain_id
        LEFT JOIN hermetic_scan.fact s ON s.id = o.shape_id
        LEFT JOIN hermetic_scan.fact f ON f.id = o.fact_id
        ORDER BY p.rank, p.domain_id`,
      [scanId, listId, lastRank, lastId, PAGE],
    );
    for (const { name, rank, facts, grade } of rows)
      if (grade !== null && facts !== null) yield { domain: name, rank, facts, grade };
    const last = rows.at(-1);
    if (!last) return;
    [lastRank, lastId] = [last.rank, last.domain_id];
  }
}

interface ExportRow {
  readonly rank: number;
  readonly domain_id: number;
  readonly name: string;
  /** Null for a domain that is not graded. */
  readonly facts: Facts | null;
  readonly grade: DomainGrade | null;
}
