import type { Store } from '../../store/index.js';
import { dateOf, type DayRow } from './facts.js';
import type { KindSums } from './domain-view.js';

export interface DomainLine {
  readonly domain: string;
  readonly failed: number;
  readonly successful: number;
  /** First of the failing days that run up to the last report. */
  readonly since: string;
  readonly last: string;
  readonly ongoing: boolean;
}

/** `hermetic.report-overview/1`: every domain with failures, the worst first. */
export interface Overview {
  readonly schema: 'hermetic.report-overview/1';
  readonly from: string;
  readonly to: string;
  readonly domains: number;
  readonly reports: number;
  readonly kinds: readonly KindSums[];
  readonly failing: readonly DomainLine[];
  /** What was no report, by how it came and why. */
  readonly refused: readonly {
    readonly via: string;
    readonly code: string;
    readonly refused: number;
  }[];
  /** Reports kept out of these numbers. */
  readonly uncounted: readonly { readonly trust: string; readonly reports: number }[];
}

/** Is anything broken, and where? All domains in a span of days, from the sums alone. */
export function viewOverview(store: Store, from: number, to: number, limit = 50): Overview {
  const all = <Row>(sql: string, ...values: (string | number)[]): Row[] =>
    store.prepare<Row>(sql).all(...values);
  const totals = all<DayRow>(
    "SELECT type, sum(ok) AS ok, sum(failed) AS failed, sum(reports) AS reports FROM report_day WHERE domain = '' AND day BETWEEN ? AND ? GROUP BY type",
    from,
    to,
  );
  const worst = all<{ domain: string; failed: number; last: number }>(
    `SELECT domain, sum(failed) AS failed, max(day) AS last FROM report_day
     WHERE failed > 0 AND day BETWEEN ? AND ? AND domain <> '' GROUP BY domain ORDER BY failed DESC LIMIT ?`,
    from,
    to,
    limit,
  );
  const [known] = all<{ n: number }>(
    'SELECT count(DISTINCT domain) AS n FROM report_day WHERE domain <> ?',
    '',
  );
  return {
    schema: 'hermetic.report-overview/1',
    from: dateOf(from),
    to: dateOf(to),
    domains: known?.n ?? 0,
    reports: totals.find((t) => t.type === '')?.reports ?? 0,
    kinds: totals
      .filter((t) => t.type !== '')
      .map(({ type, ok, failed }) => ({ type, successful: ok, failed })),
    failing: worst.map(({ domain, failed, last }) =>
      lineOf(
        domain,
        failed,
        last,
        all(
          'SELECT day, sum(ok) AS ok, sum(failed) AS failed FROM report_day WHERE domain = ? AND day BETWEEN ? AND ? GROUP BY day ORDER BY day',
          domain,
          from,
          to,
        ),
      ),
    ),
    refused: all<{ via: string; code: string; refused: number }>(
      'SELECT via, code, sum(refused) AS refused FROM report_refusal WHERE day BETWEEN ? AND ? GROUP BY via, code ORDER BY refused DESC',
      from,
      to,
    ),
    uncounted: all<{ trust: string; reports: number }>(
      'SELECT trust, count(*) AS reports FROM report WHERE counted = 0 GROUP BY trust',
    ),
  };
}

function lineOf(
  domain: string,
  failed: number,
  last: number,
  days: readonly { day: number; ok: number; failed: number }[],
): DomainLine {
  let since = last;
  for (const day of [...days].reverse())
    if (day.day <= last && day.failed > 0) since = day.day;
    else if (day.day < last) break;
  return {
    domain,
    failed,
    successful: days.reduce((n, d) => n + d.ok, 0),
    since: dateOf(since),
    last: dateOf(last),
    ongoing: last >= (days.at(-1)?.day ?? last),
  };
}
