import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, verifyStore } from '../../src/store/index.js';
import type { Plan, RoleReport, Sample } from './plan.js';

/**
 * The result of comparing the reports that clients sent with the reports in the database.
 */
export interface Books {
  readonly acknowledged: number;
  /** Reports that were acknowledged but are not in the database. */
  readonly lost: number;
  /** Reports that are in the database more than once, or are counted more than once. */
  readonly doubled: number;
  readonly faults: readonly string[];
}

/** Compares the clients' books with the database of a daemon that has ended. */
export async function compareBooks(
  plan: Plan,
  { signed = [], posted = [] }: RoleReport,
): Promise<Books> {
  const store = await openStore(join(plan.folder, 'hermetic.db'));
  try {
    const rows = new Map<string, { n: number; sessions: number; counted: number }>();
    for (const { id, n, sessions, counted } of store
      .prepare<{ id: string; n: number; sessions: number; counted: number }>(
        `SELECT report_id AS id, count(*) AS n, sum(ok + failed) AS sessions, max(counted) AS counted
         FROM report WHERE report_id LIKE 'signed-%' OR report_id LIKE 'posted-%' GROUP BY report_id`,
      )
      .all())
      rows.set(id, { n, sessions, counted });
    const sent = [...signed, ...posted];
    const acknowledged = sent.filter((one) => one.acknowledged);
    const lost = acknowledged.filter(({ id }) => !rows.has(id));
    const twice = sent.filter(({ id, sessions }) => {
      const row = rows.get(id);
      return row !== undefined && (row.n > 1 || row.sessions !== sessions);
    });
    return {
      acknowledged: acknowledged.length,
      lost: lost.length,
      doubled: twice.length + (daysDiffer(store) ? 1 : 0),
      faults: verifyStore(store),
    };
  } finally {
    store.close();
  }
}

/** Returns whether the daily sums differ from the sums of the reports that count. */
function daysDiffer(store: Awaited<ReturnType<typeof openStore>>): boolean {
  const sum = (sql: string): number => store.prepare<{ n: number | null }>(sql).get()?.n ?? 0;
  const days = sum("SELECT sum(ok + failed) AS n FROM report_day WHERE domain = ''");
  const reports = sum('SELECT sum(ok + failed) AS n FROM report WHERE counted = 1');
  if (days !== reports) console.log(`daily sums ${days}, reports ${reports}`);
  return days !== reports;
}

export interface Delay {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

type Restarts = readonly { readonly from: number; readonly to: number }[];

/**
 * Returns whether a period is outside the restarts. The first second after a start counts
 * as part of the restart.
 */
function isOutside([at, ms]: Sample, restarts: Restarts): boolean {
  return !restarts.some(({ from, to }) => at + ms >= from - 100 && at <= to + 1000);
}

/** Long turns of the daemon's event loop, as its probe recorded them, in milliseconds. */
export interface Turns {
  readonly longest: number;
  /**
   * Part of the longest turn in which the thread was ready and had no CPU: the daemon did
   * not cause it.
   */
  readonly waited: number;
  /** CPU time of the main thread, which other processes do not change. */
  readonly mostCpu: number;
  /** Turns above 50 ms of CPU time. */
  readonly costly: number;
}

/** Reads the record of the probe, without the restarts. */
export function turnsIn(file: string, restarts: Restarts): Turns {
  const turns = (existsSync(file) ? readFileSync(file, 'utf8') : '')
    .split('\n')
    .filter((line) => line.includes('"wall"'))
    .map((line) => JSON.parse(line) as { at: number; wall: number; cpu: number; waited: number })
    .filter(({ at, wall }) => isOutside([at - wall, wall], restarts));
  const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
  const longest = most(turns.map(({ wall }) => wall));
  return {
    longest,
    waited: turns.find(({ wall }) => wall === longest)?.waited ?? 0,
    mostCpu: most(turns.map(({ cpu }) => cpu)),
    costly: turns.filter(({ cpu }) => cpu > 50).length,
  };
}

/** Delays outside the restarts, in milliseconds. */
export function delays(samples: readonly Sample[], restarts: Restarts): Delay {
  const outside = samples
    .filter((sample) => isOutside(sample, restarts))
    .map(([, ms]) => ms)
    .sort((a, b) => a - b);
  const at = (share: number): number => outside[Math.floor(outside.length * share)] ?? NaN;
  return { samples: outside.length, p50: at(0.5), p99: at(0.99), max: outside.at(-1) ?? NaN };
}
