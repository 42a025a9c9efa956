import type { Queries } from '../database/database.js';
import { scanError } from '../database/failures.js';
import type { FactStore } from '../database/store-facts.js';
import { factSets, loadHosts } from './grade-domains.js';
import type { DomainFactSet, DomainGrade } from '../contract/scan-work.js';

/** All rows that the grade of a domain depends on. */
export interface ExplainedDomain {
  readonly domain: string;
  readonly seenAt: Date | null;
  readonly changedAt: Date | null;
  /** The facts, as `gradeDomain` takes them; undefined before the first observation. */
  readonly facts: DomainFactSet | undefined;
  readonly addresses: readonly ExplainedAddress[];
  readonly scans: readonly ExplainedScan[];
}

export interface ExplainedAddress {
  readonly host: string;
  readonly address: string;
  readonly visitedAt: Date | null;
  readonly required: boolean;
  /** The host whose visit represents this one; null if this host was visited. */
  readonly inferredFrom: string | null;
  /** Number of connections to the address on this day (UTC). */
  readonly spent: number;
  readonly nextAt: Date | null;
  readonly restReason: string | null;
}

export interface ExplainedScan {
  readonly scan: number;
  readonly startedAt: Date;
  readonly grade: DomainGrade | null;
}

/** Returns the known facts of a domain. Throws `scan-domain-absent`. */
export async function explainDomain(
  context: { readonly database: Queries; readonly facts: FactStore },
  name: string,
): Promise<ExplainedDomain> {
  const { database } = context;
  const [row] = await database.query<{
    id: number;
    fact_id: number | null;
    seen_at: Date | null;
    changed_at: Date | null;
  }>('SELECT id, fact_id, seen_at, changed_at FROM hermetic_scan.domain WHERE name = $1', [name]);
  if (!row) throw scanError('scan-domain-absent', name);
  const { id, fact_id, seen_at, changed_at } = row;
  const [seen] = await database.query<{ host_ids: readonly number[] }>(
    `SELECT host_ids FROM hermetic_scan.scan_domain WHERE domain_id = $1 AND known
      ORDER BY scan_id DESC LIMIT 1`,
    [id],
  );
  const { host_ids } = seen ?? { host_ids: [] };
  const scans = await database.query<ExplainedScan & Record<string, unknown>>(
    `SELECT s.id AS scan, s.started_at AS "startedAt", h.body AS grade
      FROM hermetic_scan.scan_domain d JOIN hermetic_scan.scan s ON s.id = d.scan_id
      LEFT JOIN hermetic_scan.fact h ON h.id = d.shape_id
      WHERE d.domain_id = $1 ORDER BY s.id DESC LIMIT 100`,
    [id],
  );
  const addresses = await database.query<ExplainedAddress & Record<string, unknown>>(
    `SELECT h.name AS host, host(a.ip) AS address, v.visited_at AS "visitedAt", v.required,
        f.body -> 'address' ->> 'inferredFrom' AS "inferredFrom",
        CASE WHEN a.day = (now() AT TIME ZONE 'UTC')::date THEN a.spent ELSE 0 END AS spent,
        CASE WHEN isfinite(a.next_at) THEN a.next_at END AS "nextAt",
        a.rest_reason AS "restReason"
      FROM unnest($1::int[]) WITH ORDINALITY AS l (host_id, turn)
      JOIN hermetic_scan.host h ON h.id = l.host_id
      JOIN hermetic_scan.visit v ON v.host_id = h.id
      JOIN hermetic_scan.address a ON a.id = v.address_id
      LEFT JOIN hermetic_scan.fact f ON f.id = v.fact_id AND v.state = 2
      ORDER BY l.turn, a.ip`,
    [host_ids],
  );
  const at = scans[0]?.startedAt ?? new Date(0);
  const explained = { domain: name, seenAt: seen_at, changedAt: changed_at, addresses, scans };
  if (fact_id === null) return { ...explained, facts: undefined };
  const hosts = await loadHosts(database, [{ host_ids }]);
  const rows = [{ domain_id: id, name, fact_id, host_ids }];
  const [facts] = await factSets(context.facts, rows, { hosts, date: at });
  return { ...explained, facts };
}
