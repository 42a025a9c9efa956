import type { CheckResult } from '../../evidence/index.js';
import { scorecard, type Score } from './scorecard.js';
import { verdictOrder } from './words.js';

/** One domain of several. */
export interface OverviewRow {
  /** The position of the domain in the input, from 1. */
  readonly nth: number;
  readonly result: CheckResult;
  readonly scores: readonly Score[];
  /** The day on which the first certificate expires. */
  readonly expires: string | undefined;
}

/**
 * Returns the domains, worst first: by verdict, then by the number of failed and of
 * warned topics. Equal domains keep the order of the input, so that two runs print the
 * same table.
 */
export function overviewRows(results: readonly CheckResult[]): readonly OverviewRow[] {
  const rows = results.map((checkResult, index) => ({
    nth: index + 1,
    result: checkResult,
    scores: scorecard(checkResult),
    expires: earliestExpiry(checkResult),
  }));
  const count = ({ scores }: OverviewRow, mark: string): number =>
    scores.filter((score) => score.mark === mark).length;
  return rows.sort(
    (left, right) =>
      verdictOrder.indexOf(left.result.verdict) - verdictOrder.indexOf(right.result.verdict) ||
      count(right, 'fail') - count(left, 'fail') ||
      count(right, 'warn') - count(left, 'warn') ||
      left.nth - right.nth,
  );
}

/**
 * Returns the day on which the first certificate expires. Timestamps are RFC 3339 in UTC,
 * so their alphabetical order is their order in time.
 */
function earliestExpiry({ hosts }: CheckResult): string | undefined {
  const ends = hosts.flatMap((mailHost) =>
    mailHost.addresses.flatMap((address) =>
      address.certificates.map((certificate) => certificate.notAfter),
    ),
  );
  return ends.sort()[0]?.slice(0, 10);
}

/**
 * Counts verdicts, worst first: `2 fail, 1 could not be determined, 4 pass`. Verdicts
 * that do not occur are omitted.
 */
export function verdictCounts(results: readonly Pick<CheckResult, 'verdict'>[]): string {
  return verdictOrder
    .map((verdict) => ({
      verdict,
      n: results.filter((checkResult) => checkResult.verdict === verdict).length,
    }))
    .filter(({ n: count }) => count > 0)
    .map(({ verdict, n: count }) => `${count} ${verdictWords[verdict]}`)
    .join(', ');
}

/** The words for verdicts after a number. */
const verdictWords: Readonly<Record<CheckResult['verdict'], string>> = {
  fail: 'fail',
  inconclusive: 'could not be determined',
  warn: 'with warnings',
  pass: 'pass',
  'not-applicable': 'without mail',
};
