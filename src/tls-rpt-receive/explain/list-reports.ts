import type { Store } from '../../store/index.js';
import { unpackReports } from '../../tls-rpt/index.js';
import { dateOf } from './facts.js';
import { explainNote } from './explain-group.js';
import { inTurns, type Steps } from './steps.js';

/** A number larger than the number of any report. */
const MAX_ID = Number.MAX_SAFE_INTEGER;

/** One stored report, without its content. */
export interface ListedReport {
  readonly id: number;
  readonly reporter: string;
  /** The UTC day that the report covers; undefined if the report names no day. */
  readonly day: string | undefined;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly via: string;
  readonly trust: string;
  /** The reason for the value of `trust`; empty if the value needs no explanation. */
  readonly trustDetail: string;
  /** True if the sessions of the report are in the sums. */
  readonly counted: boolean;
  /** True if the report departs from RFC 8460. */
  readonly hasNotes: boolean;
}

/** A stored report with its received content. */
export interface ReadReport extends ListedReport {
  /** The JSON text of the reporter; undefined if the stored report cannot be unpacked. */
  readonly text: string | undefined;
  /** The departures from RFC 8460, each with its meaning. */
  readonly notes: readonly { readonly code: string; readonly says: string }[];
}

/**
 * A reporter with the number of its reports, and the first and last day that they cover.
 * Dates are UTC days.
 */
export interface ListedReporter {
  readonly reporter: string;
  readonly reports: number;
  readonly first: string;
  readonly last: string;
  readonly authenticated: boolean;
}

/** The selection of {@link listReports}. */
export interface ListReportsOptions {
  /**
   * `uncounted`: reports that are excluded from the sums. `odd`: reports that depart from
   * RFC 8460. Default: all.
   */
  readonly only?: 'uncounted' | 'odd' | undefined;
  /**
   * The number of a report; only reports with smaller numbers are listed, for the next
   * page.
   */
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

/** Returns stored reports, the newest first. */
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

/** Returns one report as it was received; undefined for an unknown number. */
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

/** Number of reports that one step of the list of reporters reads. */
const REPORTS_STEP = 2000;
/**
 * Number of consecutive steps that find only older reports, after which the search stops.
 */
const EARLIER_STEPS = 10;

interface ReporterRow {
  readonly reporter: string;
  readonly reports: number;
  readonly first: number;
  readonly last: number;
  readonly trusted: number;
}

/**
 * Returns the reporters of counted reports in a period, those with the most reports
 * first. `span`: milliseconds since 1970. Works in steps, because a month can have
 * millions of reports.
 */
export function listReporters(
  stateStore: Store,
  span: { readonly from: number; readonly to: number },
  limit: number,
): Promise<readonly ListedReporter[]> {
  return inTurns(reportersInSteps(stateStore, span, limit));
}

function* reportersInSteps(
  stateStore: Store,
  { from, to }: { readonly from: number; readonly to: number },
  limit: number,
): Steps<readonly ListedReporter[]> {
  const [firstDay, lastDay] = [from, to].map((at) => Math.floor(at / 86_400_000));
  const ends = stateStore.prepare<{ id: number; received: number }>(
    'SELECT id, received_at AS received FROM report WHERE id <= ? ORDER BY id DESC LIMIT 1',
  );
  const step = stateStore.prepare<ReporterRow>(
    `SELECT reporter, count(*) AS reports, min(day) AS first, max(day) AS last,
       max(trust IN ('signed', 'given')) AS trusted
     FROM report WHERE id > ? AND id <= ? AND counted = 1 AND day BETWEEN ? AND ?
     GROUP BY reporter`,
  );
  const found = new Map<string, ReporterRow>();
  // A report arrives after the day that it covers, so the loop may stop at older
  // arrivals. It goes on for some steps, since a wrong clock may have changed the order
  // of arrivals.
  let earlier = 0;
  for (let end = ends.get(MAX_ID); end && earlier < EARLIER_STEPS;) {
    for (const row of step.all(end.id - REPORTS_STEP, end.id, firstDay ?? 0, lastDay ?? 0))
      found.set(row.reporter, joined(found.get(row.reporter), row));
    earlier = end.received < from ? earlier + 1 : 0;
    end = ends.get(end.id - REPORTS_STEP);
    yield;
  }
  return [...found.values()]
    .sort((one, other) => other.reports - one.reports || compareText(one.reporter, other.reporter))
    .slice(0, limit)
    .map(({ reporter, reports, first, last, trusted }) => ({
      reporter,
      reports,
      first: dateOf(first),
      last: dateOf(last),
      authenticated: trusted === 1,
    }));
}

function joined(known: ReporterRow | undefined, row: ReporterRow): ReporterRow {
  if (!known) return row;
  return {
    reporter: row.reporter,
    reports: known.reports + row.reports,
    first: Math.min(known.first, row.first),
    last: Math.max(known.last, row.last),
    trusted: Math.max(known.trusted, row.trusted),
  };
}

/** Compares two texts in the order of SQLite, by octets. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
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
