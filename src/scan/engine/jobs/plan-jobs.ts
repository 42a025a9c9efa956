import type { Queries } from '../database/database.js';
import { JOBS_SCHEMA } from '../database/migrate.js';

/** The kinds of job, with the number of them that run at the same time for one scan. */
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
  readonly hosts: boolean;
  readonly visits: boolean;
  readonly grades: boolean;
}

/**
 * Returns the jobs that a scan needs at present. Names, hosts and visits overlap; grading
 * begins when all of them are settled, because a grade needs every host of the domain.
 */
export function neededJobs({ names, hosts, visits, grades }: WaitingWork): readonly JobKind[] {
  const needed: JobKind[] = [];
  if (names) needed.push('scan.names');
  if (hosts) needed.push('scan.hosts');
  if (needed.length > 0 || visits) return needed;
  return [grades ? 'scan.grade' : 'scan.finish'];
}

/**
 * Adds the jobs that running scans need and that are not queued or running. Work is in the
 * tables, and a job carries only the scan: a lost or repeated job does no harm.
 */
export async function planJobs(database: Queries): Promise<void> {
  const scans = await database.query<WaitingWork & { readonly id: number }>(
    `SELECT s.id,
      EXISTS (SELECT FROM hermetic_scan.scan_domain WHERE scan_id = s.id AND state = 0) AS names,
      EXISTS (SELECT FROM hermetic_scan.scan_host WHERE scan_id = s.id AND state = 0) AS hosts,
      EXISTS (SELECT FROM hermetic_scan.visit v
        JOIN hermetic_scan.scan_host h ON h.host_id = v.host_id AND h.scan_id = s.id
        WHERE v.state = 0) AS visits,
      EXISTS (SELECT FROM hermetic_scan.scan_domain WHERE scan_id = s.id AND state = 1) AS grades
      FROM hermetic_scan.scan s WHERE s.state = 'running'`,
  );
  const wanted = scans.flatMap(({ id, ...work }) =>
    neededJobs(work).flatMap((kind) =>
      Array.from({ length: jobKinds[kind] }, (_, slot) => ({ id, kind, slot })),
    ),
  );
  if (wanted.length === 0) return;
  await database.query(
    `SELECT ${JOBS_SCHEMA}.add_job(g.kind, json_build_object('scan', g.id), job_key := g.key,
        job_key_mode := 'preserve_run_at', max_attempts := 1000)
      FROM unnest($1::text[], $2::int[], $3::text[]) AS g (kind, id, key)
      WHERE NOT EXISTS (SELECT FROM ${JOBS_SCHEMA}.jobs j WHERE j.key = g.key)`,
    [
      wanted.map(({ kind }) => kind),
      wanted.map(({ id }) => id),
      wanted.map(({ kind, id, slot }) => `${kind}:${id}:${slot}`),
    ],
  );
}
