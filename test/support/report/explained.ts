import { storeCheck, showDomain } from '../../../src/tls-rpt-receive/index.js';
import { testCheck, type TestCheck } from './checks.js';
import { daysUntil, withReports, type TestPolicy, type TestReport } from './reports.js';

const now = Date.parse('2027-01-05T12:00:00Z');

/** The last week, as the views of {@link failuresOf} show it. */
export const week = daysUntil('2027-01-04', 7);

/** Reports of one reporter on each day of the week. */
export function weekly(reporter: string, ...policies: readonly TestPolicy[]): TestReport[] {
  return week.map((day) => ({ reporter, day, policies }));
}

/** Returns the explained failures of rcpt.example, worst first. */
export async function failuresOf(
  reports: readonly (readonly TestReport[])[],
  ...checks: readonly TestCheck[]
): Promise<ReturnType<typeof showDomain>['failures']> {
  const store = await withReports(...reports.flat());
  for (const check of checks) storeCheck(store, testCheck(check));
  return showDomain(store, 'rcpt.example', { now }).failures;
}
