import type { Queries } from '../database/database.js';
import type { DomainChange } from '../contract/scan-work.js';

const PAGE = 1000;

/** A change of one domain, with the scan that found it. */
export interface ScanChange extends DomainChange {
  readonly scan: number;
  readonly domain: string;
}

/**
 * Returns the changes that the scans after `older`, up to `newer`, found in the domains
 * of `newer`, by scan and domain. The first known value of a fact is not a change.
 */
export async function* scanChanges(
  database: Queries,
  older: number,
  newer: number,
): AsyncGenerator<ScanChange, void> {
  let last: readonly [scan: number, domain: number, kind: string] = [older, 1e9, ''];
  for (;;) {
    const rows = await database.query<ScanChange & { readonly domain_id: number }>(
      `SELECT c.scan_id AS scan, c.domain_id, d.name AS domain, c.kind, c.was, c."is"
        FROM hermetic_scan.change c JOIN hermetic_scan.domain d ON d.id = c.domain_id
        WHERE (c.scan_id, c.domain_id, c.kind) > ($1, $2, $3) AND c.scan_id <= $4
          AND EXISTS (SELECT FROM hermetic_scan.scan_domain s
            WHERE s.scan_id = $4 AND s.domain_id = c.domain_id)
        ORDER BY c.scan_id, c.domain_id, c.kind LIMIT $5`,
      [...last, newer, PAGE],
    );
    for (const { scan, domain, kind, was, is } of rows) yield { scan, domain, kind, was, is };
    const end = rows.at(-1);
    if (!end) return;
    last = [end.scan, end.domain_id, end.kind];
  }
}
