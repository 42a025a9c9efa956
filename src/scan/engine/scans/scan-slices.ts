import type { Queries, Transaction } from '../database/database.js';

/**
 * Slices of a scan and their leases.
 *
 * A slice is a range of domains that one job processes at a time. A slice passes three
 * stages: the records of its domains, the records of the mail hosts that the slice was
 * the first to name, and the grades of its domains. One row stores the lease of all
 * domains of the slice, so a claim writes a single row.
 *
 * If a worker crashes, its lease expires and another worker repeats the stage. Each stage
 * stores its results in one transaction that begins with {@link holdSlice}: the results
 * of a lease that ended are dropped.
 */

/**
 * Number of domains in one slice. PostgreSQL plans and commits each statement of a slice
 * once, so larger slices cost less.
 */
export const SLICE_DOMAINS = 2000;
/** Duration of a lease; a slice takes four minutes if every question times out. */
const LEASE_MS = 600_000;
/** First pause before a worker grades a slice again whose hosts still wait for visits. */
const BLOCKED_MS = 60_000;
/**
 * Longest pause between two rounds of grading a slice. Each round reads all waiting
 * domains of the slice, and visits can last for days.
 */
const MAX_BLOCKED_MS = 10 * 60_000;
/**
 * Longest pause of a slice: a rest may end early, and a policy host may change its
 * address.
 */
const MAX_DEFER_MS = 15 * 60_000;

/** Values of `scan_slice.stage`. */
export const sliceStages = { names: 0, hosts: 1, grades: 2, done: 3 } as const;

export type SliceStage = Exclude<keyof typeof sliceStages, 'done'>;

/** The lease of one slice. */
export interface ClaimedSlice {
  readonly scanId: number;
  readonly number: number;
  readonly leaseNo: number;
  readonly stage: SliceStage;
  readonly firstId: number;
  readonly lastId: number;
}

/** Divides the domains of a list into the slices of a scan. */
export async function createSlices(tx: Transaction, scanId: number, listId: number): Promise<void> {
  await tx.query(
    `INSERT INTO hermetic_scan.scan_slice (scan_id, number, first_id, last_id)
      SELECT $1, number, min(domain_id), max(domain_id) FROM (
        SELECT domain_id, (row_number() OVER (ORDER BY domain_id) - 1) / $2 AS number
        FROM hermetic_scan.list_domain WHERE list_id = $3) n
      GROUP BY number`,
    [scanId, SLICE_DOMAINS, listId],
  );
}

/**
 * Claims one slice of a running scan at a stage; undefined if all are leased or done.
 * Slices that are blocked by visits become due as soon as no visit waits.
 */
export async function claimSlice(
  database: Queries,
  scanId: number,
  stage: SliceStage,
): Promise<ClaimedSlice | undefined> {
  const [slice] = await database.query<Omit<ClaimedSlice, 'scanId' | 'stage'>>(
    `UPDATE hermetic_scan.scan_slice
      SET lease_no = lease_no + 1, due_at = now() + $3 * interval '1 ms', blocked = false
      WHERE scan_id = $1 AND number = (
        SELECT number FROM hermetic_scan.scan_slice
        WHERE scan_id = $1 AND stage = $2
          AND (due_at <= now() OR (blocked
            AND NOT EXISTS (SELECT FROM hermetic_scan.visit WHERE state = 0)))
          AND EXISTS (SELECT FROM hermetic_scan.scan WHERE id = $1 AND state = 'running')
        ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING number, lease_no AS "leaseNo", first_id AS "firstId", last_id AS "lastId"`,
    [scanId, sliceStages[stage], LEASE_MS],
  );
  return slice && { ...slice, scanId, stage };
}

/**
 * Returns whether the lease is still valid, and locks it until the transaction ends.
 * Without a valid lease the caller writes nothing.
 */
export async function holdSlice(tx: Transaction, slice: ClaimedSlice): Promise<boolean> {
  const { scanId, number, leaseNo, stage } = slice;
  const held = await tx.query(
    `SELECT FROM hermetic_scan.scan_slice
      WHERE scan_id = $1 AND number = $2 AND lease_no = $3 AND stage = $4 FOR UPDATE`,
    [scanId, number, leaseNo, sliceStages[stage]],
  );
  return held.length > 0;
}

/** Ends the lease of a slice that has passed its stage. */
export async function passSlice(
  tx: Transaction,
  { scanId, number, stage }: ClaimedSlice,
): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.scan_slice SET stage = $3, due_at = '-infinity'
      WHERE scan_id = $1 AND number = $2`,
    [scanId, number, sliceStages[stage] + 1],
  );
}

/**
 * Ends the lease of a slice whose hosts still wait for visits. A worker grades the slice
 * again after a pause that doubles with each lease.
 */
export async function blockSlice(tx: Transaction, { scanId, number }: ClaimedSlice): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.scan_slice
      SET blocked = true,
        due_at = now() + least($4, $3 * 2 ^ least(lease_no - 3, 10)) * interval '1 ms'
      WHERE scan_id = $1 AND number = $2`,
    [scanId, number, BLOCKED_MS, MAX_BLOCKED_MS],
  );
}

/** Ends the lease of a slice with domains that are observed again after a pause. */
export async function deferSlice(
  tx: Transaction,
  { scanId, number }: ClaimedSlice,
  pauseMs: number,
): Promise<void> {
  await tx.query(
    `UPDATE hermetic_scan.scan_slice SET due_at = now() + $3 * interval '1 ms'
      WHERE scan_id = $1 AND number = $2`,
    [scanId, number, Math.min(pauseMs, MAX_DEFER_MS)],
  );
}
