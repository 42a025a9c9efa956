import { createHash } from 'node:crypto';
import type { Queries, Transaction } from '../database/database.js';
import type {
  DomainComparison,
  DomainFactSet,
  DomainGrade,
  VisitFacts,
} from '../contract/scan-work.js';
import { scanNumbered } from '../scans/stored-scan.js';
import { visitStateOf } from '../contract/visit-states.js';
import { formatFacts } from '../database/store-facts.js';
import type { ScanContext } from '../contract/scan-context.js';
import { blockSlice, claimSlice, holdSlice, passSlice } from '../scans/scan-slices.js';

interface SliceDomain {
  readonly domain_id: number;
  readonly name: string;
  readonly known: boolean;
  readonly fact_id: number;
  readonly stands_id: number | null;
}

/**
 * Claims a slice of a scan, grades the domains whose hosts are all settled, and stores
 * shapes and changes. A slice with other domains stays due. Returns the number of slices.
 */
export async function gradeDomains(context: ScanContext, scanId: number): Promise<number> {
  const { database } = context;
  const slice = await claimSlice(database, scanId, 'grades');
  if (!slice) return 0;
  const domains = await database.query<SliceDomain>(
    `SELECT s.domain_id, s.known, s.fact_id, d.name, d.stands_id
      FROM hermetic_scan.scan_domain s JOIN hermetic_scan.domain d ON d.id = s.domain_id
      WHERE s.scan_id = $1 AND s.domain_id BETWEEN $2 AND $3 AND s.state = 1`,
    [scanId, slice.firstId, slice.lastId],
  );
  const waiting = await blockedDomains(database, domains);
  const settled = domains.filter(({ domain_id }) => !waiting.has(domain_id));
  const rows = await gradeAll(context, scanId, settled);
  await database.transaction(async (tx) => {
    if (!(await holdSlice(tx, slice))) return;
    await store(tx, scanId, rows);
    await (waiting.size > 0 ? blockSlice(tx, slice) : passSlice(tx, slice));
  });
  return 1;
}

/** Returns the domains with a host that still waits for a visit. */
async function blockedDomains(
  database: Queries,
  domains: readonly SliceDomain[],
): Promise<ReadonlySet<number>> {
  const rows = await database.query<{ domain_id: number }>(
    `SELECT DISTINCT h.domain_id FROM hermetic_scan.domain_host h
      JOIN hermetic_scan.visit v ON v.host_id = h.host_id AND v.state = 0
      WHERE h.domain_id = ANY($1) AND EXISTS (SELECT FROM hermetic_scan.visit WHERE state = 0)`,
    [domains.map(({ domain_id }) => domain_id)],
  );
  return new Set(rows.map(({ domain_id }) => domain_id));
}

/** Grades domains, and stores the grades and the current facts. */
async function gradeAll(
  context: ScanContext,
  scanId: number,
  claimed: readonly SliceDomain[],
): Promise<readonly GradedRow[]> {
  const { database, work } = context;
  const { startedAt } = await scanNumbered(database, scanId);
  const sets = await loadFactSets(context, claimed, startedAt);
  const before = await context.facts.load(
    claimed.flatMap(({ stands_id }) => (stands_id === null ? [] : [stands_id])),
  );
  const graded = claimed.map((domain, index): Graded => {
    const facts = sets[index] as DomainFactSet;
    const grade = work.gradeDomain(facts);
    const stood = domain.stands_id === null ? undefined : before.get(domain.stands_id);
    return { domain, grade, comparison: work.compareDomain(stood, facts, grade) };
  });
  const shapes = await saveShapes(
    database,
    graded.map(({ grade }) => grade),
  );
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
  /** False: the domain could not be observed, and its earlier hosts do not count. */
  readonly known: boolean;
}

/** Returns all facts of domains, in the same order. */
export async function loadFactSets(
  { database, facts }: { readonly database: Queries; readonly facts: ScanContext['facts'] },
  domains: readonly DomainRows[],
  date: Date,
): Promise<readonly DomainFactSet[]> {
  const links = await database.query<{ domain_id: number; host_id: number; preference: number }>(
    `SELECT l.domain_id, l.host_id, l.preference FROM hermetic_scan.domain_host l
      JOIN hermetic_scan.host h ON h.id = l.host_id
      WHERE l.domain_id = ANY($1) ORDER BY l.preference, h.name`,
    [domains.filter(({ known }) => known).map(({ domain_id }) => domain_id)],
  );
  const hosts = await loadHosts(database, [...new Set(links.map(({ host_id }) => host_id))]);
  const bodies = await facts.load([
    ...domains.map(({ fact_id }) => fact_id),
    ...[...hosts.values()].flatMap(({ fact_id, visits }) =>
      [fact_id, ...visits.map((visit) => visit.fact_id)].filter((row) => row !== null),
    ),
  ]);
  const contentOf = (row: number | null) => (row === null ? undefined : bodies.get(row));
  const ready = new Map(
    [...hosts].map(([id, { name, fact_id, visits }]) => [
      id,
      { name, facts: contentOf(fact_id), visits: visits.flatMap((row) => visitOf(row, contentOf)) },
    ]),
  );
  const byDomain = new Map<number, DomainFactSet['hosts'][number][]>();
  for (const { domain_id, host_id, preference } of links) {
    const host = ready.get(host_id);
    if (!host) continue;
    const own = byDomain.get(domain_id) ?? [];
    byDomain.set(domain_id, own);
    own.push({ ...host, preference });
  }
  return domains.map(({ domain_id, name, fact_id }) => ({
    domain: name,
    at: date.toISOString(),
    facts: contentOf(fact_id) ?? {},
    hosts: byDomain.get(domain_id) ?? [],
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
}

async function loadHosts(
  database: Queries,
  ids: readonly number[],
): Promise<ReadonlyMap<number, HostRow>> {
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
  return new Map(rows.map((row) => [row.id, { ...row, visits: byHost.get(row.id) ?? [] }]));
}

function visitOf(
  { address, state, reason, fact_id }: VisitRow,
  contentOf: (row: number | null) => VisitFacts['facts'],
): readonly VisitFacts[] {
  const settled = visitStateOf(state);
  if (settled === undefined) return [];
  return [{ address, state: settled, reason: reason ?? undefined, facts: contentOf(fact_id) }];
}

/** Stores grades, each distinct one once, and returns their rows in the same order. */
async function saveShapes(
  database: Queries,
  grades: readonly DomainGrade[],
): Promise<readonly number[]> {
  const texts = new Map<DomainGrade, string>();
  const byDigest = new Map<string, string>();
  for (const grade of grades) {
    if (texts.has(grade)) continue;
    const text = formatFacts(grade);
    const digest = createHash('sha256').update(text).digest('hex');
    texts.set(grade, digest);
    byDigest.set(digest, text);
  }
  const digests = [...byDigest.keys()].sort();
  await database.query(
    `INSERT INTO hermetic_scan.shape (digest, grade)
      SELECT decode(digest, 'hex'), grade FROM unnest($1::text[], $2::jsonb[]) AS g (digest, grade)
      WHERE NOT EXISTS (SELECT FROM hermetic_scan.shape s WHERE s.digest = decode(g.digest, 'hex'))
      ON CONFLICT (digest) DO NOTHING`,
    [digests, digests.map((digest) => byDigest.get(digest))],
  );
  const rows = await database.query<{ id: number; digest: string }>(
    `SELECT s.id, g.digest FROM unnest($1::text[]) AS g (digest)
      JOIN hermetic_scan.shape s ON s.digest = decode(g.digest, 'hex')`,
    [digests],
  );
  const ids = new Map(rows.map(({ id, digest }) => [digest, id]));
  return grades.map((grade) => ids.get(texts.get(grade) as string) as number);
}

/** A graded domain with the rows of its grade and of its current facts. */
type GradedRow = Graded & { readonly shape: number; readonly stands: number };

async function store(tx: Transaction, scanId: number, graded: readonly GradedRow[]): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.scan_domain s SET state = 2, shape_id = g.shape_id
      FROM unnest($2::int[], $3::int[]) AS g (domain_id, shape_id)
      WHERE s.scan_id = $1 AND s.domain_id = g.domain_id AND s.state = 1`,
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
