import type { Queries, Transaction } from '../database/database.js';
import type {
  DomainComparison,
  DomainFactSet,
  DomainGrade,
  VisitFacts,
} from '../contract/scan-work.js';
import { scanNumbered } from '../scans/stored-scan.js';
import { visitCodes, visitStateOf } from '../contract/visit-states.js';
import { formatFacts } from '../database/store-facts.js';
import type { ScanContext } from '../contract/scan-context.js';
import { blockSlice, claimSlice, holdSlice, passSlice } from '../scans/scan-slices.js';

interface SliceDomain {
  readonly domain_id: number;
  readonly name: string;
  readonly fact_id: number;
  readonly stands_id: number | null;
  readonly host_ids: readonly number[];
}

/**
 * Claims a slice of a scan, grades the domains whose hosts are all settled, and stores
 * grades and changes. A slice with unsettled hosts stays due. Returns the number of
 * slices.
 */
export async function gradeDomains(context: ScanContext, scanId: number): Promise<number> {
  const { database } = context;
  const slice = await claimSlice(database, scanId, 'grades');
  if (!slice) return 0;
  const domains = await database.query<SliceDomain>(
    `SELECT s.domain_id, s.fact_id, s.host_ids, d.name, d.stands_id
      FROM hermetic_scan.scan_domain s JOIN hermetic_scan.domain d ON d.id = s.domain_id
      WHERE s.scan_id = $1 AND s.domain_id BETWEEN $2 AND $3 AND s.shape_id IS NULL`,
    [scanId, slice.firstId, slice.lastId],
  );
  const hosts = await loadHosts(database, domains);
  const settled = domains.filter(
    ({ host_ids }) => !host_ids.some((id) => hosts.get(id)?.isWaiting),
  );
  const rows = await gradeAll(context, scanId, settled, hosts);
  await database.transaction(async (tx) => {
    if (!(await holdSlice(tx, slice))) return;
    await store(tx, scanId, rows);
    await (settled.length < domains.length ? blockSlice(tx, slice) : passSlice(tx, slice));
  });
  return 1;
}

/** Grades domains, and stores the grades and the current facts. */
async function gradeAll(
  context: ScanContext,
  scanId: number,
  claimed: readonly SliceDomain[],
  hosts: HostRows,
): Promise<readonly GradedRow[]> {
  const { database, work } = context;
  const { startedAt } = await scanNumbered(database, scanId);
  const sets = await factSets(context.facts, claimed, { hosts, date: startedAt });
  const before = await context.facts.load(
    claimed.flatMap(({ stands_id }) => (stands_id === null ? [] : [stands_id])),
  );
  const graded = claimed.map((domain, index): Graded => {
    const facts = sets[index] as DomainFactSet;
    const grade = work.gradeDomain(facts);
    const stood = domain.stands_id === null ? undefined : before.get(domain.stands_id);
    return { domain, grade, comparison: work.compareDomain(stood, facts, grade) };
  });
  const shapes = await context.facts.save(graded.map(({ grade }) => grade));
  const stands = await context.facts.save(graded.map(({ comparison }) => comparison.stands));
  return graded.map((one, index) => ({
    ...one,
    shape: shapes[index] as number,
    stands: stands[index] as number,
  }));
}

interface Graded {
  readonly domain: SliceDomain;
  readonly grade: DomainGrade;
  readonly comparison: DomainComparison;
}

interface DomainRows {
  readonly domain_id: number;
  readonly name: string;
  readonly fact_id: number;
  /** Mail hosts in the order of preference; none if the domain could not be observed. */
  readonly host_ids: readonly number[];
}

type HostRows = ReadonlyMap<number, HostRow>;

/** Returns all facts of domains, in the same order. */
export async function factSets(
  facts: ScanContext['facts'],
  domains: readonly DomainRows[],
  { hosts, date }: { readonly hosts: HostRows; readonly date: Date },
): Promise<readonly DomainFactSet[]> {
  const used = new Set(domains.flatMap(({ host_ids }) => host_ids));
  const bodies = await facts.load([
    ...domains.map(({ fact_id }) => fact_id),
    ...[...used].flatMap((id) => {
      const { fact_id = null, visits = [] } = hosts.get(id) ?? {};
      return [fact_id, ...visits.map((visit) => visit.fact_id)].filter((row) => row !== null);
    }),
  ]);
  const contentOf = (row: number | null) => (row === null ? undefined : bodies.get(row));
  const ready = new Map(
    [...hosts].map(([id, { name, fact_id, visits }]) => [
      id,
      { name, facts: contentOf(fact_id), visits: visits.flatMap((row) => visitOf(row, contentOf)) },
    ]),
  );
  return domains.map(({ name, fact_id, host_ids }) => ({
    domain: name,
    at: date.toISOString(),
    facts: contentOf(fact_id) ?? {},
    hosts: host_ids.flatMap((id) => ready.get(id) ?? []),
  }));
}

interface VisitRow {
  readonly host_id: number;
  readonly address: string;
  readonly state: number;
  readonly reason: string | null;
  readonly fact_id: number | null;
}

interface HostRow {
  readonly name: string;
  readonly fact_id: number | null;
  readonly visits: readonly VisitRow[];
  readonly isWaiting: boolean;
}

/** Returns the mail hosts of domains with their visits. */
export async function loadHosts(
  database: Queries,
  domains: readonly Pick<DomainRows, 'host_ids'>[],
): Promise<HostRows> {
  const ids = [...new Set(domains.flatMap(({ host_ids }) => host_ids))];
  const rows = await database.query<{ id: number; name: string; fact_id: number | null }>(
    'SELECT id, name, fact_id FROM hermetic_scan.host WHERE id = ANY($1)',
    [ids],
  );
  const visits = await database.query<VisitRow>(
    `SELECT v.host_id, host(a.ip) AS address, v.state, v.reason, v.fact_id
      FROM hermetic_scan.visit v JOIN hermetic_scan.address a ON a.id = v.address_id
      WHERE v.host_id = ANY($1) ORDER BY a.ip`,
    [ids],
  );
  const byHost = new Map<number, VisitRow[]>();
  for (const visit of visits)
    byHost.set(visit.host_id, [...(byHost.get(visit.host_id) ?? []), visit]);
  return new Map(
    rows.map((row) => {
      const own = byHost.get(row.id) ?? [];
      const isWaiting = own.some(({ state }) => state === visitCodes.waiting);
      return [row.id, { ...row, visits: own, isWaiting }];
    }),
  );
}

function visitOf(
  { address, state, reason, fact_id }: VisitRow,
  contentOf: (row: number | null) => VisitFacts['facts'],
): readonly VisitFacts[] {
  const settled = visitStateOf(state);
  if (settled === undefined) return [];
  return [{ address, state: settled, reason: reason ?? undefined, facts: contentOf(fact_id) }];
}

/** A graded domain with the rows of its grade and of its current facts. */
type GradedRow = Graded & { readonly shape: number; readonly stands: number };

async function store(tx: Transaction, scanId: number, graded: readonly GradedRow[]): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.scan_domain s SET shape_id = g.shape_id
      FROM unnest($2::int[], $3::int[]) AS g (domain_id, shape_id)
      WHERE s.scan_id = $1 AND s.domain_id = g.domain_id AND s.shape_id IS NULL`,
    [scanId, graded.map(({ domain }) => domain.domain_id), graded.map(({ shape }) => shape)],
  );
  const changed = graded.filter(({ domain, stands }) => domain.stands_id !== stands);
  if (changed.length === 0) return;
  const changes = changed.flatMap(({ domain, comparison }) =>
    comparison.changes.map((change) => ({ ...change, domain: domain.domain_id })),
  );
  await tx.query(
    `INSERT INTO hermetic_scan.change (scan_id, domain_id, kind, was, "is")
      SELECT $1, * FROM unnest($2::int[], $3::text[], $4::jsonb[], $5::jsonb[])
      ON CONFLICT (scan_id, domain_id, kind) DO NOTHING`,
    [
      scanId,
      changes.map(({ domain }) => domain),
      changes.map(({ kind }) => kind),
      changes.map(({ was }) => formatFacts(was)),
      changes.map(({ is }) => formatFacts(is)),
    ],
  );
  await tx.query(
    `UPDATE hermetic_scan.domain d SET stands_id = g.stands_id
      FROM unnest($1::int[], $2::int[]) AS g (domain_id, stands_id) WHERE d.id = g.domain_id`,
    [changed.map(({ domain }) => domain.domain_id), changed.map(({ stands }) => stands)],
  );
}
