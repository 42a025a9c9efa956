import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { matchMx } from '../../src/mta-sts/index.js';
import {
  importReports,
  openReports,
  showDomain,
  showOverview,
} from '../../src/tls-rpt-receive/index.js';
import type { Store } from '../../src/store/index.js';
import { formatReport, type ReportedPolicy, type TlsReport } from '../../src/tls-rpt/index.js';
import { someReport } from '../support/tls-rpt-reports.js';
import { systemClockAt } from '../support/fake-clock.js';

const now = Date.parse('2027-01-05T12:00:00Z');

/** Returns a database into which these reports were imported. */
async function stored(texts: readonly string[]): Promise<Store> {
  const store = await openReports(':memory:');
  async function* sources() {
    for (const text of texts)
      yield {
        name: 'report.json',
        open: async function* () {
          yield Buffer.from(text);
        },
      };
  }
  for await (const record of importReports(sources(), {
    clock: systemClockAt(() => now),
    store,
  }))
    assert.equal(record.stored, 'stored');
  return store;
}

// [8460-4-2]
test('every number is the sum over the reports, for any span of days and any domain', async () => {
  const some = fc.record({
    reports: fc.uniqueArray(someReport, { selector: (r) => r.reportId ?? '', maxLength: 30 }),
    days: fc.integer({ min: 1, max: 400 }),
    to: fc.integer({ min: 0, max: 364 }),
    domain: fc.constantFrom('rcpt.example', 'mx1.rcpt.example', 'mail.other.example'),
  });
  await fc.assert(
    fc.asyncProperty(some, async ({ reports, days, to, domain }) => {
      const store = await stored(reports.map(textOf));
      const end = Date.UTC(2026, 0, 1) + to * 86_400_000;
      const within = reports.filter(
        (r) =>
          Date.parse(r.startDatetime ?? '') <= end &&
          Date.parse(r.startDatetime ?? '') > end - days * 86_400_000,
      );
      const sums = (policies: readonly ReportedPolicy[]): Record<string, [number, number]> => {
        const kinds: Record<string, [number, number]> = {};
        for (const p of policies) {
          const [ok, failed] = kinds[p.policyType] ?? [0, 0];
          kinds[p.policyType] = [
            ok + p.totalSuccessfulSessionCount,
            failed + p.totalFailureSessionCount,
          ];
        }
        return kinds;
      };
      const shown = (
        kinds: readonly { type: string; successful: number; failed: number }[],
      ): Record<string, [number, number]> =>
        Object.fromEntries(kinds.map((k) => [k.type, [k.successful, k.failed]]));
      const view = showDomain(store, domain, { now, days, to: end });
      const hosts = mailHosts(within, domain);
      const isOwn = (p: ReportedPolicy): boolean =>
        p.policyDomain === domain || (p.policyType === 'tlsa' && hosts.has(p.policyDomain ?? ''));
      const own = within.flatMap((r) => r.policies).filter(isOwn);
      assert.deepEqual(shown(view.kinds), sums(own));
      assert.equal(view.reports, within.filter((r) => r.policies.some(isOwn)).length);
      // [8460-4.4-11]: the total counts, and sessions without a detail form a separate
      // failure.
      assert.equal(
        view.failures.reduce((n, f) => n + f.sessions, 0),
        own.reduce((n, p) => n + Math.max(p.totalFailureSessionCount, described(p)), 0),
      );
      const all = showOverview(store, { now, days, to: end });
      assert.deepEqual(shown(all.kinds), sums(within.flatMap((r) => r.policies)));
      assert.equal(all.reports, within.length);
      store.close();
    }),
    { numRuns: 40 },
  );
});

function described({ failureDetails }: ReportedPolicy): number {
  return failureDetails.reduce((n, d) => n + d.failedSessionCount, 0);
}

/**
 * Returns the TLSA base domains that belong to a domain: named by its policy, or by its
 * reports.
 */
function mailHosts(reports: readonly TlsReport[], domain: string): ReadonlySet<string> {
  const named = reports
    .flatMap((r) => r.policies)
    .filter((p) => p.policyDomain === domain && p.policyType === 'sts')
    .flatMap((p) => p.policyString.flatMap((line) => /^mx: (.*)$/.exec(line)?.[1] ?? []));
  const inReports = reports.flatMap(({ policies }) => {
    const others = policies.filter((p) => p.policyType !== 'tlsa');
    if (!others.some((p) => p.policyDomain === domain)) return [];
    return policies.flatMap((p) => {
      const host = p.policyDomain ?? '';
      if (p.policyType !== 'tlsa' || host === domain || host === '') return [];
      const isFree = others.every(
        (o) => [domain, host, '', undefined].includes(o.policyDomain) || !claims(o, host),
      );
      return isFree || named.some((pattern) => matchMx(pattern, host)) ? host : [];
    });
  });
  // A host below the domain that fails under DANE and is not itself a recipient domain.
  const policies = reports.flatMap((r) => r.policies);
  const failing = policies.flatMap(({ policyDomain: host = '', ...p }) =>
    p.policyType === 'tlsa' &&
    p.totalFailureSessionCount > 0 &&
    host.endsWith(`.${domain}`) &&
    policies.every((o) => o.policyDomain !== host || o.policyType === 'tlsa')
      ? host
      : [],
  );
  return new Set([...named, ...inReports, ...failing]);
}

/**
 * Returns whether a host belongs to the domain of a policy: the hosts below a recipient
 * domain, and the hosts in its policy, belong to the domain.
 */
function claims({ policyDomain = '', policyString }: ReportedPolicy, host: string): boolean {
  const patterns = policyString.flatMap(
    (line) => /^mx: (.*)$/.exec(line)?.[1]?.toLowerCase() ?? [],
  );
  const siblings = `*${host.slice(Math.max(0, host.indexOf('.')))}`;
  return (
    host.endsWith(`.${policyDomain}`) || patterns.includes(host) || patterns.includes(siblings)
  );
}

function textOf(report: TlsReport): string {
  const text = formatReport(report);
  assert.ok(text.ok);
  return text.value;
}
