import type { Queries } from '../database/database.js';
import { scanError } from '../database/failures.js';

export type ScanState = 'running' | 'paused' | 'cancelled' | 'done';

/** The parameters of a scan, fixed at its start. */
export interface ScanParams {
  /** Milliseconds for which an earlier visit is still valid. */
  readonly revisitMs: number;
  /** Milliseconds over which the first visits are spread. */
  readonly spreadMs: number;
}

export interface StoredScan {
  readonly id: number;
  readonly list: string;
  readonly listId: number;
  readonly citedAs: string;
  readonly state: ScanState;
  /** `own-network`: the scan paused itself. `pruned`: its rows were deleted. */
  readonly reason: string | undefined;
  readonly domains: number;
  readonly params: ScanParams;
  readonly startedAt: Date;
  readonly finishedAt: Date | undefined;
  readonly questions: number;
  readonly connections: number;
}

interface ScanRow {
  readonly id: number;
  readonly list: string;
  readonly list_id: number;
  readonly cited_as: string;
  readonly state: ScanState;
  readonly reason: string | null;
  readonly domains: number;
  readonly params: ScanParams;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly questions: number;
  readonly connections: number;
}

const SELECT_SCANS = `SELECT s.id, l.name AS list, s.list_id, l.cited_as, s.state, s.reason,
  s.domains, s.params, s.started_at, s.finished_at, s.questions, s.connections
  FROM hermetic_scan.scan s JOIN hermetic_scan.list l ON l.id = s.list_id`;

/** Returns all scans, newest first. */
export async function listScans(database: Queries): Promise<readonly StoredScan[]> {
  const rows = await database.query<ScanRow>(`${SELECT_SCANS} ORDER BY s.id DESC LIMIT 1000`);
  return rows.map(scanOf);
}

/** Returns the scan with this number. Throws `scan-absent`. */
export async function scanNumbered(database: Queries, id: number): Promise<StoredScan> {
  const [row] = await database.query<ScanRow>(`${SELECT_SCANS} WHERE s.id = $1`, [id]);
  if (!row) throw scanError('scan-absent', String(id));
  return scanOf(row);
}

function scanOf(row: ScanRow): StoredScan {
  return {
    id: row.id,
    list: row.list,
    listId: row.list_id,
    citedAs: row.cited_as,
    state: row.state,
    reason: row.reason ?? undefined,
    domains: row.domains,
    params: row.params,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    questions: row.questions,
    connections: row.connections,
  };
}
