import type { CronItem } from 'graphile-worker';
import type { Database } from '../database/database.js';
import { isConnectionLoss } from '../database/errors.js';
import { loadPackage } from '../database/load-package.js';
import { JOBS_SCHEMA } from '../database/migrate.js';
import { startDueScans } from '../scans/due-scans.js';
import { pruneScans } from '../scans/prune-scans.js';
import { scanNumbered } from '../scans/stored-scan.js';
import { finishScan } from './finish-scan.js';
import { gradeDomains } from './grade-domains.js';
import { observeHosts } from './observe-hosts.js';
import { observeNames } from './observe-names.js';
import type { JobKind } from './plan-jobs.js';
import type { ScanContext } from '../contract/scan-context.js';

/** Maximum number of concurrent jobs of one worker. */
const CONCURRENT = 4;
const POLL_MS = 1000;
/** Time after which a job ends, so that a stopping worker waits only briefly. */
const SLICE_MS = 120_000;
const RESTART_MS = 1000;
const DAY = 86_400_000;

export interface JobOptions {
  /** Receives the id under which graphile-worker locks jobs of this process. */
  readonly onPool: (poolId: string) => void;
  readonly onError: (error: Error) => void;
}

/**
 * Runs the coarse jobs of all scans with graphile-worker until `stopping` aborts. A runner
 * that fails because the database is unreachable is started again.
 */
export async function runJobs(
  context: ScanContext,
  stopping: AbortSignal,
  options: JobOptions,
): Promise<void> {
  while (!stopping.aborted) {
    await runUntilFailure(context, stopping, options).catch((error: Error) => {
      options.onError(error);
    });
    if (!stopping.aborted) await context.clock.sleep(RESTART_MS, stopping).catch(() => undefined);
  }
}

async function runUntilFailure(
  context: ScanContext,
  stopping: AbortSignal,
  { onPool, onError }: JobOptions,
): Promise<void> {
  const { run, Logger, parseCronItems } = await loadPackage(
    'graphile-worker',
    () => import('graphile-worker'),
  );
  const { EventEmitter } = await import('node:events');
  const events = new EventEmitter();
  events.on('pool:create', ({ workerPool }: { workerPool: { id: string } }) =>
    onPool(workerPool.id),
  );
  events.on('job:error', ({ error }: { error: unknown }) => onError(error as Error));
  const runner = await run({
    pgPool: context.database.pool,
    schema: JOBS_SCHEMA,
    concurrency: CONCURRENT,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    events: events,
    // Events report failures, and an operator does not need the progress messages.
    logger: new Logger(() => () => undefined),
    taskList: { ...tasks(context, stopping), ...upkeep(context.database) },
    parsedCronItems: parseCronItems([...cronItems]),
  });
  const stop = (): void => void runner.stop().catch(() => undefined);
  if (stopping.aborted) stop();
  stopping.addEventListener('abort', stop, { once: true });
  try {
    await runner.promise;
  } finally {
    stopping.removeEventListener('abort', stop);
  }
}

/** Times are UTC. Exactly one worker runs each item. */
const cronItems: readonly CronItem[] = [
  { task: 'scan.due', match: '*/5 * * * *', options: { jobKey: 'scan.due', maxAttempts: 3 } },
  {
    task: 'scan.prune',
    match: '17 3 * * *',
    // A worker that starts up to a day later runs the missed item.
    options: { jobKey: 'scan.prune', maxAttempts: 3, backfillPeriod: DAY },
  },
];

/**
 * Returns the jobs outside of scans: starting due scans, and deleting rows past their
 * retention.
 */
function upkeep(database: Database): Readonly<Record<string, () => Promise<void>>> {
  return {
    'scan.due': async () => void (await startDueScans(database)),
    'scan.prune': async () => void (await pruneScans(database)),
  };
}

type Step = (context: ScanContext, scanId: number) => Promise<number>;

const steps: Readonly<Record<JobKind, Step>> = {
  'scan.names': observeNames,
  'scan.hosts': async (context, scanId) => {
    const { params } = await scanNumbered(context.database, scanId);
    return observeHosts(context, { id: scanId, ...params });
  },
  'scan.grade': gradeDomains,
  'scan.finish': async (context, scanId) => {
    await finishScan(context, scanId);
    return 0;
  },
};

function tasks(
  context: ScanContext,
  stopping: AbortSignal,
): Readonly<Record<JobKind, (payload: unknown) => Promise<void>>> {
  const taskOf = (step: Step) => async (payload: unknown) => {
    const { scan } = payload as { readonly scan: number };
    const endAt = context.clock.monotonic() + SLICE_MS;
    try {
      while (!stopping.aborted && context.clock.monotonic() < endAt)
        if ((await step(context, scan)) === 0) return;
    } catch (error) {
      // The claims of this job expire, and the planner adds a new job for the same work.
      if (!stopping.aborted && !isConnectionLoss(error)) throw error;
    }
  };
  return Object.fromEntries(
    Object.entries(steps).map(([kind, step]) => [kind, taskOf(step)]),
  ) as Record<JobKind, (payload: unknown) => Promise<void>>;
}
