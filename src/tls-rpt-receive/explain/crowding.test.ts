import assert from 'node:assert/strict';
import test from 'node:test';
import { testSize } from '../../../test/support/test-size.js';
import {
  daysUntil,
  withReports,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import {
  renderDomain,
  runAlerts,
  showDomain,
  showDomainInTurns,
  type ReportAlert,
} from '../index.js';
import { firstByTurns } from './by-turns.js';

const now = Date.parse('2027-01-05T12:00:00Z');
const week = daysUntil('2027-01-03', 7);

/**
 * Returns reports that a third party signs with its own domain: each policy describes a
 * different failure.
 */
function flood(policyOf: (n: number) => TestPolicy, reporter = 'stranger.example'): TestReport[] {
  return Array.from({ length: testSize(1, 10) }, (_, r) => ({
    reporter,
    day: week[r % week.length] ?? '',
    id: `${r}`,
    policies: Array.from({ length: 450 }, (_unused, n) => policyOf(r * 450 + n)),
  }));
}

const genuine: readonly TestReport[] = week.map((day) => ({
  reporter: 'big.example',
  day,
  policies: [
    { ok: 90, failed: 5, details: [{ count: 5, mx: 'mx1.rcpt.example' }] },
    { type: 'tlsa', domain: 'mx9.rcpt.example', ok: 4, failed: 3, details: [{ count: 3 }] },
  ],
}));

const floods: Readonly<Record<string, readonly TestReport[]>> = {
  'other hosts with huge numbers': flood((n) => ({
    failed: 10_000,
    mx: [`mx${n}.rcpt.example`],
    details: [{ result: 'validation-failure', count: 10_000, mx: `mx${n}.attacker.example` }],
  })),
  'policy types of its own': flood((n) => ({ type: `t${n}`, ok: 1, failed: 10_000, details: [] })),
  'details without a count': flood((n) => ({
    failed: 1,
    details: [{ result: `r${n}`, count: 0, mx: `mx${n}.attacker.example` }],
  })),
  'hosts of DANE': flood((n) => ({
    type: 'tlsa',
    domain: `h${n}.rcpt.example`,
    failed: 10_000,
    details: [{ count: 10_000 }],
  })),
};

/** Returns the parts of the view that depend on one reporter only. */
function linesOf(store: Parameters<typeof showDomain>[0], reporter: string): unknown {
  const view = showDomain(store, 'rcpt.example', { now });
  return {
    failures: view.failures
      .filter(({ reporters }) => reporters.join() === reporter)
      .map(({ result, host, sessions, since, last, ongoing }) => [
        ...[result, host, sessions, since, last, ongoing],
      ]),
    sums: view.reporters.find((one) => one.reporter === reporter),
    policies: view.seenPolicies.filter((one) => one.reporter === reporter),
  };
}

// Any sender can sign mail with its own domain.
for (const [what, reports] of Object.entries(floods))
  test(`a signed flood displaces no failure of another reporter: ${what}`, async () => {
    const alone = linesOf(await withReports(...genuine), 'big.example') as { failures: object[] };
    assert.ok(alone.failures.length >= 2);
    const orders = [
      [...genuine, ...reports],
      [...reports, ...genuine],
    ];
    for (const all of orders.slice(0, testSize(1, 2))) {
      const store = await withReports(...all);
      assert.deepEqual(linesOf(store, 'big.example'), alone);
      const sent: ReportAlert[] = [];
      const channels = { mail: async (some: readonly ReportAlert[]) => (sent.push(...some), true) };
      await runAlerts({ store, now, domains: ['rcpt.example'], channels });
      // At most twenty alerts and one line concern the domain, and as many concern the
      // names that the flood invented.
      assert.ok(sent.length <= 2 * 21, `${sent.length} alerts`);
      assert.ok(sent.some(({ says }) => / mx1\.rcpt\.example has expired/.test(says)));
      store.close();
    }
  });

test('the event loop runs while a domain with many rows is judged', async () => {
  const kind = floods['other hosts with huge numbers'] ?? [];
  const store = await withReports(...kind, ...genuine);
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const view = await showDomainInTurns(store, 'rcpt.example', { now });
  over = true;
  assert.ok(turns >= 5, `${turns} turns`);
  assert.equal(view.status, 'failing');
  assert.ok(renderDomain(view).length > 0);
  store.close();
});

test("each reporter's first item precedes further items of one reporter", () => {
  const items = [...'aaaaaaaabc'].map((who, n) => ({ who, n }));
  const first = firstByTurns(items, 4, ({ who }) => [who]);
  assert.deepEqual(
    first.map(({ who, n }) => `${who}${n}`),
    ['a0', 'a1', 'b8', 'c9'],
  );
  assert.equal(
    firstByTurns(items, 10, ({ who }) => [who]),
    items,
  );
});
