import type { Transaction } from '../database/database.js';
import { formatFacts } from '../database/store-facts.js';
import type { ScanContext } from '../contract/scan-context.js';
import type { ContactDecision, VisitObservation } from '../contract/scan-work.js';
import { TODAY } from '../database/today.js';
import type { ClaimedNetwork, ClaimedVisit } from './claim-visits.js';
import { storeGroups, type GroupResult } from './name-groups.js';
import type { Politeness } from './politeness.js';
import { visitCodes } from '../contract/visit-states.js';

/** A visit with its result; a visit without a result was not made and stays due. */
export interface MadeVisit {
  readonly visit: ClaimedVisit;
  readonly result?:
    { readonly observation: VisitObservation; readonly decision: ContactDecision } | undefined;
}

export interface CompletedNetwork {
  readonly network: ClaimedNetwork;
  readonly made: readonly MadeVisit[];
}

/**
 * Stores the results of visits and returns their networks. Results of a lease that ended
 * are dropped: another worker may have visited the address since. A second call with the
 * same results has no effect, since the reply to a COMMIT can be lost with the
 * connection.
 */
export async function completeVisits(
  { database, facts, work }: ScanContext,
  completed: readonly CompletedNetwork[],
  rules: Politeness,
): Promise<void> {
  const results = completed.flatMap(({ network, made }) =>
    made.map((one) => ({ ...one, net: network.net })),
  );
  const rows = await facts.save(results.map(({ result }) => result?.observation.facts ?? {}));
  const entries = results.map((one, index) => ({ ...one, factId: rows[index] as number }));
  await database.transaction(async (tx) => {
    const held = await tx.query<{ net: string }>(
      `SELECT host(n.net) || '/' || masklen(n.net) AS net FROM hermetic_scan.neighbourhood n
        JOIN unnest($1::cidr[], $2::bigint[]) AS g (net, lease_no)
          ON g.net = n.net AND g.lease_no = n.lease_no AND n.lease_by IS NOT NULL
        ORDER BY n.net FOR UPDATE OF n`,
      [
        completed.map(({ network }) => network.net),
        completed.map(({ network }) => network.leaseNo),
      ],
    );
    const own = new Set(held.map(({ net }) => net));
    const valid = entries.filter(({ net }) => own.has(net));
    await storeAnswers(tx, valid);
    await storeGroups(tx, groupResults(valid), work);
    await storeRests(tx, valid, rules);
    await giveUp(tx, valid);
    await countConnections(tx, valid);
    const returned = completed.filter(({ network }) => own.has(network.net));
    await release(tx, returned, rules);
  });
}

/** Reason of a visit that a TXT record of the operator refuses. */
const OPT_OUT_RECORD = 'opt-out-record';

type Entry = MadeVisit & { readonly factId: number };

/**
 * Stores the results. A session settles the visit, even if its result is a fault of the
 * server.
 */
async function storeAnswers(tx: Transaction, entries: readonly Entry[]): Promise<void> {
  const answered = entries.filter(({ result }) => result?.decision.isSettled);
  if (answered.length === 0) return;
  await tx.query(
    `UPDATE hermetic_scan.visit v
      SET state = g.state, fact_id = g.fact_id, reason = g.reason, visited_at = now(),
        valid_until = now() + g.valid_ms * interval '1 ms'
      FROM unnest($1::int[], $2::int[], $3::int[], $4::smallint[], $5::text[], $6::float8[])
        AS g (address_id, host_id, fact_id, state, reason, valid_ms)
      WHERE v.address_id = g.address_id AND v.host_id = g.host_id AND v.state = 0`,
    [
      answered.map(({ visit }) => visit.address_id),
      answered.map(({ visit }) => visit.host_id),
      answered.map(({ factId, result }) => (result?.observation.optedOut ? null : factId)),
      answered.map(
        ({ result }) => visitCodes[result?.observation.optedOut ? 'opted-out' : 'visited'],
      ),
      answered.map(({ result }) => (result?.observation.optedOut ? OPT_OUT_RECORD : null)),
      answered.map(({ result }) => result?.observation.validMs ?? null),
    ],
  );
}

/**
 * Returns the settled visits that can represent other names. Names with a policy or TLSA
 * records are always visited, and represent no other names.
 */
function groupResults(entries: readonly Entry[]): readonly GroupResult[] {
  return entries.flatMap(({ visit, result, factId }) =>
    result?.decision.isSettled && !result.observation.optedOut && !visit.required
      ? [{ visit, facts: result.observation.facts, factId }]
      : [],
  );
}

/**
 * Stores the time of the next permitted contact of each address, and returns unused
 * connections to the budget.
 */
async function storeRests(
  tx: Transaction,
  entries: readonly Entry[],
  { connectionsPerVisit, spacingMs }: Politeness,
): Promise<void> {
  if (entries.length === 0) return;
  const decisions = entries.map(({ result }) => result?.decision);
  await tx.query(
    `UPDATE hermetic_scan.address a SET
      spent = CASE WHEN a.day = ${TODAY} THEN greatest(0, a.spent - g.unused) ELSE a.spent END,
      standing = coalesce(g.standing, a.standing), rest_reason = g.reason,
      next_at = now() + g.pause_ms * interval '1 ms'
      FROM unnest($1::int[], $2::int[], $3::jsonb[], $4::text[], $5::float8[])
        AS g (id, unused, standing, reason, pause_ms)
      WHERE a.id = g.id`,
    [
      entries.map(({ visit }) => visit.address_id),
      entries.map(({ result }) =>
        Math.max(0, connectionsPerVisit - (result?.observation.connections ?? 0)),
      ),
      decisions.map((decision) => (decision ? formatFacts(decision.standing) : null)),
      decisions.map((decision) => decision?.reason ?? null),
      decisions.map((decision) => (decision?.restMs ?? 0) + spacingMs * (decision?.isSlow ? 2 : 1)),
    ],
  );
}

/** Ends all waiting visits of an address that the scan abandons, without a result. */
async function giveUp(tx: Transaction, entries: readonly Entry[]): Promise<void> {
  const ended = entries.filter(({ result }) => result?.decision.givesUp);
  if (ended.length === 0) return;
  // The facts of the last attempt show the reason; other names at the address have no
  // facts.
  await tx.query(
    `UPDATE hermetic_scan.visit v SET state = $5, reason = g.reason, visited_at = now(),
      fact_id = CASE WHEN v.host_id = g.host_id THEN g.fact_id END
      FROM unnest($1::int[], $2::int[], $3::int[], $4::text[])
        AS g (address_id, host_id, fact_id, reason)
      WHERE v.address_id = g.address_id AND v.state = 0`,
    [
      ended.map(({ visit }) => visit.address_id),
      ended.map(({ visit }) => visit.host_id),
      ended.map(({ factId }) => factId),
      ended.map(({ result }) => result?.decision.reason ?? 'silent'),
      visitCodes.unreached,
    ],
  );
}

async function countConnections(tx: Transaction, entries: readonly Entry[]): Promise<void> {
  const byScan = new Map<number, number>();
  for (const { visit, result } of entries)
    byScan.set(
      visit.scan_id,
      (byScan.get(visit.scan_id) ?? 0) + (result?.observation.connections ?? 0),
    );
  await tx.query(
    `UPDATE hermetic_scan.scan s SET connections = connections + g.n
      FROM unnest($1::int[], $2::int[]) AS g (id, n) WHERE s.id = g.id`,
    [[...byScan.keys()], [...byScan.values()]],
  );
}

/**
 * Ends the leases. A network is due again as soon as one of its addresses may be
 * contacted; a network without waiting visits is not due. Visits that another worker
 * added meanwhile change `wanted`.
 */
async function release(
  tx: Transaction,
  completed: readonly CompletedNetwork[],
  { dailyBudget, connectionsPerVisit }: Politeness,
): Promise<void> {
  if (completed.length === 0) return;
  await tx.query(
    `UPDATE hermetic_scan.neighbourhood n SET lease_by = NULL, lease_until = now(),
      contacted = n.contacted OR g.visited,
      due_at = CASE WHEN n.wanted <> g.wanted THEN now() ELSE coalesce((
        SELECT min(CASE WHEN a.day = ${TODAY} AND a.spent + $5 > $4
          THEN greatest(a.next_at, (${TODAY} + 1) AT TIME ZONE 'UTC') ELSE a.next_at END)
        -- LIMIT: EXISTS could be planned as a hash of all waiting visits.
        FROM hermetic_scan.address a CROSS JOIN LATERAL (
          SELECT FROM hermetic_scan.visit v JOIN hermetic_scan.scan s ON s.id = v.scan_id
          WHERE v.address_id = a.id AND v.state = 0 AND s.state = 'running' LIMIT 1) w
        WHERE a.net = n.net
      ), 'infinity') END
      FROM unnest($1::cidr[], $2::bigint[], $3::boolean[]) AS g (net, wanted, visited)
      WHERE n.net = g.net`,
    [
      completed.map(({ network }) => network.net),
      completed.map(({ network }) => network.wanted),
      completed.map(({ made }) => made.some(({ result }) => result !== undefined)),
      dailyBudget,
      connectionsPerVisit,
    ],
  );
}
