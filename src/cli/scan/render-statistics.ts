import { countOf, formatCount, wrap } from '../../base/index.js';
import {
  statisticDefinitions,
  statisticPages,
  type ScanStatistic,
  type StatisticDefinition,
} from '../../scan/index.js';
import { percentOf } from './render-progress.js';

/**
 * Largest width of the table, in columns. A reader cannot follow the row of a longer
 * line.
 */
const MAX_WIDTH = 100;
/**
 * Minimum width for the shares of hosts and operators, in columns. Narrower terminals
 * show only the shares of domains.
 */
const WIDE = 76;
const OPERATORS_SHOWN = 10;

/** A column of shares. The share of unknown answers refers to all scanned domains. */
interface Column {
  readonly head: string;
  share(id: string): string;
}

/**
 * Returns the statistics of a scan as lines for a terminal of `width` columns: each share
 * with its base, the share that is unknown, and three units: domains, mail hosts and
 * operators. Classes without a domain are omitted.
 */
export function renderStatistics(
  statistics: readonly ScanStatistic[],
  width: number,
): readonly string[] {
  const found = new Map(statistics.map((one) => [`${one.key} ${one.counted}`, one]));
  const columns = columnsOf(found, width);
  const room = Math.min(width, MAX_WIDTH) - columns.reduce((sum, { head }) => sum + head.length, 0);
  const cells = (of: (column: Column) => string): string =>
    columns.map((column) => of(column).padStart(column.head.length)).join('');

  const lines: string[] = [];
  for (const page of statisticPages) {
    const rows = statisticDefinitions.filter((definition) => isShown(definition, page, found));
    if (rows.length === 0) continue;
    lines.push('', page.padEnd(room) + cells(({ head }) => head));
    let base = '';
    for (const { id, says, of } of rows) {
      if (of !== base) lines.push(`  of the domains ${of}`);
      base = of;
      const { n = 0, of: all = 0 } = found.get(`${id} domains`) ?? {};
      const text = `${says}: ${formatCount(n)}/${formatCount(all)}`;
      const [first = '', ...more] = wrap(text, room - 1, '    ', '      ');
      lines.push(first.padEnd(room) + cells((column) => column.share(id)), ...more);
    }
  }
  return lines.length === 0 ? [] : [...lines, ...operatorLines(statistics)];
}

function columnsOf(found: ReadonlyMap<string, ScanStatistic>, width: number): readonly Column[] {
  const shareOf =
    (unit: string) =>
    (id: string): string => {
      const { n = 0, of = 0 } = found.get(`${id} ${unit}`) ?? {};
      return percentOf(n, of);
    };
  const unknown = (id: string): string => {
    const { of = 0, unknown: open = 0 } = found.get(`${id} domains`) ?? {};
    return percentOf(open, of + open);
  };
  const others = [
    { head: '    hosts', share: shareOf('mailHosts') },
    { head: '  operators', share: shareOf('operators') },
  ];
  return [
    { head: '  domains', share: shareOf('domains') },
    ...(width < WIDE ? [] : others),
    { head: '  unknown', share: unknown },
  ];
}

function isShown(
  { id, page }: StatisticDefinition,
  shownPage: string,
  found: ReadonlyMap<string, ScanStatistic>,
): boolean {
  const domains = found.get(`${id} domains`);
  return page === shownPage && domains !== undefined && (page !== 'classes' || domains.n > 0);
}

function operatorLines(statistics: readonly ScanStatistic[]): readonly string[] {
  const operators = statistics
    .filter(({ page }) => page === 'operators')
    .sort((a, b) => b.n - a.n)
    .slice(0, OPERATORS_SHOWN);
  if (operators.length === 0) return [];
  return [
    '',
    'operators of mail hosts',
    ...operators.map(
      ({ key, n, of }) => `${percentOf(n, of).padStart(11)}  ${key}, ${countOf(n, 'domain')}`,
    ),
  ];
}
