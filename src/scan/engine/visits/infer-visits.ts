import type { ScanContext } from '../contract/scan-context.js';
import type { Facts, NameGroup } from '../contract/scan-work.js';
import { visitCodes } from '../contract/visit-states.js';
import { nameGroupOf, SERVER_ROW, type GroupColumn } from './name-groups.js';

/** Maximum number of waiting visits that one claim plans. */
const MAX_PLANNED = 5000;
/** Reason of a visit that was left out of the sample of a large hosting provider. */
const NOT_SAMPLED = 'not-sampled';

interface WaitingVisit {
  readonly address_id: number;
  readonly host_id: number;
  readonly scan_id: number;
  readonly host: string;
  readonly address: string;
  readonly family: string;
  readonly families: number;
  readonly by_family: GroupColumn | null;
  readonly by_server: GroupColumn | null;
}

/**
 * Visits that measure the error of inference, by the group that could have replaced them.
 */
export type InferenceChecks = ReadonlyMap<string, NameGroup>;

/** Returns the key of a visit in {@link InferenceChecks}. */
export function visitKey(visit: { readonly address_id: number; readonly host_id: number }): string {
  return `${visit.address_id} ${visit.host_id}`;
}

/**
 * Settles waiting visits of the networks without a connection if other host names had the
 * same result at the address. A scan never infers the result of a name with a policy or TLSA records.
 * Returns the visits that are made to measure the error of inference. The caller holds
 * the leases, so no other worker changes these groups.
 */
export async function inferVisits(
  context: ScanContext,
  nets: readonly string[],
): Promise<InferenceChecks> {
  const { database, work, facts } = context;
  const waiting = await database.query<WaitingVisit>(WAITING, [
    nets,
    work.maxFamilies,
    work.probedNames,
    SERVER_ROW,
    MAX_PLANNED,
  ]);
  const checks = new Map<string, NameGroup>();
  if (waiting.length === 0) return checks;
  const models = await facts.load(
    waiting.flatMap(({ by_family, by_server }) =>
      [by_family?.model, by_server?.model].filter((id) => typeof id === 'number'),
    ),
  );
  const modelOf = (id: number | null) => (id === null ? undefined : models.get(id));
  const inferred: (WaitingVisit & { readonly facts: Facts })[] = [];
  const left: WaitingVisit[] = [];
  for (const visit of waiting) {
    const groups = {
      family: nameGroupOf(visit.by_family, modelOf),
      server: nameGroupOf(visit.by_server, modelOf),
    };
    const name = { ...visit, matters: false, seed: String(visit.scan_id) };
    const { kind, group } = work.planVisit(groups, { ...name, otherFamilies: visit.families });
    const known = group && groups[group];
    if (kind === 'leave') left.push(visit);
    if (kind === 'check' && group) checks.set(visitKey(visit), group);
    if (kind === 'infer' && known) inferred.push({ ...visit, facts: work.inferredFacts(known) });
  }
  if (inferred.length > 0 || left.length > 0) await settle(context, inferred, left);
  return checks;
}

/**
 * Waiting visits of networks at addresses with a group that may represent further names.
 */
const WAITING = `WITH known AS (
    SELECT f.address_id, f.name, f.scan_id, f.visited, f.state, f.model_fact_id AS model,
      coalesce(t.equal, 0) AS equal, coalesce(e.ended, false) AS ended,
      (f.ready OR coalesce(t.equal, 0) >= $3) AND e.ended IS NOT TRUE AS ready
    FROM hermetic_scan.address a JOIN hermetic_scan.family f ON f.address_id = a.id
    LEFT JOIN hermetic_scan.family_total t
      ON t.scan_id = f.scan_id AND t.name = f.counted_as AND t.digest = f.digest
    LEFT JOIN hermetic_scan.family_total e
      ON e.scan_id = f.scan_id AND e.name = f.counted_as AND e.digest = ''
    -- LIMIT: EXISTS could be planned as a hash of all waiting visits.
    CROSS JOIN LATERAL (SELECT FROM hermetic_scan.visit w
      WHERE w.address_id = a.id AND w.state = 0 LIMIT 1) w
    WHERE a.net = ANY($1::cidr[])
  ), crowded AS (
    SELECT address_id, scan_id, sum(visited)::int AS families FROM known
    GROUP BY address_id, scan_id HAVING bool_or(ready) OR sum(visited) >= $2
  )
  SELECT v.address_id, v.host_id, v.scan_id, h.name AS host, host(a.ip) AS address, h.family,
    CASE WHEN f.ready THEN jsonb_build_object('state', f.state, 'model', f.model,
      'equal', f.equal, 'ended', f.ended) END AS by_family,
    CASE WHEN s.ready THEN jsonb_build_object('state', s.state, 'model', s.model,
      'equal', s.equal, 'ended', s.ended) END AS by_server,
    c.families - (f.name IS NOT NULL)::int AS families
  FROM crowded c JOIN hermetic_scan.address a ON a.id = c.address_id
  JOIN hermetic_scan.visit v
    ON v.address_id = c.address_id AND v.scan_id = c.scan_id AND v.state = 0
  JOIN hermetic_scan.scan n ON n.id = v.scan_id AND n.state = 'running'
  JOIN hermetic_scan.host h ON h.id = v.host_id
  LEFT JOIN known f
    ON f.address_id = c.address_id AND f.name = h.family AND f.scan_id = v.scan_id
  LEFT JOIN known s ON s.address_id = c.address_id AND s.name = $4 AND s.scan_id = v.scan_id
  WHERE NOT v.required
    AND (f.ready OR s.ready OR (f.name IS NULL AND c.families >= $2))
  LIMIT $5`;

async function settle(
  { database, facts }: ScanContext,
  inferred: readonly (WaitingVisit & { readonly facts: Facts })[],
  left: readonly WaitingVisit[],
): Promise<void> {
  const rows = await facts.save(inferred.map((visit) => visit.facts));
  const settled = [
    ...inferred.map((visit, index) => ({
      ...{ visit, state: visitCodes.inferred, reason: null, row: rows[index] ?? null },
    })),
    ...left.map((visit) => ({
      ...{ visit, state: visitCodes.unreached, reason: NOT_SAMPLED, row: null },
    })),
  ];
  await database.query(
    `UPDATE hermetic_scan.visit v
      SET state = g.state, reason = g.reason, fact_id = g.fact_id, visited_at = now()
      FROM unnest($1::int[], $2::int[], $3::int[], $4::text[], $5::int[])
        AS g (address_id, host_id, state, reason, fact_id)
      WHERE v.address_id = g.address_id AND v.host_id = g.host_id AND v.state = 0`,
    [
      settled.map(({ visit }) => visit.address_id),
      settled.map(({ visit }) => visit.host_id),
      settled.map(({ state }) => state),
      settled.map(({ reason }) => reason),
      settled.map(({ row }) => row),
    ],
  );
}
