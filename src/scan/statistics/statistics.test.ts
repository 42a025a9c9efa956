import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  gradeWith,
  testDomain,
  testHost,
  testServer,
  testVisit,
} from '../../../test/support/scan-observations.js';
import { classIds } from '../classes/class-registry.js';
import { gradeDomain, type DomainGrade } from '../grade/grade-domain.js';
import { StatisticsCollector, type Statistic, type StatisticRow } from './collect-statistics.js';
import { statisticDefinitions } from './definitions.js';

const server = testServer(['mx.example.net']);
const base = gradeDomain({
  domain: testDomain('example.com', ['mx.example.net']),
  hosts: [
    {
      host: testHost('mx.example.net', ['192.0.2.1']),
      visits: [testVisit('mx.example.net', server)],
    },
  ],
});

function statistic(rows: readonly StatisticRow[], id: string): Statistic {
  const collector = new StatisticsCollector();
  for (const row of rows) collector.add(row);
  const found = collector.statistics().find((one) => one.id === id);
  assert.ok(found, id);
  return found;
}

const row = (grade: DomainGrade, domain: string, operator = 'provider.test'): StatisticRow => ({
  grade,
  domain,
  hosts: [`mx.${operator}`],
  operators: [operator],
});

test('one provider with many domains counts once among operators and hosts', () => {
  const dane = gradeWith(base, { measures: { dane: 'protected' } });
  const rows = [
    ...Array.from({ length: 90 }, (_, index) => row(dane, `d${index}.example`)),
    ...Array.from({ length: 10 }, (_, index) => row(base, `o${index}.example`, `op${index}.test`)),
  ];
  const { domains, mailHosts, operators } = statistic(rows, 'tlsa');
  assert.deepEqual(domains, { number: 90, of: 100, unknown: 0 });
  assert.deepEqual(mailHosts, { number: 1, of: 11, unknown: 0 });
  assert.deepEqual(operators, { number: 1, of: 11, unknown: 0 });
});

test('unknown answers are in neither number', () => {
  const unknown = gradeWith(base, { measures: { mtaSts: 'unknown' } });
  const enforced = gradeWith(base, { measures: { mtaSts: 'enforce' } });
  const rows = [row(unknown, 'a.example'), row(enforced, 'b.example'), row(base, 'c.example')];
  assert.deepEqual(statistic(rows, 'sts-record').domains, { number: 1, of: 2, unknown: 1 });
  assert.deepEqual(statistic(rows, 'sts-enforce').domains, { number: 1, of: 1, unknown: 1 });
});

test('domains without mail count only in the share of the list', () => {
  const none = gradeWith(base, { measures: { mail: 'no' } });
  for (const { id, of } of statisticDefinitions) {
    const { domains } = statistic([row(none, 'a.example')], id);
    assert.equal(domains.of + domains.unknown, of === 'of the list' ? 1 : 0, id);
  }
});

test('self-hosted domains are separate operators', () => {
  const rows = ['a.example', 'b.example'].map((domain) => row(base, domain, 'own'));
  assert.equal(statistic(rows, 'starttls').operators.of, 2);
});

test('counting by rows equals counting by domains', () => {
  const measures = fc.record({
    mail: fc.constantFrom('yes' as const, 'no' as const, 'unknown' as const),
    starttls: fc.constantFrom('all' as const, 'none' as const, 'unknown' as const),
    mtaSts: fc.constantFrom('enforce' as const, 'absent' as const, 'unobtainable' as const),
    dane: fc.constantFrom('protected' as const, 'absent' as const, 'unknown' as const),
  });
  const rows = fc.array(
    fc.tuple(measures, fc.integer({ min: 1, max: 4 }), fc.constantFrom('a.test', 'b.test')),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(rows, (given) => {
      const [grouped, single] = [new StatisticsCollector(), new StatisticsCollector()];
      const graded = given.map(([values, domains, operator]) => ({
        ...row(gradeWith(base, { measures: values }), 'd.example', operator),
        domains,
      }));
      for (const one of graded) {
        grouped.add(one);
        for (let left = one.domains; left > 0; left--) single.add({ ...one, domains: 1 });
      }
      const statistics = grouped.statistics();
      assert.deepEqual(statistics, single.statistics());
      // The sums equal those of a count without shapes.
      for (const [index, { answer }] of statisticDefinitions.entries()) {
        const sum = (wanted: string): number =>
          graded.reduce(
            (all, { grade, domains }) => all + (answer(grade) === wanted ? domains : 0),
            0,
          );
        const { number, of, unknown } = statistics[index]?.domains ?? {};
        assert.deepEqual(
          [number, of, unknown],
          [sum('yes'), sum('yes') + sum('no'), sum('unknown')],
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('the largest operators are exact with more operators than names in memory', () => {
  const collector = new StatisticsCollector();
  // An operator with all domains at the start, one with scattered domains, and 60 000
  // others.
  for (let n = 0; n < 30; n++) collector.add(row(base, `e${n}.example`, 'early.test'));
  for (let n = 0; n < 60_000; n++) {
    collector.add(row(base, `d${n}.example`, `op${n}.test`));
    if (n % 2000 === 0) collector.add(row(base, `s${n}.example`, 'spread.test'));
    if (n > 59_000 && n % 100 === 0) collector.add(row(base, `l${n}.example`, 'op3.test'));
  }
  collector.add(row(base, 'own.example', 'own'));
  assert.deepEqual(collector.operators(4), [
    { operator: 'early.test', domains: 30 },
    { operator: 'spread.test', domains: 30 },
    { operator: 'op3.test', domains: 10 },
    { operator: 'op0.test', domains: 1 },
  ]);
  const [first] = collector.statistics();
  assert.deepEqual(
    [first?.mailHosts.of, first?.operators.of],
    [60_003, 60_003],
    'the others, early, spread and own',
  );
});

test('every class is a statistic, and identifiers are unique', () => {
  const ids = statisticDefinitions.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(classIds.every((id) => ids.includes(`class-${id}`)));
});
