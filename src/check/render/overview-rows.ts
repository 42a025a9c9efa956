import type { CheckResult } from '../../evidence/index.js';
import { scorecard, type Score } from './scorecard.js';
import { verdictOrder } from './words.js';

/** One domain of several. */
export interface OverviewRow {
  /** Its position in the order given, from 1. */
  readonly nth: number;
  readonly result: CheckResult;
  readonly scores: readonly Score[];
  /** The earliest end of a certificate, as a day. */
  readonly expires: string | undefined;
}

/**
 * The worst first: by verdict, then by the number of failed and of warned topics; equal
 * ones in the order given.
 */
export function overviewRows(results: readonly CheckResult[]): readonly OverviewRow[] {
  const rows = results.map((result, i) => ({
    nth: i + 1,
    result,
    scores: scorecard(result),
    expires: earliestExpiry(result),
  }));
  const count = ({ scores }: OverviewRow, mark: string): number =>
    scores.filter((score) => score.mark === mark).length;
  return rows.sort(
    (a, b) =>
      verdictOrder.indexOf(a.result.verdict) - verdictOrder.indexOf(b.result.verdict) ||
      count(b, 'fail') - count(a, 'fail') ||
      count(b, 'warn') - count(a, 'warn') ||
      a.nth - b.nth,
  );
}

function earliestExpiry({ hosts }: CheckResult): string | undefined {
  const ends = hosts.flatMap((host) =>
    host.addresses.flatMap((address) => address.certificates.map((c) => c.notAfter)),
  );
  return ends.sort()[0]?.slice(0, 10);
}

/** `2 fail, 1 could not tell, 4 pass`. */
export function verdictCounts(results: readonly CheckResult[]): string {
  return verdictOrder
    .map((verdict) => ({ verdict, n: results.filter((r) => r.verdict === verdict).length }))
    .filter(({ n }) => n > 0)
    .map(({ verdict, n }) => `${n} ${verdictWords[verdict]}`)
    .join(', ');
}

const verdictWords: Readonly<Record<CheckResult['verdict'], string>> = {
  fail: 'fail',
  inconclusive: 'could not be determined',
  warn: 'with warnings',
  pass: 'pass',
  'not-applicable': 'without mail',
};
