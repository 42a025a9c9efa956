import { mapConcurrent } from '../../../base/index.js';
import type { Transaction } from '../database/database.js';
import type { DomainObservation } from '../contract/scan-work.js';
import type { ScanContext } from '../contract/scan-context.js';

/** Domains that one claim takes. */
const BATCH = 500;
/** Domains whose records are looked up at the same time. */
const CONCURRENT = 200;
/** A claim lasts this long: a batch whose every question times out takes a minute. */
const LEASE_MS = 180_000;

interface ClaimedDomain {
  readonly domain_id: number;
  readonly lease_no: number;
  readonly name: string;
  readonly fact_id: number | null;
}

/**
 * Claims a batch of domains of a scan, looks up their records and stores the facts.
 * Returns the number of claimed domains; 0 means that no domain is free at present.
 *
 * A worker that dies loses its claims when they end: the domains are looked up again. A
 * result that arrives after the end of its claim is dropped.
 */
export async function observeNames(context: ScanContext, scanId: number): Promise<number> {
  const { database, work, signal } = context;
  const claimed = await database.query<ClaimedDomain>(
    `WITH free AS (
      SELECT domain_id FROM hermetic_scan.scan_domain
      WHERE scan_id = $1 AND state = 0 AND due_at <= now()
        AND EXISTS (SELECT FROM hermetic_scan.scan WHERE id = $1 AND state = 'running')
      LIMIT $2 FOR UPDATE SKIP LOCKED
    ), leased AS (
      UPDATE hermetic_scan.scan_domain s
      SET lease_no = lease_no + 1, due_at = now() + $3 * interval '1 ms'
      FROM free WHERE s.scan_id = $1 AND s.domain_id = free.domain_id
      RETURNING s.domain_id, s.lease_no
    )
    SELECT l.domain_id, l.lease_no, d.name, d.fact_id
    FROM leased l JOIN hermetic_scan.domain d ON d.id = l.domain_id`,
    [scanId, BATCH, LEASE_MS],
  );
  if (claimed.length === 0) return 0;
  const observed = await mapConcurrent(claimed, CONCURRENT, async (domain) => ({
    domain,
    observation: await work.observeDomain(domain.name, signal),
  }));
  await store(context, scanId, observed);
  return claimed.length;
}

interface Observed {
  readonly domain: ClaimedDomain;
  readonly observation: DomainObservation;
}

async function store(
  { database, facts, hosts }: ScanContext,
  scanId: number,
  observed: readonly Observed[],
): Promise<void> {
  const rows = await facts.save(observed.map(({ observation }) => observation.facts));
  const hostRows = await hosts.save(
    observed.flatMap(({ observation }) => observation.hosts.map(({ name }) => name)),
  );
  const entries = observed.map((one, index) => ({ ...one, factId: rows[index] as number }));
  await database.transaction(async (tx) => {
    const accepted = await tx.query<{ domain_id: number }>(
      `UPDATE hermetic_scan.scan_domain s
        SET state = 1, due_at = '-infinity', fact_id = g.fact_id, known = g.known
        FROM unnest($2::int[], $3::int[], $4::int[], $5::boolean[])
          AS g (domain_id, lease_no, fact_id, known)
        WHERE s.scan_id = $1 AND s.domain_id = g.domain_id AND s.lease_no = g.lease_no
          AND s.state = 0
        RETURNING s.domain_id`,
      [
        scanId,
        entries.map(({ domain }) => domain.domain_id),
        entries.map(({ domain }) => domain.lease_no),
        entries.map(({ factId }) => factId),
        entries.map(({ observation }) => observation.known),
      ],
    );
    const own = new Set(accepted.map(({ domain_id }) => domain_id));
    // An undetermined fact never replaces a known one.
    const known = entries.filter(
      ({ domain, observation }) => observation.known && own.has(domain.domain_id),
    );
    const changed = known.filter(({ domain, factId }) => domain.fact_id !== factId);
    await storeDomains(tx, known, changed);
    await linkHosts(tx, changed, hostRows);
    await addScanHosts(tx, scanId, { known, hostRows });
    await tx.query('UPDATE hermetic_scan.scan SET questions = questions + $2 WHERE id = $1', [
      scanId,
      observed.reduce((sum, { observation }) => sum + observation.questions, 0),
    ]);
  });
}

type Entry = Observed & { readonly factId: number };
type HostRows = ReadonlyMap<string, number>;

/** Equal facts move only `seen_at`. */
async function storeDomains(
  tx: Transaction,
  known: readonly Entry[],
  changed: readonly Entry[],
): Promise<void> {
  const isChanged = new Set(changed);
  const same = known.filter((entry) => !isChanged.has(entry));
  if (same.length > 0)
    await tx.query('UPDATE hermetic_scan.domain SET seen_at = now() WHERE id = ANY($1)', [
      same.map(({ domain }) => domain.domain_id),
    ]);
  if (changed.length === 0) return;
  await tx.query(
    `UPDATE hermetic_scan.domain d
      SET fact_id = g.fact_id, seen_at = now(), changed_at = now()
      FROM unnest($1::int[], $2::int[]) AS g (domain_id, fact_id) WHERE d.id = g.domain_id`,
    [changed.map(({ domain }) => domain.domain_id), changed.map(({ factId }) => factId)],
  );
}

async function linkHosts(
  tx: Transaction,
  changed: readonly Entry[],
  hostRows: HostRows,
): Promise<void> {
  const earlier = changed.filter(({ domain }) => domain.fact_id !== null);
  if (earlier.length > 0)
    await tx.query('DELETE FROM hermetic_scan.domain_host WHERE domain_id = ANY($1)', [
      earlier.map(({ domain }) => domain.domain_id),
    ]);
  const links = changed.flatMap(({ domain, observation }) =>
    observation.hosts.map(({ name, preference }) => ({
      domain: domain.domain_id,
      host: hostRows.get(name) as number,
      preference,
    })),
  );
  if (links.length === 0) return;
  await tx.query(
    `INSERT INTO hermetic_scan.domain_host (domain_id, host_id, preference)
      SELECT * FROM unnest($1::int[], $2::int[], $3::int[])
      ON CONFLICT (domain_id, host_id) DO NOTHING`,
    [
      links.map(({ domain }) => domain),
      links.map(({ host }) => host),
      links.map(({ preference }) => preference),
    ],
  );
}

async function addScanHosts(
  tx: Transaction,
  scanId: number,
  { known, hostRows }: { readonly known: readonly Entry[]; readonly hostRows: HostRows },
): Promise<void> {
  const required = new Map<number, boolean>();
  for (const { observation } of known)
    for (const { name } of observation.hosts) {
      const row = hostRows.get(name) as number;
      required.set(row, observation.visitAlways || required.get(row) === true);
    }
  if (required.size === 0) return;
  const rows = [...required.keys()].sort((a, b) => a - b);
  await tx.query(
    `INSERT INTO hermetic_scan.scan_host (scan_id, host_id, required)
      SELECT $1, g.host_id, g.required FROM unnest($2::int[], $3::boolean[]) AS g (host_id, required)
      ON CONFLICT (scan_id, host_id) DO UPDATE SET required = true
        WHERE excluded.required AND NOT scan_host.required`,
    [scanId, rows, rows.map((row) => required.get(row) === true)],
  );
}
