import type { Queries } from '../database/database.js';
import { JOBS_SCHEMA } from '../database/migrate.js';

/**
 * The kinds of job, with the maximum number of concurrent jobs of each kind for one scan.
 */
export const jobKinds = {
  'scan.names': 4,
  'scan.hosts': 2,
  'scan.grade': 2,
  'scan.finish': 1,
} as const;

export type JobKind = keyof typeof jobKinds;

/** The rows of a scan that wait for work. */
export interface WaitingWork {
  readonly names: boolean;
  /**
   * At least one slice of names can be claimed now; other slices are leased, or their
   * hosts rest.
   */
  readonly namesDue?: boolean;
  readonly hosts: boolean;
  readonly visits: boolean;
  readonly grades: boolean;
}

/**
 * Pause between two rounds of grading while visits wait, since each round reads all
 * domains.
 */
const GRADE_PAUSE_S = 10;

/** Pause before the next search if all slices of names are leased or deferred. */
const NAMES_PAUSE_S = 2;

/** A job to add, and the seconds until it may run. */
export interface NeededJob {
  readonly kind: JobKind;
  readonly delay: number;
}

/**
 * Returns the jobs that a scan needs at present. The jobs for names, hosts and visits
 * overlap. Grading begins when all hosts are known. Domains whose hosts are settled do
 * not wait for the addresses that rest.
 */
export function neededJobs(work: WaitingWork): readonly NeededJob[] {
  const { names, namesDue = true, hosts, visits, grades } = work;
  const needed: NeededJob[] = [];
  if (names) needed.push({ kind: 'scan.names', delay: namesDue ? 0 : NAMES_PAUSE_S });
  if (hosts) needed.push({ kind: 'scan.hosts', delay: 0 });
  if (needed.length > 0) return needed;
  if (grades) return [{ kind: 'scan.grade', delay: visits ? GRADE_PAUSE_S : 0 }];
  return visits ? [] : [{ kind: 'scan.finish', delay: 0 }];
}

/**
 * Adds the jobs that running scans need and that are not queued or running. The tables
 * hold the work and a job only names the scan, so a lost or repeated job is harmless.
 */
export async function planJobs(database: Queries): Promise<void> {
  const scans = await database.query<
    WaitingWork & { readonly id: number; readonly queued: readonly string[] }
  >(
    `SELECT s.id, ARRAY(SELECT j.key FROM ${JOBS_SCHEMA}.jobs j
        WHERE j.key LIKE 'scan.%' AND split_part(j.key, ':', 2) = s.id::text) AS queued,
      EXISTS (SELECT FROM hermetic_scan.scan_slice WHERE scan_id = s.id AND stage = 0) AS names,
      EXISTS (SELECT FROM hermetic_scan.scan_slice
        WHERE scan_id = s.id AND stage = 0 AND due_at <= now()) AS "namesDue",
      EXISTS (SELECT FROM hermetic_scan.scan_slice WHERE scan_id = s.id AND stage = 1) AS hosts,
      EXISTS (SELECT FROM hermetic_scan.visit v
        JOIN hermetic_scan.scan_host h ON h.host_id = v.host_id AND h.scan_id = s.id
        WHERE v.state = 0) AS visits,
      EXISTS (SELECT FROM hermetic_scan.scan_slice WHERE scan_id = s.id AND stage = 2) AS grades
      FROM hermetic_scan.scan s WHERE s.state = 'running'`,
  );
  const wanted = scans.flatMap(({ id, queued, ...work }) =>
    neededJobs(work)
      .flatMap(({ kind, delay }) =>
        Array.from({ length: jobKinds[kind] }, (_, slot) => ({
          ...{ id, kind, delay },
          // The key distinguishes an immediate job from a delayed one.
          key: `${kind}:${id}:${slot}:${delay}`,
        })),
      )
      .filter(({ key }) => !queued.includes(key)),
  );
  if (wanted.length === 0) return;
  await database.query(
    `SELECT ${JOBS_SCHEMA}.add_job(g.kind, json_build_object('scan', g.id), job_key := g.key,
        run_at := now() + g.delay * interval '1 s', job_key_mode := 'preserve_run_at',
        max_attempts := 1000)
      FROM unnest($1::text[], $2::int[], $3::text[], $4::int[]) AS g (kind, id, key, delay)
      WHERE NOT EXISTS (SELECT FROM ${JOBS_SCHEMA}.jobs j WHERE j.key = g.key)`,
    [
      wanted.map(({ kind }) => kind),
      wanted.map(({ id }) => id),
      wanted.map(({ key }) => key),
      wanted.map(({ delay }) => delay),
    ],
  );
}
