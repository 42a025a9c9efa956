import type { Database, Transaction } from '../database/database.js';
import type { FactStore } from '../database/store-facts.js';
import type { VisitObservation } from '../work/scan-work.js';
import { TODAY, type ClaimedNetwork, type ClaimedVisit } from './claim-visits.js';
import type { Politeness } from './politeness.js';
import { visitCodes } from '../work/visit-states.js';

/** A visit with its result; without one, it was not made and stays due. */
export interface MadeVisit {
  readonly visit: ClaimedVisit;
  readonly observation: VisitObservation | undefined;
}

export interface CompletedNetwork {
  readonly network: ClaimedNetwork;
  readonly made: readonly MadeVisit[];
}

/**
 * Stores the results of visits and returns their networks. Results of a lease that ended
 * are dropped: another worker may have visited the address since.
 */
export async function completeVisits(
  { database, facts }: { readonly database: Database; readonly facts: FactStore },
  completed: readonly CompletedNetwork[],
  rules: Politeness,
): Promise<void> {
  const results = completed.flatMap(({ network, made }) =>
    made.map((one) => ({ ...one, net: network.net })),
  );
  const rows = await facts.save(results.map(({ observation }) => observation?.facts ?? {}));
  const entries = results.map((one, index) => ({ ...one, factId: rows[index] as number }));
  await database.transaction(async (tx) => {
    const held = await tx.query<{ net: string }>(
      `SELECT host(n.net) || '/' || masklen(n.net) AS net FROM hermetic_scan.neighbourhood n
        JOIN unnest($1::cidr[], $2::bigint[]) AS g (net, lease_no)
          ON g.net = n.net AND g.lease_no = n.lease_no
        ORDER BY n.net FOR UPDATE OF n`,
      [
        completed.map(({ network }) => network.net),
        completed.map(({ network }) => network.leaseNo),
      ],
    );
    const own = new Set(held.map(({ net }) => net));
    const valid = entries.filter(({ net }) => own.has(net));
    await storeAnswers(tx, valid);
    await storeRests(tx, valid, rules);
    await giveUp(tx, valid, rules);
    await countConnections(tx, valid);
    const returned = completed.filter(({ network }) => own.has(network.net));
    await release(tx, returned, rules);
  });
}

type Entry = MadeVisit & { readonly factId: number };

/** A session settles the visit, also where its result is a fault of the server. */
async function storeAnswers(tx: Transaction, entries: readonly Entry[]): Promise<void> {
  const answered = entries.filter(({ observation }) => observation?.reply === 'answered');
  if (answered.length === 0) return;
  await tx.query(
    `UPDATE hermetic_scan.visit v
      SET state = $4, fact_id = g.fact_id, reason = NULL, visited_at = now()
      FROM unnest($1::int[], $2::int[], $3::int[]) AS g (address_id, host_id, fact_id)
      WHERE v.address_id = g.address_id AND v.host_id = g.host_id AND v.state = 0`,
    [
      answered.map(({ visit }) => visit.address_id),
      answered.map(({ visit }) => visit.host_id),
      answered.map(({ factId }) => factId),
      visitCodes.visited,
    ],
  );
}

/** Decides when each address may be contacted again. */
async function storeRests(
  tx: Transaction,
  entries: readonly Entry[],
  rules: Politeness,
): Promise<void> {
  if (entries.length === 0) return;
  const replies = entries.map(({ observation }) => observation?.reply ?? 'not-made');
  await tx.query(
    `UPDATE hermetic_scan.address a SET
      spent = CASE WHEN a.day = ${TODAY} THEN greatest(0, a.spent - g.unused) ELSE a.spent END,
      rests = CASE g.reply WHEN 'answered' THEN 0 WHEN 'not-made' THEN a.rests
        WHEN 'silent' THEN a.rests ELSE a.rests + 1 END,
      silences = CASE g.reply WHEN 'silent' THEN a.silences + 1 WHEN 'not-made' THEN a.silences
        ELSE 0 END,
      slow = a.slow OR g.reply = 'too-many',
      rest_reason = CASE WHEN g.reply IN ('answered', 'not-made') THEN NULL ELSE g.reason END,
      next_at = now() + interval '1 ms' * CASE g.reply
        WHEN 'not-made' THEN $5::float8 * (1 + a.slow::int)
        WHEN 'answered' THEN $5::float8 * (1 + a.slow::int)
        WHEN 'silent' THEN $6::float8
        ELSE ($7::float8[])[least(a.rests + 1, cardinality($7::float8[]))] END
      FROM unnest($1::int[], $2::text[], $3::text[], $4::int[]) AS g (id, reply, reason, unused)
      WHERE a.id = g.id`,
    [
      entries.map(({ visit }) => visit.address_id),
      replies,
      entries.map(({ observation }) => observation?.reason?.slice(0, 200) ?? null),
      entries.map(({ observation }) =>
        Math.max(0, rules.connectionsPerVisit - (observation?.connections ?? 0)),
      ),
      rules.spacingMs,
      rules.silenceMs,
      rules.restsMs,
    ],
  );
}

/** After too many rests, all waiting visits of an address end without a result. */
async function giveUp(
  tx: Transaction,
  entries: readonly Entry[],
  { maxRests, maxSilences }: Politeness,
): Promise<void> {
  const turnedAway = entries.filter(({ observation }) => (observation?.reply ?? '') !== 'answered');
  if (turnedAway.length === 0) return;
  // The facts of the last attempt tell the reason; other names at the address have none.
  await tx.query(
    `WITH ended AS (
      UPDATE hermetic_scan.address SET rests = 0, silences = 0
      WHERE id = ANY($1) AND (rests > $4 OR silences >= $5) RETURNING id, rest_reason
    )
    UPDATE hermetic_scan.visit v
    SET state = $6, reason = ended.rest_reason, visited_at = now(), fact_id = (
      SELECT g.fact_id FROM unnest($1::int[], $2::int[], $3::int[]) AS g (id, host_id, fact_id)
      WHERE g.id = v.address_id AND g.host_id = v.host_id)
    FROM ended WHERE v.address_id = ended.id AND v.state = 0`,
    [
      turnedAway.map(({ visit }) => visit.address_id),
      turnedAway.map(({ visit }) => visit.host_id),
      turnedAway.map(({ factId }) => factId),
      maxRests,
      maxSilences,
      visitCodes.unreached,
    ],
  );
}

async function countConnections(tx: Transaction, entries: readonly Entry[]): Promise<void> {
  const byScan = new Map<number, number>();
  for (const { visit, observation } of entries)
    byScan.set(visit.scan_id, (byScan.get(visit.scan_id) ?? 0) + (observation?.connections ?? 0));
  await tx.query(
    `UPDATE hermetic_scan.scan s SET connections = connections + g.n
      FROM unnest($1::int[], $2::int[]) AS g (id, n) WHERE s.id = g.id`,
    [[...byScan.keys()], [...byScan.values()]],
  );
}

/**
 * Ends the leases. A network is due again when its first address may be contacted; without
 * waiting visits, never. Visits that another worker added meanwhile change `wanted`.
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
        FROM hermetic_scan.address a WHERE a.net = n.net AND EXISTS (
          SELECT FROM hermetic_scan.visit v JOIN hermetic_scan.scan s ON s.id = v.scan_id
          WHERE v.address_id = a.id AND v.state = 0 AND s.state = 'running')
      ), 'infinity') END
      FROM unnest($1::cidr[], $2::bigint[], $3::boolean[]) AS g (net, wanted, visited)
      WHERE n.net = g.net`,
    [
      completed.map(({ network }) => network.net),
      completed.map(({ network }) => network.wanted),
      completed.map(({ made }) => made.some(({ observation }) => observation !== undefined)),
      dailyBudget,
      connectionsPerVisit,
    ],
  );
}
