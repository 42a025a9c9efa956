import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { daysUntil, withReports, type TestPolicy } from '../../../test/support/report/reports.js';
import type { Store } from '../../store/index.js';
import { firstByTurns } from './by-turns.js';
import { dayOf, type ReportedFacts } from './facts.js';
import { gatherFacts } from './gather-facts.js';
import { atOnce, sortedInSteps } from './steps.js';

const now = Date.parse('2027-01-05T12:00:00Z');
const to = dayOf(now);
const hosts = ['mx1.rcpt.example', 'mx2.rcpt.example'];

/** Returns the facts of the days that end today. */
function factsOf(store: Store): ReportedFacts {
  return atOnce(gatherFacts(store, { domain: 'rcpt.example', from: to - 13, to, now, checks: [] }));
}

/** Returns one of many policies. Their groups extend over several pages. */
const policyOf = (n: number): TestPolicy => ({
  type: n % 3 === 0 ? 'tlsa' : 'sts',
  domain: n % 3 === 0 ? hosts[n % 2] : 'rcpt.example',
  mode: n % 5 === 0 ? 'none' : 'enforce',
  mx: hosts.slice(n % 2),
  maxAge: 1000 + n,
  ok: n % 7,
  failed: n % 4,
  details: [{ count: 1, mx: hosts[n % 2], ip: `192.0.2.${n % 5}`, from: `203.0.113.${n % 9}` }],
});

/**
 * SQL queries that compute each kind of fact from all rows at once, with the facts to
 * compare.
 */
const models: Readonly<Record<string, (facts: ReportedFacts) => readonly [string, unknown]>> = {
  sessions: ({ sessions }) => [
    `SELECT reporter, day, type, domain, sum(ok) AS ok, sum(failed) AS failed,
       sum(undescribed) AS undescribed, sum((mode = 'none') * (ok + failed)) AS "modeNone"
     FROM report_policy GROUP BY reporter, day, type, domain`,
    sessions,
  ],
  reports: ({ reports }) => [
    'SELECT reporter, day, count(DISTINCT report) AS reports FROM report_policy GROUP BY reporter, day',
    reports,
  ],
  failures: ({ failures }) => [
    `SELECT domain, type, mode, result, mx, ip, reporter, reason, sum(failed) AS failed,
       min(day) AS "firstDay", max(day) AS "lastDay", count(DISTINCT day) AS days
     FROM report_failure GROUP BY domain, type, mode, result, mx, ip, reporter, reason`,
    failures
      .filter(({ result }) => result !== 'not-described')
      .map(({ isLost, ...failure }) => (assert.equal(isLost, false), failure)),
  ],
  'sessions without details': ({ failures }) => [
    `SELECT domain, type, mode, reporter, sum(undescribed) AS failed, count(DISTINCT day) AS days
     FROM report_policy WHERE undescribed > 0 GROUP BY domain, type, mode, reporter`,
    failures
      .filter(({ result }) => result === 'not-described')
      .map(({ domain, type, mode, reporter, failed, days }) => ({
        ...{ domain, type, mode, reporter, failed, days },
      })),
  ],
  senders: ({ senders }) => [
    'SELECT DISTINCT result, mx, reporter, sender_ip AS ip FROM report_failure',
    senders,
  ],
  'quoted policies': ({ policies }) => [
    `SELECT domain, type, reporter, min(day) AS "firstDay", max(day) AS "lastDay", count(*) AS n
     FROM (SELECT DISTINCT domain, type, reporter, text, day FROM report_policy WHERE text > 0)
     GROUP BY domain, type, reporter, text`,
    policies.map(({ domain, type, reporter, firstDay, lastDay }) => ({
      ...{ domain, type, reporter, firstDay, lastDay, n: lastDay - firstDay + 1 },
    })),
  ],
};

/** Returns a text for each row, sorted, so that the order of the rows does not matter. */
const unordered = (rows: unknown): readonly string[] =>
  (rows as readonly object[]).map((row) => JSON.stringify(Object.entries(row).sort())).sort();

// The rows of one day fill more than one page; a group extends over several pages.
test('paged facts equal the facts of one query', async () => {
  const days = daysUntil('2027-01-03', 2);
  const store = await withReports(
    ...['big.example', 'uni.example'].flatMap((reporter) =>
      days.flatMap((day) =>
        ['1', '2'].map((id) => ({
          ...{ reporter, day, id },
          policies: Array.from({ length: 450 }, (_, n) => policyOf(n % 200)),
        })),
      ),
    ),
  );
  const facts = factsOf(store);
  for (const [what, modelOf] of Object.entries(models)) {
    const [sql, found] = modelOf(facts);
    assert.ok((found as readonly unknown[]).length >= 4, what);
    assert.deepEqual(unordered(found), unordered(store.prepare(sql).all()), what);
  }
  store.close();
});

const floods: Readonly<Record<string, (n: number) => TestPolicy>> = {
  'hosts and policies of its own': (n) => ({
    failed: 9,
    mx: [`mx${n}.rcpt.example`],
    details: [{ count: 9, mx: `mx${n}.other.example`, from: `198.51.${n >> 8}.${n & 255}` }],
  }),
  'policy types of its own': (n) => ({ type: `t${n}`, failed: 9, details: [] }),
  'results of its own': (n) => ({ failed: 1, details: [{ result: `r${n}`, count: 1 }] }),
};

for (const [what, flood] of Object.entries(floods))
  test(`a step reads at most a page of a signed flood: ${what}`, async () => {
    const store = await withReports(
      ...Array.from({ length: 4 }, (_, id) => ({
        ...{ reporter: 'stranger.example', day: '2027-01-03', id: `${id}` },
        policies: Array.from({ length: 450 }, (_unused, n) => flood(id * 450 + n)),
      })),
    );
    let most = 0;
    const watched = Object.create(store, {
      prepare: {
        value: (sql: string) => {
          const statement = store.prepare(sql);
          const all = (...values: readonly (string | number)[]): unknown[] => {
            const rows = statement.all(...values);
            most = Math.max(most, rows.length);
            return rows;
          };
          return { ...statement, get: statement.get, all };
        },
      },
    }) as Store;
    const facts = factsOf(watched);
    assert.ok(facts.failures.length >= 1800);
    assert.ok(most > 0 && most <= 1000, `${most} rows`);
    store.close();
  });

test('selection by turns gives the items of the smallest turns', () => {
  const names = fc.subarray<string>(['a', 'b', 'c'], { minLength: 1 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ reporters: names }), { maxLength: 30 }),
      fc.nat(30),
      (items, most) => {
        const taken: Record<string, number> = {};
        const turns = items.map(({ reporters }, index) => {
          const turn = Math.min(...reporters.map((reporter) => taken[reporter] ?? 0));
          for (const reporter of reporters) taken[reporter] = (taken[reporter] ?? 0) + 1;
          return { index, turn };
        });
        const expected = turns
          .sort((left, right) => left.turn - right.turn || left.index - right.index)
          .slice(0, most)
          .map(({ index }) => index)
          .sort((left, right) => left - right);
        const numbered = items.map((one, index) => ({ ...one, index }));
        const first = firstByTurns(numbered, most, ({ reporters }) => reporters);
        assert.deepEqual(
          first.map(({ index }) => index),
          expected,
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('sorting in steps is stable and equals sorting at once', () => {
  for (const length of [0, 1, 2000, 2001, 9999]) {
    const items = Array.from({ length }, (_, index) => ({ index, key: (index * 7919) % 101 }));
    const compare = (left: { key: number }, right: { key: number }): number => left.key - right.key;
    const steps = sortedInSteps(items, compare);
    let turns = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) turns++;
    assert.deepEqual(step.value, [...items].sort(compare));
    assert.ok(turns >= Math.floor((length - 1) / 2000), `${turns} turns for ${length}`);
  }
});
