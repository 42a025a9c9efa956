import { groupBy } from '../../../base/index.js';
import type { Database } from '../database/database.js';
import { TODAY } from '../database/today.js';
import type { Facts } from '../database/store-facts.js';
import type { ScanContext } from '../contract/scan-context.js';
import { inferVisits, visitKey } from './infer-visits.js';
import type { VisitedName } from './name-groups.js';
import { leaseMs, type Politeness } from './politeness.js';

/** A visit that a worker has to make now: its connections are already counted. */
export interface ClaimedVisit extends VisitedName {
  readonly host_id: number;
  readonly address: string;
  readonly host_fact_id: number;
  readonly standing: Facts | null;
  readonly required: boolean;
}

/** A network that belongs to this worker until its lease ends. */
export interface ClaimedNetwork {
  readonly net: string;
  readonly leaseNo: number;
  /**
   * Number of times that workers added visits; they may add more during the present
   * visits.
   */
  readonly wanted: number;
  /**
   * No worker has visited the network before, so time-outs may be a fault of the
   * scanner's own network.
   */
  readonly isNew: boolean;
  readonly visits: readonly ClaimedVisit[];
}

/**
 * Claims networks whose visits are due, and reserves at most one visit for each of their
 * addresses.
 *
 * One statement takes the lease, and a second statement selects visits. The second
 * statement counts the connections of every visit against the daily budget *before* a
 * worker opens them, and moves `next_at` far ahead, so that the address rests if a worker
 * crashes during a session. Scans that are paused and hosts that opted out are excluded
 * here, at each claim.
 */
export async function claimVisits(
  context: ScanContext,
  workerId: string,
  { limit, rules }: { readonly limit: number; readonly rules: Politeness },
): Promise<readonly ClaimedNetwork[]> {
  const { database } = context;
  const networks = await database.query<NetworkRow>(
    `WITH free AS (
      SELECT net FROM hermetic_scan.neighbourhood
      WHERE due_at <= now() AND due_at < 'infinity' AND lease_until <= now()
      ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE hermetic_scan.neighbourhood n
    SET lease_no = n.lease_no + 1, lease_by = $1, due_at = now() + $3 * interval '1 ms',
      lease_until = now() + $3 * interval '1 ms'
    FROM free WHERE n.net = free.net
    RETURNING host(n.net) || '/' || masklen(n.net) AS net, n.lease_no, n.wanted, n.contacted,
      EXISTS (SELECT FROM hermetic_scan.opt_out) AS opted_out`,
    [workerId, Math.max(1, Math.floor(limit / rules.perNetwork)), leaseMs(rules)],
  );
  if (networks.length === 0) return [];
  const nets = networks.map(({ net }) => net);
  if (networks[0]?.opted_out) await settleOptedOut(database, nets);
  const checks = await inferVisits(context, nets);
  const reserved = groupBy(await reserve(database, nets, rules), ({ net }) => net);
  return networks.map(({ net, lease_no, wanted, contacted }) => ({
    net,
    leaseNo: lease_no,
    wanted,
    isNew: !contacted,
    visits: (reserved.get(net) ?? []).map((visit) => ({
      ...visit,
      checks: visit.required ? undefined : checks.get(visitKey(visit)),
    })),
  }));
}

interface NetworkRow {
  readonly net: string;
  readonly lease_no: number;
  readonly wanted: number;
  readonly contacted: boolean;
  /** At least one entry is in the list of hosts that opted out. */
  readonly opted_out: boolean;
}

function reserve(
  database: Database,
  nets: readonly string[],
  { perNetwork, dailyBudget, connectionsPerVisit, abandonedMs }: Politeness,
): Promise<(ClaimedVisit & { readonly net: string })[]> {
  return database.query(
    `WITH ready AS (
      SELECT a.id, v.host_id, v.scan_id, v.required,
        row_number() OVER (PARTITION BY a.net ORDER BY a.next_at, a.id) AS turn
      FROM hermetic_scan.address a CROSS JOIN LATERAL (
        SELECT v.host_id, v.scan_id, v.required
        FROM hermetic_scan.visit v JOIN hermetic_scan.scan s ON s.id = v.scan_id
        WHERE v.address_id = a.id AND v.state = 0 AND s.state = 'running'
        ORDER BY v.required DESC, v.host_id LIMIT 1
      ) v
      WHERE a.net = ANY($1::cidr[]) AND a.next_at <= now()
        AND (a.day < ${TODAY} OR a.spent + $3 <= $4)
    ), chosen AS (
      UPDATE hermetic_scan.address a
      SET day = ${TODAY}, spent = CASE WHEN a.day < ${TODAY} THEN 0 ELSE a.spent END + $3,
        next_at = now() + $5 * interval '1 ms'
      FROM ready WHERE a.id = ready.id AND ready.turn <= $2
        -- A check page may have taken the address meanwhile.
        AND a.next_at <= now() AND (a.day < ${TODAY} OR a.spent + $3 <= $4)
      RETURNING a.id, a.net, a.ip, a.standing, ready.host_id, ready.scan_id, ready.required
    )
    SELECT c.id AS address_id, c.host_id, c.scan_id, host(c.ip) AS address, h.name AS host,
      h.fact_id AS host_fact_id, c.standing, host(c.net) || '/' || masklen(c.net) AS net,
      c.required, h.family
    FROM chosen c JOIN hermetic_scan.host h ON h.id = c.host_id`,
    [nets, perNetwork, connectionsPerVisit, dailyBudget, abandonedMs],
  );
}

/** Visits to addresses and hosts that opted out are settled without a connection. */
async function settleOptedOut(database: Database, nets: readonly string[]): Promise<void> {
  await database.query(
    `UPDATE hermetic_scan.visit v SET state = 3, reason = o.entry
      FROM hermetic_scan.address a, hermetic_scan.host h, hermetic_scan.opt_out o
      WHERE a.net = ANY($1::cidr[]) AND v.address_id = a.id AND v.state = 0
        AND h.id = v.host_id AND (o.net >>= a.ip OR o.name = h.name
          OR (o.name LIKE '*.%' AND right(h.name, length(o.name) - 1) = substr(o.name, 2)))`,
    [nets],
  );
}
