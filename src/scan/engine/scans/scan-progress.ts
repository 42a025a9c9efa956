import type { Queries } from '../database/database.js';
import { scanNumbered, type StoredScan } from './stored-scan.js';

/** The state of a scan in numbers. */
export interface ScanProgress {
  readonly scan: StoredScan;
  /** Number of domains with observed records, and number of graded domains. */
  readonly observed: number;
  readonly graded: number;
  readonly hosts: { readonly total: number; readonly observed: number };
  readonly networks: number;
  readonly addresses: number;
  readonly visits: {
    readonly waiting: number;
    readonly visited: number;
    readonly inferred: number;
    readonly optedOut: number;
    readonly unreached: number;
  };
  /**
   * Number of visits whose result could have been inferred, and of those that contradict
   * the inference.
   */
  readonly inference: { readonly checked: number; readonly wrong: number };
  /** Number of addresses that rest after a refused visit. */
  readonly resting: number;
  /** End of the first of these rests; undefined if no address rests. */
  readonly restEndsAt: Date | undefined;
  readonly shapes: number;
  readonly workers: number;
  readonly inFlight: number;
  /** Number of graded domains by verdict. */
  readonly verdicts: Readonly<Record<string, number>>;
}

/** Milliseconds without a heartbeat after which a worker does not count as running. */
const ALIVE_MS = 40_000;

/** Counts the rows of a scan. Takes about a second for a million domains. */
export async function scanProgress(database: Queries, id: number): Promise<ScanProgress> {
  const scan = await scanNumbered(database, id);
  const [domains] = await database.query<{ observed: number; graded: number }>(
    `SELECT count(*) AS observed, count(shape_id) AS graded
      FROM hermetic_scan.scan_domain WHERE scan_id = $1`,
    [id],
  );
  const [hosts] = await database.query<{ total: number; observed: number }>(
    `SELECT count(*) AS total, count(*) FILTER (WHERE s.stage > 1) AS observed
      FROM hermetic_scan.scan_host h
      JOIN hermetic_scan.scan_slice s ON s.scan_id = h.scan_id AND s.number = h.slice
      WHERE h.scan_id = $1`,
    [id],
  );
  const [visits] = await database.query<VisitCounts>(
    `SELECT count(*) FILTER (WHERE v.state = 0) AS waiting,
      count(*) FILTER (WHERE v.state = 1) AS visited,
      count(*) FILTER (WHERE v.state = 2) AS inferred,
      count(*) FILTER (WHERE v.state = 3) AS opted_out,
      count(*) FILTER (WHERE v.state = 4) AS unreached,
      count(DISTINCT a.id) AS addresses, count(DISTINCT a.net) AS networks,
      count(DISTINCT a.id) FILTER (
        WHERE v.state = 0 AND a.rest_reason IS NOT NULL AND a.next_at > now()) AS resting,
      min(a.next_at) FILTER (
        WHERE v.state = 0 AND a.rest_reason IS NOT NULL AND a.next_at > now()) AS rest_ends_at
      FROM hermetic_scan.scan_host h
      JOIN hermetic_scan.visit v ON v.host_id = h.host_id
      JOIN hermetic_scan.address a ON a.id = v.address_id WHERE h.scan_id = $1`,
    [id],
  );
  const shapes = await database.query<{ verdict: string; n: number; shapes: number }>(
    `SELECT s.body ->> 'verdict' AS verdict, sum(g.n)::bigint AS n, count(*) AS shapes FROM (
        SELECT shape_id, count(*) AS n FROM hermetic_scan.scan_domain
        WHERE scan_id = $1 AND shape_id IS NOT NULL GROUP BY shape_id
      ) g JOIN hermetic_scan.fact s ON s.id = g.shape_id GROUP BY 1 ORDER BY 1`,
    [id],
  );
  const [inference] = await database.query<{ checked: number; wrong: number }>(
    `SELECT coalesce(sum(checked), 0)::int AS checked, coalesce(sum(wrong), 0)::int AS wrong
      FROM hermetic_scan.family_total WHERE scan_id = $1 AND digest = ''`,
    [id],
  );
  const [workers] = await database.query<{ n: number; in_flight: number }>(
    `SELECT count(*) AS n, coalesce(sum(in_flight), 0) AS in_flight FROM hermetic_scan.worker
      WHERE beat_at > now() - $1 * interval '1 ms'`,
    [ALIVE_MS],
  );
  return {
    scan,
    observed: domains?.observed ?? 0,
    graded: domains?.graded ?? 0,
    hosts: hosts ?? { total: 0, observed: 0 },
    networks: visits?.networks ?? 0,
    addresses: visits?.addresses ?? 0,
    visits: {
      waiting: visits?.waiting ?? 0,
      visited: visits?.visited ?? 0,
      inferred: visits?.inferred ?? 0,
      optedOut: visits?.opted_out ?? 0,
      unreached: visits?.unreached ?? 0,
    },
    inference: inference ?? { checked: 0, wrong: 0 },
    resting: visits?.resting ?? 0,
    restEndsAt: visits?.rest_ends_at ?? undefined,
    shapes: shapes.reduce((sum, row) => sum + row.shapes, 0),
    workers: workers?.n ?? 0,
    inFlight: workers?.in_flight ?? 0,
    verdicts: Object.fromEntries(shapes.map(({ verdict, n }) => [verdict, n])),
  };
}

interface VisitCounts {
  readonly waiting: number;
  readonly visited: number;
  readonly inferred: number;
  readonly opted_out: number;
  readonly unreached: number;
  readonly addresses: number;
  readonly networks: number;
  readonly resting: number;
  readonly rest_ends_at: Date | null;
}
