import { clip } from '../base/index.js';
import type { CheckResult, Verdict } from '../evidence/index.js';

/** The order of the rows: the domains that need attention come first. */
const worstFirst: readonly Verdict[] = ['fail', 'inconclusive', 'warn', 'pass', 'not-applicable'];

const verdictColors: Readonly<Record<Verdict, string>> = {
  fail: '31',
  inconclusive: '33',
  warn: '33',
  pass: '32',
  'not-applicable': '2',
};

interface Column {
  readonly name: string;
  readonly width: number;
  readonly value: (result: CheckResult) => string;
}

/** Each column is dropped where the terminal is too narrow for it; the last ones first. */
const columns: readonly Column[] = [
  { name: 'dnssec', width: 13, value: ({ route }) => route.dnssec },
  { name: 'dane', width: 8, value: ({ hosts }) => hosts[0]?.tlsa.status ?? '-' },
  { name: 'mta-sts', width: 8, value: ({ mtaSts }) => mtaSts.mode ?? mtaSts.status },
  { name: 'tls-rpt', width: 8, value: ({ tlsRpt }) => tlsRpt.status },
  { name: 'to fix', width: 30, value: (result) => worstFinding(result) },
];

/** The terminal that a table of domains is for. */
export interface DomainsOptions {
  readonly width: number;
  readonly color: boolean;
}

/**
 * Several results as a table, worst first: one line for each domain and a summary. Ends
 * with a line feed.
 */
export function renderDomains(results: readonly CheckResult[], options: DomainsOptions): string {
  const { width, color } = options;
  const name = Math.min(40, Math.max(6, ...results.map(({ domain }) => domain.length)));
  const lead = 15 + name;
  const shown = columns.filter((_, i) => lead + widthOf(columns.slice(0, i + 1)) <= width);
  const lines = [...results]
    .sort((a, b) => worstFirst.indexOf(a.verdict) - worstFirst.indexOf(b.verdict))
    .map((result) => {
      const verdict = result.verdict.padEnd(15);
      const cells = shown.map((column) => cell(column.value(result), column.width));
      const start = color ? `\x1b[${verdictColors[result.verdict]}m${verdict}\x1b[0m` : verdict;
      return `${start}${clip(result.domain, name).padEnd(name)}${cells.join('')}`.trimEnd();
    });
  const heading = `${'verdict'.padEnd(15)}${'domain'.padEnd(name)}${shown
    .map((column) => `  ${column.name.padEnd(column.width)}`)
    .join('')}`.trimEnd();
  return `${[heading, ...lines, '', summary(results)].join('\n')}\n`;
}

function widthOf(some: readonly Column[]): number {
  return some.reduce((sum, column) => sum + column.width + 2, 0);
}

function cell(text: string, width: number): string {
  return `  ${clip(text, width).padEnd(width)}`;
}

function worstFinding({ findings }: CheckResult): string {
  return findings.find(({ severity }) => severity === 'fail' || severity === 'warn')?.id ?? '';
}

function summary(results: readonly CheckResult[]): string {
  const counts = worstFirst.flatMap((verdict) => {
    const count = results.filter((result) => result.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return `${results.length} domains: ${counts.join(', ') || 'none checked'}`;
}
