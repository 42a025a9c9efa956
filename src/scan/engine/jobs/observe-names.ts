import type { Queries, Transaction } from '../database/database.js';
import { copyLine } from '../database/copy-text.js';
import { pauseForOwnNetwork } from '../visits/network-breaker.js';
import type { DomainObservation, ScanWork } from '../contract/scan-work.js';
import { lookUpBatch } from './look-up-batch.js';
import type { ScanContext } from '../contract/scan-context.js';
import { visitCodes } from '../contract/visit-states.js';
import {
  claimSlice,
  deferSlice,
  holdSlice,
  passSlice,
  sliceStages,
  type ClaimedSlice,
} from '../scans/scan-slices.js';

interface SliceDomain {
  readonly domain_id: number;
  readonly name: string;
  readonly fact_id: number | null;
}

/**
 * Claims a slice of a scan, looks up the records of its domains and stores the facts. The
 * slice stays at this stage while a policy host of its domains may not be contacted. The
 * scan pauses itself if its resolvers fail. Returns the number of slices: 0 means that
 * all are leased or done.
 */
export async function observeNames(context: ScanContext, scanId: number): Promise<number> {
  const { database, work, signal } = context;
  const slice = await claimSlice(database, scanId, 'names');
  if (!slice) return 0;
  const domains = await database.query<SliceDomain>(
    `SELECT l.domain_id, d.name, d.fact_id
      FROM hermetic_scan.scan n
      JOIN hermetic_scan.list_domain l ON l.list_id = n.list_id
      JOIN hermetic_scan.domain d ON d.id = l.domain_id
      LEFT JOIN hermetic_scan.scan_domain s ON s.scan_id = n.id AND s.domain_id = l.domain_id
      WHERE n.id = $1 AND l.domain_id BETWEEN $2 AND $3 AND s.domain_id IS NULL`,
    [scanId, slice.firstId, slice.lastId],
  );
  const web = context.web.of(scanId);
  const observed = await lookUpBatch(domains, signal, async (domain) => ({
    domain,
    observation: await work.observeDomain(domain.name, signal, web),
  }));
  if (isOwnFault(work, observed)) {
    await pauseForOwnNetwork(database, [scanId]);
    await database.transaction(async (tx) => {
      if (await holdSlice(tx, slice)) await deferSlice(tx, slice, 0);
    });
    return 0;
  }
  await store(context, slice, observed);
  return 1;
}

/**
 * Returns whether most lookups failed because of the resolvers: unknown facts would not
 * describe the domains.
 */
function isOwnFault(work: ScanWork, observed: readonly Observed[]): boolean {
  const unknown = observed.filter(({ observation }) => !observation.known);
  return 2 * unknown.length > observed.length && work.resolverFails();
}

interface Observed {
  readonly domain: SliceDomain;
  readonly observation: DomainObservation;
}

async function store(
  { database, facts, hosts }: ScanContext,
  slice: ClaimedSlice,
  all: readonly Observed[],
): Promise<void> {
  const observed = all.filter(({ observation }) => observation.deferMs === undefined);
  const rows = await facts.save(observed.map(({ observation }) => observation.facts));
  const hostRows = await hosts.save(observed.flatMap(({ observation }) => observation.hosts));
  const entries = observed.map((one, index) => ({ ...one, factId: rows[index] as number }));
  // An undetermined fact never replaces a known one.
  const known = entries.filter(({ observation }) => observation.known);
  const changed = known.filter(({ domain, factId }) => domain.fact_id !== factId);
  await addScanHosts(database, slice, { known, hostRows });
  await database.transaction(async (tx) => {
    if (!(await holdSlice(tx, slice))) return;
    await tx.copyIn(
      `hermetic_scan.scan_domain_${slice.scanId} (scan_id, domain_id, known, fact_id, host_ids)`,
      entries.map(({ domain, observation, factId }) => {
        const named = observation.known ? observation.hosts : [];
        const ids = named.map((name) => hostRows.get(name));
        return copyLine([
          ...[slice.scanId, domain.domain_id],
          ...[String(observation.known), factId, `{${ids.join(',')}}`],
        ]);
      }),
    );
    await storeDomains(tx, known, changed);
    await tx.query('UPDATE hermetic_scan.scan SET questions = questions + $2 WHERE id = $1', [
      slice.scanId,
      all.reduce((sum, { observation }) => sum + observation.questions, 0),
    ]);
    const deferMs = shortestDefer(all);
    if (deferMs === undefined) await passSlice(tx, slice);
    else await deferSlice(tx, slice, deferMs);
  });
}

/**
 * Returns the milliseconds until the first deferred domain can be observed; undefined
 * without a deferred domain.
 */
function shortestDefer(all: readonly Observed[]): number | undefined {
  const times = all.flatMap(({ observation }) => observation.deferMs ?? []);
  return times.length > 0 ? Math.min(...times) : undefined;
}

type Entry = Observed & { readonly factId: number };
type HostRows = ReadonlyMap<string, number>;

/** Stores the observed domains. If the facts are equal, only `seen_at` changes. */
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

/**
 * Adds hosts to the scan while the lease is valid. A host that an earlier slice added
 * without a policy is visited from now on, even if its result was inferred before. The
 * statement runs outside of a transaction, which would lock the rows of common hosts
 * against other slices until its end.
 */
async function addScanHosts(
  database: Queries,
  { scanId, number, leaseNo }: ClaimedSlice,
  { known, hostRows }: { readonly known: readonly Entry[]; readonly hostRows: HostRows },
): Promise<void> {
  const required = new Map<number, boolean>();
  for (const { observation } of known)
    for (const name of observation.hosts) {
      const row = hostRows.get(name) as number;
      required.set(row, observation.visitAlways || required.get(row) === true);
    }
  if (required.size === 0) return;
  const rows = [...required.keys()].sort((a, b) => a - b);
  await database.query(
    `WITH held AS (
      SELECT number FROM hermetic_scan.scan_slice
      WHERE scan_id = $1 AND number = $4 AND lease_no = $5 AND stage = $6 FOR SHARE
    ), added AS (
      INSERT INTO hermetic_scan.scan_host (scan_id, host_id, required, slice)
      SELECT $1, g.host_id, g.required, held.number
      FROM held, unnest($2::int[], $3::boolean[]) AS g (host_id, required)
      ON CONFLICT (scan_id, host_id) DO UPDATE SET required = true
        WHERE excluded.required AND NOT scan_host.required
      RETURNING host_id, xmax <> 0 AS raised
    ), opened AS (
      UPDATE hermetic_scan.visit v
      SET required = true, state = CASE WHEN v.state = $7 THEN 0 ELSE v.state END
      FROM added WHERE added.raised AND v.host_id = added.host_id AND NOT v.required
      RETURNING v.address_id, v.state
    )
    UPDATE hermetic_scan.neighbourhood
      SET wanted = wanted + 1, due_at = least(due_at, now())
      WHERE net IN (SELECT a.net FROM opened o
        JOIN hermetic_scan.address a ON a.id = o.address_id WHERE o.state = 0)`,
    [
      ...[scanId, rows, rows.map((row) => required.get(row) === true)],
      ...[number, leaseNo, sliceStages.names, visitCodes.inferred],
    ],
  );
}
