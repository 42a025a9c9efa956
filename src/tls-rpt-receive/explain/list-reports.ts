import type { Store } from '../../store/index.js';
import { unpackReports } from '../../tls-rpt/index.js';
import { dateOf } from './facts.js';
import { explainNote } from './explain-group.js';

/** One stored report, without its content. */
export interface ListedReport {
  readonly id: number;
  readonly reporter: string;
  /** UTC day that the report is about; undefined where it names none. */
  readonly day: string | undefined;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly via: string;
  readonly trust: string;
  /** The reason for this trust; empty where the trust explains itself. */
  readonly trustDetail: string;
  /** Whether its sessions are in the sums. */
  readonly counted: boolean;
  /** Whether it departs from RFC 8460. */
  readonly hasNotes: boolean;
}

/** A stored report with its received content. */
export interface ReadReport extends ListedReport {
  /** The JSON of the reporter; undefined where it can no longer be unpacked. */
  readonly text: string | undefined;
  /** Departures from RFC 8460, with their meaning. */
  readonly notes: readonly { readonly code: string; readonly says: string }[];
}

/** A reporter with its arrivals. Dates are UTC days. */
export interface ListedReporter {
  readonly reporter: string;
  readonly reports: number;
  readonly first: string;
  readonly last: string;
  readonly authenticated: boolean;
}

/** The selection of {@link listReports}. */
export interface ListReportsOptions {
  /** `uncounted`: outside the sums; `odd`: departing from RFC 8460. Default: all. */
  readonly only?: 'uncounted' | 'odd' | undefined;
  /** Reports with a smaller number, for the next page. */
  readonly before?: number | undefined;
  readonly limit: number;
}

interface Row {
  readonly id: number;
  readonly reporter: string;
  readonly day: number | null;
  readonly received_at: number;
  readonly via: string;
  readonly trust: string;
  readonly trust_detail: string;
  readonly counted: number;
  readonly notes: string | null;
}

const columns = 'id, reporter, day, received_at, via, trust, trust_detail, counted, notes';

/** Lists stored reports, the newest first. */
export function listReports(
  stateStore: Store,
  { only, before = Number.MAX_SAFE_INTEGER, limit }: ListReportsOptions,
): readonly ListedReport[] {
  const conditions = { uncounted: 'AND counted = 0', odd: 'AND notes IS NOT NULL' };
  const condition = only === undefined ? '' : conditions[only];
  return stateStore
    .prepare<Row>(
      `SELECT ${columns} FROM report WHERE id < ? ${condition} ORDER BY id DESC LIMIT ?`,
    )
    .all(before, limit)
    .map(listed);
}

/** Reads one report as received; undefined for an unknown number. */
export function readReport(stateStore: Store, id: number): ReadReport | undefined {
  const row = stateStore
    .prepare<Row & { raw: Uint8Array }>(`SELECT ${columns}, raw FROM report WHERE id = ?`)
    .get(id);
  if (!row) return undefined;
  const [unpacked] = unpackReports(row.raw, { maxBytes: 10_000_000 });
  const saved = JSON.parse(row.notes ?? '{}') as { notes?: readonly { code: string }[] };
  const codes = (saved.notes ?? []).map(({ code }) => code);
  return {
    ...listed(row),
    text: unpacked?.ok ? Buffer.from(unpacked.value.bytes).toString('utf8') : undefined,
    notes: [...new Set(codes)].map((code) => ({ code, says: explainNote(code) })),
  };
}

/** Lists the reporters of counted reports in a span of days, the most reports first. */
export function listReporters(
  stateStore: Store,
  span: { readonly from: number; readonly to: number },
  limit: number,
): readonly ListedReporter[] {
  return stateStore
    .prepare<{ reporter: string; reports: number; first: number; last: number; trusted: number }>(
      `SELECT reporter, count(*) AS reports, min(day) AS first, max(day) AS last,
         max(trust IN ('signed', 'given')) AS trusted
       FROM report WHERE counted = 1 AND day BETWEEN ? AND ?
       GROUP BY reporter ORDER BY reports DESC, reporter LIMIT ?`,
    )
    .all(Math.floor(span.from / 86_400_000), Math.floor(span.to / 86_400_000), limit)
    .map(({ first, last, trusted, ...row }) => ({
      ...row,
      first: dateOf(first),
      last: dateOf(last),
      authenticated: trusted === 1,
    }));
}

function listed(row: Row): ListedReport {
  return {
    id: row.id,
    reporter: row.reporter,
    day: row.day === null ? undefined : dateOf(row.day),
    receivedAt: row.received_at,
    via: row.via,
    trust: row.trust,
    trustDetail: row.trust_detail,
    counted: row.counted === 1,
    hasNotes: row.notes !== null,
  };
}
