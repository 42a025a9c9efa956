import { check } from '../src/check/index.js';
import { labOptions } from '../src/cli/lab.js';
import type { Lab } from '../src/lab/index.js';
import type { Store } from '../src/store/index.js';
import { prepareReports, storeCheck } from '../src/tls-rpt-receive/index.js';
import { prepareWatch, recordCheck } from '../src/watch/index.js';
import { storeTestReports, type TestReport } from '../test/support/report/reports.js';
import { firstDay, monthDays } from './report-faults.js';
import { playMonth } from './report-month.js';

/**
 * Fills the database of `npm start` with a month of TLS reports for some domains of the
 * lab, and two checks of each by the watch.
 */

/** A domain whose policy changed, while one reporter still applies the old policy. */
const changedDomain = 'xn--bcher-kva.example';

/**
 * The operator's domains in the lab, each with the seed of its month. The fault of the
 * month equals the fault that a check of the domain finds, if any. Without a seed the
 * month is {@link outdatedMonth}.
 */
export const ownDomains = [
  ['good.example', 4],
  ['dane-mismatch.example', 19],
  ['expired-enforced.example', 66],
  ['sts-only.example', 3],
  ['testing-mode.example', 44],
  ['dane-only.example', 4],
  [changedDomain, undefined],
] as const;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Returns the month of a seed as reports about a domain, ending yesterday. */
export function monthOf(domain: string, seed: number, now: number): readonly TestReport[] {
  const lastDay = Math.floor(now / DAY) * DAY - DAY;
  const shift = lastDay - (firstDay + (monthDays - 1) * DAY);
  return playMonth(seed).reports.map((report): TestReport => {
    const moved = new Date(Date.parse(report.day) + shift).toISOString().slice(0, 10);
    const text = JSON.stringify(report)
      .replaceAll(report.day, moved)
      .replaceAll('mx1.alpha.example', `mx.${domain}`)
      .replaceAll('alpha.example', domain);
    return withoutNoise(JSON.parse(text) as TestReport);
  });
}

/** Removes the lost connections from the month, because they hide the fault. */
function withoutNoise(report: TestReport): TestReport {
  const policies = report.policies.map((policy) => {
    const { details = [], failed = 0 } = policy;
    const kept = details.filter(({ reason }) => reason !== 'connection timed out');
    const lost = details.filter((detail) => !kept.includes(detail));
    const count = lost.reduce((sum, detail) => sum + (detail.count ?? 0), 0);
    return { ...policy, failed: failed - count, details: policy.details && kept };
  });
  return { ...report, policies };
}

/**
 * Returns a month in which the policy changed on the fifth day. One reporter never renews
 * its copy, which does not contain the current mail host.
 */
function outdatedMonth(now: number): readonly TestReport[] {
  const [before, after] = [[`old.${changedDomain}`], [`mx.${changedDomain}`]];
  const quoted = { domain: changedDomain, maxAge: 86_400 };
  const details = [{ result: 'validation-failure', mx: `mx.${changedDomain}`, count: 6 }];
  return Array.from({ length: monthDays }, (_, index) => {
    const day = new Date(now - (monthDays - index) * DAY).toISOString().slice(0, 10);
    const mx = index < 5 ? before : after;
    const stale = { ...quoted, mx: before, ok: 0, failed: 6, details };
    return [
      ...['one.example', 'two.example'].map((reporter) => ({
        reporter,
        day,
        policies: [{ ...quoted, mx, ok: 40 }],
      })),
      ...(index < 5 ? [] : [{ reporter: 'stale.example', day, policies: [stale] }]),
    ];
  }).flat();
}

/**
 * Stores the months, and a few reports of unauthenticated reporters, which are not
 * counted.
 */
export function storeMonths(store: Store, now: number): void {
  prepareReports(store);
  for (const [domain, seed] of ownDomains)
    if (seed !== undefined) storeTestReports(store, monthOf(domain, seed, now));
  storeTestReports(store, outdatedMonth(now));
  const day = new Date(now - 2 * DAY).toISOString().slice(0, 10);
  const policies = [{ domain: 'good.example', mx: ['mx.good.example'], failed: 900 }];
  storeTestReports(store, [
    { reporter: 'forged.example', day, trust: 'unsigned', policies },
    { reporter: 'other-signer.example', day, trust: 'misaligned', policies },
    { reporter: 'posted.example', day, trust: 'posted', peer: '203.0.113.66', policies },
  ]);
}

/** Checks each domain once, and stores the result as two checks of the watch. */
export async function storeLooks(store: Store, lab: Lab, now: number): Promise<void> {
  prepareWatch(store);
  const domains = ownDomains.map(([domain]) => domain);
  const scope = { domains, channels: [] };
  const results = await Promise.all(
    domains.map((domain) => check(domain, { ...labOptions(lab), depth: 'triage' })),
  );
  for (const hours of [3, 2])
    for (const [index, domain] of domains.entries())
      await recordCheck(store, { domain, result: results[index] }, scope, now - hours * HOUR);
  await store.write('report', () => {
    for (const result of results) storeCheck(store, result);
  });
}
