import { BoundedMap } from '../../../base/index.js';
import type { Queries, Transaction } from '../database/database.js';
import type { DomainGrade, GradedDomain } from '../contract/scan-work.js';
import type { ScanContext } from '../contract/scan-context.js';
import { visitCodes } from '../contract/visit-states.js';

/** Number of domains that one statement reads. */
const PAGE = 5000;

/**
 * Computes the statistics of a scan and ends it. Each number is computed once, so that a
 * page only reads it. A second run changes nothing.
 */
export async function finishScan(
  { database, work }: Pick<ScanContext, 'database' | 'work'>,
  scanId: number,
): Promise<void> {
  const statistics = await work.summarise(gradedDomains(database, scanId));
  await database.transaction(async (tx) => {
    const ended = await tx.query(
      `UPDATE hermetic_scan.scan SET state = 'done', finished_at = now()
        WHERE id = $1 AND state = 'running' RETURNING id`,
      [scanId],
    );
    if (ended.length === 0) return;
    await tx.query(
      `INSERT INTO hermetic_scan.stat (scan_id, page, key, counted, n, of, unknown)
        SELECT $1, * FROM
          unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
        ON CONFLICT (scan_id, page, key, counted) DO NOTHING`,
      [
        scanId,
        statistics.map(({ page }) => page),
        statistics.map(({ key }) => key),
        statistics.map(({ counted }) => counted),
        statistics.map(({ n }) => n),
        statistics.map(({ of }) => of),
        statistics.map(({ unknown }) => unknown),
      ],
    );
    await storeMethod(tx, scanId);
  });
}

/**
 * Stores the visits of the scan and the checks of inference as numbers of the page
 * `method`: a later scan replaces the visits themselves.
 */
async function storeMethod(tx: Transaction, scanId: number): Promise<void> {
  await tx.query(
    `WITH counted AS (
      SELECT v.state, count(*) AS n FROM hermetic_scan.scan_host h
      JOIN hermetic_scan.visit v ON v.host_id = h.host_id
      WHERE h.scan_id = $1 AND v.state > 0 GROUP BY v.state
    )
    INSERT INTO hermetic_scan.stat (scan_id, page, key, counted, n, of, unknown)
      SELECT $1, 'method', g.key, 'visits', coalesce(c.n, 0),
        (SELECT coalesce(sum(n), 0) FROM counted), 0
      FROM unnest($2::smallint[], $3::text[]) AS g (state, key)
      LEFT JOIN counted c ON c.state = g.state
      UNION ALL
      SELECT $1, 'method', 'inference-error', 'checks', coalesce(sum(wrong), 0),
        coalesce(sum(checked), 0), 0
      FROM hermetic_scan.family_total WHERE scan_id = $1 AND digest = ''
      ON CONFLICT (scan_id, page, key, counted) DO NOTHING`,
    [scanId, Object.values(settled), Object.keys(settled)],
  );
}

const { waiting: _, ...settled } = visitCodes;

interface Row {
  readonly domain_id: number;
  readonly name: string;
  readonly shape_id: number;
  readonly host_ids: readonly number[];
}

/** Maximum number of host names in memory, at 150 octets each. */
const MAX_NAMES = 200_000;

/** Returns all graded domains of a scan. Memory grows only with the number of shapes. */
async function* gradedDomains(
  database: Queries,
  scanId: number,
): AsyncGenerator<GradedDomain, void> {
  const grades = new Map<number, DomainGrade>();
  const names = new BoundedMap<string>(MAX_NAMES);
  let last = -1;
  for (;;) {
    const rows = await database.query<Row>(
      `SELECT s.domain_id, d.name, s.shape_id, s.host_ids
        FROM hermetic_scan.scan_domain s JOIN hermetic_scan.domain d ON d.id = s.domain_id
        WHERE s.scan_id = $1 AND s.domain_id > $2 AND s.shape_id IS NOT NULL
        ORDER BY s.domain_id LIMIT $3`,
      [scanId, last, PAGE],
    );
    const missing = [...new Set(rows.map(({ shape_id }) => shape_id))].filter(
      (shape) => !grades.has(shape),
    );
    for (const { id, grade } of await database.query<{ id: number; grade: DomainGrade }>(
      'SELECT id, body AS grade FROM hermetic_scan.fact WHERE id = ANY($1)',
      [missing],
    ))
      grades.set(id, grade);
    const hostNames = await namesOf(database, rows, names);
    for (const { name, host_ids, shape_id } of rows)
      yield {
        domain: name,
        hosts: host_ids.map((id) => hostNames.get(id) as string),
        grade: grades.get(shape_id) as DomainGrade,
      };
    const end = rows.at(-1);
    if (!end) return;
    last = end.domain_id;
  }
}

/** Returns the names of all hosts of the rows. Common hosts are looked up once. */
async function namesOf(
  database: Queries,
  rows: readonly Row[],
  known: BoundedMap<string>,
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  const missing: number[] = [];
  for (const id of new Set(rows.flatMap(({ host_ids }) => host_ids))) {
    const name = known.get(String(id));
    if (name === undefined) missing.push(id);
    else found.set(id, name);
  }
  for (const { id, name } of await database.query<{ id: number; name: string }>(
    'SELECT id, name FROM hermetic_scan.host WHERE id = ANY($1)',
    [missing],
  )) {
    known.set(String(id), name);
    found.set(id, name);
  }
  return found;
}
