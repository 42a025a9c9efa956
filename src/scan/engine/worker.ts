import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { repeat, systemClock, version, type Clock } from '../../base/index.js';
import type { Database } from './database/database.js';
import { JOBS_SCHEMA } from './database/migrate.js';
import { planJobs } from './jobs/plan-jobs.js';
import { runJobs } from './jobs/run-jobs.js';
import { scanContext } from './create-context.js';
import { ConnectionRate } from './visits/connection-rate.js';
import type { ScanWork } from './contract/scan-work.js';
import { politeness, type Politeness } from './visits/politeness.js';
import { Visitor } from './visits/visitor.js';

const PLAN_MS = 1000;
const BEAT_MS = 10_000;
/**
 * A worker without a heartbeat for this long has failed: its jobs return to the queue.
 */
const DEAD_MS = 40_000;
/** Time in which running visits may end when a worker stops. */
const STOP_MS = 30_000;

export interface WorkerOptions {
  readonly database: Database;
  readonly work: ScanWork;
  /** Stops the worker, which makes no further claims and ends running visits. */
  readonly signal: AbortSignal;
  readonly rules?: Partial<Politeness> | undefined;
  readonly clock?: Clock | undefined;
  /**
   * Shorter times for tests: between heartbeats, and until a silent worker counts as
   * failed.
   */
  readonly beats?: { readonly everyMs: number; readonly deadMs: number } | undefined;
  /** Receives temporary faults, such as a database that restarts. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/**
 * Runs one worker until its signal aborts: jobs, visits and heartbeats. Any number of
 * workers may share a database. The state of every scan is in the tables, so a worker may
 * crash at any moment; the others take over its claims.
 */
export async function runWorker({
  database,
  work,
  signal,
  rules,
  clock = systemClock,
  beats = { everyMs: BEAT_MS, deadMs: DEAD_MS },
  onError = () => undefined,
}: WorkerOptions): Promise<void> {
  const id = randomUUID();
  const breakOff = new AbortController();
  // Every running visit and lookup adds a listener to these signals.
  setMaxListeners(0, breakOff.signal, signal);
  const limits = { ...politeness, ...rules };
  const shared = { rules: limits, rate: new ConnectionRate(clock, limits.connectionsPerSecond) };
  const context = scanContext({ database, work, clock, signal: breakOff.signal }, shared);
  const visitor = new Visitor(context, { workerId: id, ...shared, onError });
  let poolId: string | undefined;
  const beat = () => sendBeat(database, { id, poolId, inFlight: visitor.inFlight }, beats.deadMs);
  await beat();
  const stop = (): void => void setTimeout(() => breakOff.abort(), STOP_MS).unref();
  signal.addEventListener('abort', stop, { once: true });
  const loop = { clock, signal, onError };
  try {
    await Promise.all([
      visitor.run(signal),
      runJobs(context, signal, { onPool: (pool) => void (poolId = pool), onError }),
      repeat(() => planJobs(database), { ...loop, pauseMs: PLAN_MS }),
      repeat(beat, { ...loop, pauseMs: beats.everyMs }),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
    await database
      .query('DELETE FROM hermetic_scan.worker WHERE id = $1', [id])
      .catch(() => undefined);
  }
}

interface Beat {
  readonly id: string;
  readonly poolId: string | undefined;
  readonly inFlight: number;
}

/** Writes the heartbeat of this worker, and frees the jobs of failed workers. */
async function sendBeat(
  database: Database,
  { id, poolId, inFlight }: Beat,
  deadMs: number,
): Promise<void> {
  await database.query(
    `INSERT INTO hermetic_scan.worker (id, pool_id, host, version, in_flight)
      VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (id) DO UPDATE SET beat_at = now(), pool_id = $2, in_flight = $5`,
    [id, poolId ?? null, hostname(), version, inFlight],
  );
  await database.query(
    `WITH dead AS (
      DELETE FROM hermetic_scan.worker WHERE beat_at < now() - $1 * interval '1 ms'
      RETURNING pool_id
    )
    SELECT ${JOBS_SCHEMA}.force_unlock_workers(array_agg(pool_id)) FROM dead
    WHERE pool_id IS NOT NULL HAVING count(*) > 0`,
    [deadMs],
  );
}
