import { networkOf, parseIp } from '../../../base/index.js';
import { formatFacts, type Facts } from '../database/store-facts.js';
import type { Queries } from '../database/database.js';
import { TODAY } from '../database/today.js';

/**
 * The table of an address: `address` lists the mail servers that scans and the check page
 * of a daemon contact; `web_address` lists policy hosts.
 */
export type AddressTable = 'address' | 'web_address';

/** A requested contact with one address. */
export interface WantedContact {
  readonly table: AddressTable;
  readonly address: string;
  /** The names of the server, to which the list of opt-outs applies. */
  readonly names: readonly string[];
  /** Maximum number of connections of the contact. */
  readonly connections: number;
  readonly dailyBudget: number;
  /**
   * Milliseconds for which no other process contacts the address. After that time, a
   * contact that its holder has not returned counts as abandoned.
   */
  readonly holdMs: number;
  /** The running scan that requests the contact; absent for a check. */
  readonly scan?: number | undefined;
}

/** A granted contact, whose connections are already counted. */
export interface HeldAddress {
  readonly kind: 'held';
  readonly table: AddressTable;
  readonly address: string;
  /**
   * Connections that the holder may open: fewer than requested if the daily budget has
   * fewer left.
   */
  readonly connections: number;
  /** Identifies the holder. */
  readonly heldUntil: string;
  readonly standing: Facts | undefined;
}

/**
 * The reason why a contact is not granted. `later`: request it again after `ms`
 * milliseconds.
 */
export type NotHeld =
  | { readonly kind: 'opted-out' | 'given-up' }
  | { readonly kind: 'later'; readonly ms: number; readonly isSpent: boolean };

/** SQL expression for the number of connections to the address on this day. */
const SPENT = `CASE WHEN a.day < ${TODAY} THEN 0 ELSE a.spent END`;

const OPTED_OUT = `EXISTS (SELECT FROM hermetic_scan.opt_out o
  WHERE o.net >>= $1::inet OR o.name = ANY ($2::text[])
    OR (o.name LIKE '*.%' AND EXISTS (SELECT FROM unnest($2::text[]) AS n (name)
      WHERE right(n.name, length(o.name) - 1) = substr(o.name, 2))))`;

const STOPPED = `($3::int IS NOT NULL AND NOT EXISTS (SELECT FROM hermetic_scan.scan
  WHERE id = $3::int AND state = 'running'))`;

/**
 * Takes connections from the daily budget of an address, and holds the address. One SQL
 * statement decides, so any number of processes may request the address at the same time:
 * one process gets it, and all processes together stay within the budget. The statement
 * counts connections *before* the holder opens them; `returnAddress` returns unused
 * connections to the budget.
 */
export async function takeAddress(
  database: Queries,
  wanted: WantedContact,
): Promise<HeldAddress | NotHeld> {
  const { table, address, names, connections, dailyBudget, holdMs, scan } = wanted;
  const [held] = await database.query<{
    connections: number;
    held_until: string;
    standing: Facts | null;
  }>(
    `INSERT INTO hermetic_scan.${table} AS a (ip, net, day, spent, reserved, next_at)
      SELECT $1::inet, $4::cidr, ${TODAY}, least($5::int, $6::int), least($5::int, $6::int),
        now() + $7 * interval '1 ms'
      WHERE NOT ${OPTED_OUT} AND NOT ${STOPPED}
      ON CONFLICT (ip) DO UPDATE SET day = ${TODAY},
        reserved = least($5, $6 - ${SPENT}), spent = ${SPENT} + least($5, $6 - ${SPENT}),
        next_at = excluded.next_at
      WHERE a.next_at <= now() AND ${SPENT} < $6 AND (a.given_up = $3::int) IS NOT TRUE
      RETURNING a.reserved AS connections, a.next_at::text AS held_until, a.standing`,
    [address, names, scan ?? null, networkName(address), connections, dailyBudget, holdMs],
  );
  if (!held) return reasonFor(database, wanted);
  const { held_until: heldUntil, standing } = held;
  const granted = { connections: held.connections, heldUntil, standing: standing ?? undefined };
  return { kind: 'held', table, address, ...granted };
}

/** Time until a contact for a paused scan is requested again. */
const STOPPED_MS = 5000;

async function reasonFor(
  database: Queries,
  { table, address, names, scan, dailyBudget }: WantedContact,
): Promise<NotHeld> {
  const [row] = await database.query<{
    opted_out: boolean;
    stopped: boolean;
    given_up: boolean | null;
    spent: boolean | null;
    wait_ms: number | null;
    day_ms: number;
  }>(
    `SELECT ${OPTED_OUT} AS opted_out, ${STOPPED} AS stopped, a.given_up = $3::int AS given_up,
      ${SPENT} >= $4::int AS spent,
      (extract(epoch FROM a.next_at - now()) * 1000)::float8 AS wait_ms,
      (extract(epoch FROM (${TODAY} + 1) AT TIME ZONE 'UTC' - now()) * 1000)::float8 AS day_ms
      FROM (SELECT) one LEFT JOIN hermetic_scan.${table} a ON a.ip = $1::inet`,
    [address, names, scan ?? null, dailyBudget],
  );
  if (row?.opted_out) return { kind: 'opted-out' };
  if (row?.given_up) return { kind: 'given-up' };
  if (row?.stopped) return { kind: 'later', ms: STOPPED_MS, isSpent: false };
  const isSpent = row?.spent ?? false;
  const rest = Math.max(0, row?.wait_ms ?? 0);
  return { kind: 'later', isSpent, ms: isSpent ? Math.max(rest, row?.day_ms ?? 0) : rest };
}

/** The result of a contact that has ended. */
export interface EndedContact {
  /** Connections that were opened. */
  readonly connections: number;
  /** Milliseconds until the next contact. */
  readonly pauseMs: number;
  /** The new standing at the address; absent if it is unchanged. */
  readonly standing?: Facts | undefined;
  readonly reason?: string | undefined;
  /** The scan that abandons the address. */
  readonly givenUpBy?: number | undefined;
}

/**
 * Releases an address, with the pause before its next contact. Does nothing if the holder's
 * time has passed, since another holder may contact the address.
 */
export async function returnAddress(
  database: Queries,
  { table, address, heldUntil }: HeldAddress,
  { connections, pauseMs, standing, reason, givenUpBy }: EndedContact,
): Promise<void> {
  await database.query(
    `UPDATE hermetic_scan.${table} a SET
      spent = CASE WHEN a.day = ${TODAY} THEN greatest(0, a.spent - greatest(0, a.reserved - $3))
        ELSE a.spent END,
      reserved = 0, next_at = now() + $4 * interval '1 ms',
      standing = coalesce($5::jsonb, a.standing), rest_reason = $6,
      given_up = coalesce($7, a.given_up)
      WHERE a.ip = $1::inet AND a.next_at = $2::timestamptz`,
    [
      ...[address, heldUntil, connections, pauseMs],
      ...[standing ? formatFacts(standing) : null, reason ?? null, givenUpBy ?? null],
    ],
  );
}

/**
 * Returns the network of an address, IPv4 /24 or IPv6 /48: many servers limit clients by
 * network.
 */
export function networkName(address: string): string {
  return `${networkOf(address)}/${parseIp(address)?.family === 6 ? 48 : 24}`;
}
