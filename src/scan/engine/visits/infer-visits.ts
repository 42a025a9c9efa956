import type { ScanContext } from '../contract/scan-context.js';
import type { Facts } from '../contract/scan-work.js';
import { visitCodes } from '../contract/visit-states.js';

/** Waiting visits that one claim plans. */
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
  readonly state: Facts | null;
  readonly model_fact_id: number | null;
  readonly families: number;
}

/**
 * Settles waiting visits of the networks without a connection, where other host names of
 * the same family showed one result at the address. Names that matter are never inferred.
 * The caller holds the leases, so no other worker changes these families.
 */
export async function inferVisits(context: ScanContext, nets: readonly string[]): Promise<void> {
  const waiting = await context.database.query<WaitingVisit>(
    `WITH crowded AS (
      SELECT a.id, a.ip, count(f.name) AS families, bool_or(f.ready) AS ready
      FROM hermetic_scan.address a JOIN hermetic_scan.family f ON f.address_id = a.id
      WHERE a.net = ANY($1::cidr[]) GROUP BY a.id, a.ip
      HAVING bool_or(f.ready) OR count(f.name) >= $2
    )
    SELECT v.address_id, v.host_id, v.scan_id, h.name AS host, host(c.ip) AS address, h.family,
      f.state, f.model_fact_id, c.families - (f.name IS NOT NULL)::int AS families
    FROM crowded c JOIN hermetic_scan.visit v ON v.address_id = c.id AND v.state = 0
    JOIN hermetic_scan.scan s ON s.id = v.scan_id AND s.state = 'running'
    JOIN hermetic_scan.host h ON h.id = v.host_id
    LEFT JOIN hermetic_scan.family f
      ON f.address_id = c.id AND f.name = h.family AND f.scan_id = v.scan_id
    WHERE NOT v.required AND (f.ready OR (f.name IS NULL AND c.families >= $2))
    LIMIT $3`,
    [nets, context.work.maxFamilies, MAX_PLANNED],
  );
  if (waiting.length === 0) return;
  const models = await context.facts.load(
    waiting.flatMap(({ model_fact_id }) => (model_fact_id === null ? [] : [model_fact_id])),
  );
  const inferred: (WaitingVisit & { readonly facts: Facts })[] = [];
  const left: WaitingVisit[] = [];
  for (const visit of waiting) {
    const { model_fact_id, state } = visit;
    const model = model_fact_id === null ? undefined : models.get(model_fact_id);
    const plan = context.work.planVisit(
      state ?? undefined,
      { ...visit, matters: false, seed: String(visit.scan_id), otherFamilies: visit.families },
      model,
    );
    if (plan === 'leave') left.push(visit);
    if (plan === 'infer' && model && state)
      inferred.push({ ...visit, facts: context.work.inferredFacts(state, model) });
  }
  await settle(context, inferred, left);
}

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
