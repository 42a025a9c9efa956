import { networkName } from '../contacts/take-address.js';
import type { Transaction } from '../database/database.js';
import type { HostObservation } from '../contract/scan-work.js';
import { lookUpBatch } from './look-up-batch.js';
import type { ScanContext } from '../contract/scan-context.js';
import { claimSlice, holdSlice, passSlice } from '../scans/scan-slices.js';

interface SliceHost {
  readonly host_id: number;
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
 * Claims a slice of a scan, looks up the addresses of the mail hosts that this slice was
 * the first to name, and creates the visits that are due. Returns the number of slices: 0
 * means that all are leased or done.
 *
 * A visit is due if the host is new at an address, its records changed, or the last visit
 * is old. A recently visited host without changes costs no connection.
 */
export async function observeHosts(context: ScanContext, scan: HostScan): Promise<number> {
  const { database, work, signal } = context;
  const slice = await claimSlice(database, scan.id, 'hosts');
  if (!slice) return 0;
  const hosts = await database.query<SliceHost>(
    `SELECT s.host_id, s.required, h.name, h.fact_id
      FROM hermetic_scan.scan_host s JOIN hermetic_scan.host h ON h.id = s.host_id
      WHERE s.scan_id = $1 AND s.slice = $2`,
    [scan.id, slice.number],
  );
  const observed = await lookUpBatch(hosts, signal, async (host) => ({
    host,
    observation: await work.observeHost(host.name, signal),
  }));
  const rows = await context.facts.save(observed.map(({ observation }) => observation.facts));
  const entries = observed.map((one, index) => ({ ...one, factId: rows[index] as number }));
  await database.transaction(async (tx) => {
    if (!(await holdSlice(tx, slice))) return;
    await store(tx, scan, entries);
    await passSlice(tx, slice);
  });
  return 1;
}

interface Entry {
  readonly host: SliceHost;
  readonly observation: HostObservation;
  readonly factId: number;
}

async function store(tx: Transaction, scan: HostScan, entries: readonly Entry[]): Promise<void> {
  // An undetermined fact never replaces a known one, but is stored if there are no
  // earlier facts.
  const stored = entries.filter(
    ({ host, observation }) => observation.known || host.fact_id === null,
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
 * Writes addresses, then visits, then networks. The network row comes last: a worker that
 * releases the network at the same moment detects the new visits by `wanted`.
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
      SELECT a.id AS address_id, a.net, g.host_id, g.required OR s.required AS required
      FROM unnest($2::inet[], $3::int[], $4::boolean[]) AS g (ip, host_id, required)
      JOIN hermetic_scan.address a ON a.ip = g.ip
      JOIN hermetic_scan.scan_host s ON s.scan_id = $1 AND s.host_id = g.host_id
    ), due AS (
      INSERT INTO hermetic_scan.visit AS v (address_id, host_id, scan_id, required)
      SELECT address_id, host_id, $1, required FROM given ORDER BY address_id, host_id
      ON CONFLICT (address_id, host_id) DO UPDATE
        SET scan_id = $1, required = excluded.required, state = 0, reason = NULL
        WHERE v.state IN (0, 3, 4) OR v.visited_at < now() - $5 * interval '1 ms'
          OR v.valid_until < now()
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
