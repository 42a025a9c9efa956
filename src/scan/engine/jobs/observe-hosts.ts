import { mapConcurrent, networkOf, parseIp } from '../../../base/index.js';
import type { Transaction } from '../database/database.js';
import type { HostObservation } from '../contract/scan-work.js';
import type { ScanContext } from '../contract/scan-context.js';

/** Hosts that one claim takes. */
const BATCH = 500;
/** Hosts whose records are looked up at the same time. */
const CONCURRENT = 200;
const LEASE_MS = 180_000;

interface ClaimedHost {
  readonly host_id: number;
  readonly lease_no: number;
  readonly required: boolean;
  readonly name: string;
  readonly fact_id: number | null;
}

/** The parameters of a scan that decide its visits. */
export interface HostScan {
  readonly id: number;
  /** Milliseconds for which an earlier visit is still valid. */
  readonly revisitMs: number;
  /** Milliseconds over which the first visits are spread. */
  readonly spreadMs: number;
}

/**
 * Claims a batch of mail hosts of a scan, looks up their addresses and creates the visits
 * that are due. Returns the number of claimed hosts.
 *
 * A visit is due where the host is new at an address, its records changed, or the last
 * visit is old. An unchanged host that was visited lately costs no connection.
 */
export async function observeHosts(context: ScanContext, scan: HostScan): Promise<number> {
  const { database, work, signal } = context;
  const claimed = await database.query<ClaimedHost>(
    `WITH free AS (
      SELECT host_id FROM hermetic_scan.scan_host
      WHERE scan_id = $1 AND state = 0 AND due_at <= now()
        AND EXISTS (SELECT FROM hermetic_scan.scan WHERE id = $1 AND state = 'running')
      LIMIT $2 FOR UPDATE SKIP LOCKED
    ), leased AS (
      UPDATE hermetic_scan.scan_host s
      SET lease_no = lease_no + 1, due_at = now() + $3 * interval '1 ms'
      FROM free WHERE s.scan_id = $1 AND s.host_id = free.host_id
      RETURNING s.host_id, s.lease_no, s.required
    )
    SELECT l.host_id, l.lease_no, l.required, h.name, h.fact_id
    FROM leased l JOIN hermetic_scan.host h ON h.id = l.host_id`,
    [scan.id, BATCH, LEASE_MS],
  );
  if (claimed.length === 0) return 0;
  const observed = await mapConcurrent(claimed, CONCURRENT, async (host) => ({
    host,
    observation: await work.observeHost(host.name, signal),
  }));
  const rows = await context.facts.save(observed.map(({ observation }) => observation.facts));
  const entries = observed.map((one, index) => ({ ...one, factId: rows[index] as number }));
  await database.transaction((tx) => store(tx, scan, entries));
  return claimed.length;
}

interface Entry {
  readonly host: ClaimedHost;
  readonly observation: HostObservation;
  readonly factId: number;
}

async function store(tx: Transaction, scan: HostScan, entries: readonly Entry[]): Promise<void> {
  const accepted = await tx.query<{ host_id: number }>(
    `UPDATE hermetic_scan.scan_host s SET state = 1, due_at = '-infinity'
      FROM unnest($2::int[], $3::int[]) AS g (host_id, lease_no)
      WHERE s.scan_id = $1 AND s.host_id = g.host_id AND s.lease_no = g.lease_no AND s.state = 0
      RETURNING s.host_id`,
    [scan.id, entries.map(({ host }) => host.host_id), entries.map(({ host }) => host.lease_no)],
  );
  const own = new Set(accepted.map(({ host_id }) => host_id));
  // An undetermined fact never replaces a known one; without earlier facts it is stored.
  const stored = entries.filter(
    ({ host, observation }) =>
      own.has(host.host_id) && (observation.known || host.fact_id === null),
  );
  await tx.query(
    `UPDATE hermetic_scan.host h SET fact_id = g.fact_id, family = g.family, seen_at = now()
      FROM unnest($1::int[], $2::int[], $3::text[]) AS g (host_id, fact_id, family)
      WHERE h.id = g.host_id`,
    [
      stored.map(({ host }) => host.host_id),
      stored.map(({ factId }) => factId),
      stored.map(({ observation }) => observation.family),
    ],
  );
  await createVisits(tx, scan, stored);
  await tx.query('UPDATE hermetic_scan.scan SET questions = questions + $2 WHERE id = $1', [
    scan.id,
    entries.reduce((sum, { observation }) => sum + observation.questions, 0),
  ]);
}

/**
 * Writes addresses, then visits, then networks. The network row comes last: its `wanted`
 * tells a worker that releases it at the same moment that new visits arrived.
 */
async function createVisits(
  tx: Transaction,
  { id, revisitMs, spreadMs }: HostScan,
  entries: readonly Entry[],
): Promise<void> {
  const pairs = entries.flatMap(({ host, observation, factId }) =>
    observation.addresses.map((ip) => ({
      ip,
      host: host.host_id,
      required: host.required || observation.visitAlways,
      changed: host.fact_id !== factId,
    })),
  );
  await tx.query(
    `DELETE FROM hermetic_scan.visit v USING hermetic_scan.address a
      WHERE v.host_id = ANY($1) AND a.id = v.address_id AND NOT EXISTS (
        SELECT FROM unnest($2::int[], $3::inet[]) AS g (host_id, ip)
        WHERE g.host_id = v.host_id AND g.ip = a.ip)`,
    [
      entries.map(({ host }) => host.host_id),
      pairs.map(({ host }) => host),
      pairs.map(({ ip }) => ip),
    ],
  );
  if (pairs.length === 0) return;
  const addresses = [...new Set(pairs.map(({ ip }) => ip))].sort();
  await tx.query(
    `INSERT INTO hermetic_scan.address (ip, net)
      SELECT * FROM unnest($1::inet[], $2::cidr[]) ON CONFLICT (ip) DO NOTHING`,
    [addresses, addresses.map(networkName)],
  );
  const waiting = await tx.query<{ net: string }>(
    `WITH given AS (
      SELECT a.id AS address_id, a.net, g.host_id, g.required
      FROM unnest($2::inet[], $3::int[], $4::boolean[]) AS g (ip, host_id, required)
      JOIN hermetic_scan.address a ON a.ip = g.ip
    ), due AS (
      INSERT INTO hermetic_scan.visit AS v (address_id, host_id, scan_id, required)
      SELECT address_id, host_id, $1, required FROM given ORDER BY address_id, host_id
      ON CONFLICT (address_id, host_id) DO UPDATE
        SET scan_id = $1, required = excluded.required, state = 0, reason = NULL
        WHERE v.state IN (0, 3, 4) OR v.visited_at < now() - $5 * interval '1 ms'
          OR (v.state = 2 AND excluded.required)
          OR v.host_id = ANY ($6)
      RETURNING v.address_id
    )
    SELECT DISTINCT host(given.net) || '/' || masklen(given.net) AS net
    FROM due JOIN given USING (address_id)`,
    [
      id,
      pairs.map(({ ip }) => ip),
      pairs.map(({ host }) => host),
      pairs.map(({ required }) => required),
      revisitMs,
      [...new Set(pairs.filter(({ changed }) => changed).map(({ host }) => host))],
    ],
  );
  const networks = waiting.map(({ net }) => net).sort();
  await tx.query(
    `INSERT INTO hermetic_scan.neighbourhood AS n (net, due_at)
      SELECT net, now() + random() * $2 * interval '1 ms' FROM unnest($1::cidr[]) AS g (net)
      ON CONFLICT (net) DO UPDATE
        SET wanted = n.wanted + 1, due_at = least(n.due_at, excluded.due_at)`,
    [networks, spreadMs],
  );
}

/** IPv4 /24 or IPv6 /48: many limits of servers count by network. */
function networkName(address: string): string {
  return `${networkOf(address)}/${parseIp(address)?.family === 6 ? 48 : 24}`;
}
