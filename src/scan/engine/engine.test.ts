import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { copyLine } from './database/copy-text.js';
import { isConnectionLoss, isRetryable } from './database/errors.js';
import { loadPackage } from './database/load-package.js';
import { formatFacts } from './database/store-facts.js';
import { neededJobs } from './jobs/plan-jobs.js';
import { parseListLine } from './scans/load-list.js';
import { NetworkBreaker } from './visits/network-breaker.js';
import { leaseMs, politeness } from './visits/politeness.js';
import { visitCodes, visitStateOf } from './contract/visit-states.js';

test('a line of a list is a domain, or a rank and a domain', () => {
  const lines: readonly (readonly [string, ReturnType<typeof parseListLine>])[] = [
    ['example.com', { rank: 7, domain: 'example.com' }],
    ['  EXAMPLE.com.\t', { rank: 7, domain: 'example.com' }],
    ['12,example.com', { rank: 12, domain: 'example.com' }],
    ['3,bücher.example', { rank: 3, domain: 'xn--bcher-kva.example' }],
    ['a,b,c', { rank: 7, domain: undefined }],
    ['com', { rank: 7, domain: undefined }],
    ['two words.example', { rank: 7, domain: undefined }],
    ['', undefined],
    ['# comment', undefined],
  ];
  for (const [line, entry] of lines) assert.deepEqual(parseListLine(line, 7), entry, line);
});

test('COPY lines separate any text', () => {
  assert.equal(copyLine(['a\tb', null, 3, 'c\\d\n']), 'a\\tb\t\\N\t3\tc\\\\d\\n');
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (values) => {
      const line = copyLine(values);
      assert.ok(!line.includes('\n'));
      assert.equal(line.split('\t').length, values.length);
    }),
  );
});

test('equal facts have equal text, and PostgreSQL accepts the text', () => {
  assert.equal(formatFacts({ b: 1, a: { d: [2], c: null } }), '{"a":{"c":null,"d":[2]},"b":1}');
  assert.equal(formatFacts({ text: 'a\0b\ud800c' }), '{"text":"a\ufffdb\ufffdc"}');
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (facts) => {
      const reversed = Object.fromEntries(Object.entries(facts).reverse());
      assert.equal(formatFacts(reversed), formatFacts(facts));
    }),
  );
});

test('grading begins when all hosts are known, and the end when all is graded', () => {
  const kinds = (names: boolean, hosts: boolean, visits: boolean, grades: boolean) =>
    neededJobs({ names, hosts, visits, grades }).map(({ kind, delay }) => `${kind} ${delay}`);
  assert.deepEqual(kinds(true, true, true, true), ['scan.names 0', 'scan.hosts 0']);
  assert.deepEqual(kinds(false, true, false, true), ['scan.hosts 0']);
  assert.deepEqual(kinds(false, false, true, true), ['scan.grade 10']);
  assert.deepEqual(kinds(false, false, false, true), ['scan.grade 0']);
  assert.deepEqual(kinds(false, false, true, false), []);
  assert.deepEqual(kinds(false, false, false, false), ['scan.finish 0']);
});

test('a scan stops when more than a fifth of new networks time out', () => {
  let now = 0;
  const breaker = new NetworkBreaker({ monotonic: () => now }, 0.2);
  for (let network = 0; network < 19; network++) breaker.count(true);
  assert.equal(breaker.isOpen, false, 'too few networks');
  breaker.count(true);
  assert.equal(breaker.isOpen, true);
  now = 61_000;
  assert.equal(breaker.isOpen, false, 'a minute later');
  for (let network = 0; network < 100; network++) breaker.count(network < 20);
  assert.equal(breaker.isOpen, false, 'a fifth');
  breaker.count(true);
  assert.equal(breaker.isOpen, true);
  breaker.reset();
  assert.equal(breaker.isOpen, false);
});

test('a lease is longer than any visit, the wait of an abandoned address longer still', () => {
  assert.ok(leaseMs(politeness) > politeness.visitMs);
  assert.ok(politeness.abandonedMs > leaseMs(politeness));
  // RFC 5321 §4.5.3.2.7: a server ends an idle session after five minutes or more.
  assert.ok(politeness.abandonedMs >= 300_000);
});

test('visit states equal the numbers in the database', () => {
  for (const [state, code] of Object.entries(visitCodes))
    assert.equal(visitStateOf(code), state === 'waiting' ? undefined : state);
  assert.equal(visitStateOf(9), undefined);
});

test('a lost connection and a lost conflict differ from other errors', () => {
  const coded = (code: string): Error => Object.assign(new Error(code), { code });
  for (const code of ['57P01', '57P03', '08006', 'ECONNREFUSED', 'ENOENT'])
    assert.ok(isConnectionLoss(coded(code)), code);
  assert.ok(isConnectionLoss(new Error('Connection terminated unexpectedly')));
  for (const code of ['23505', '42P01', '57014']) assert.ok(!isConnectionLoss(coded(code)), code);
  assert.ok(isRetryable(coded('40P01')) && !isRetryable(coded('23505')));
});

test('a missing package is reported with the command that installs it', async () => {
  const absent = Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' });
  await assert.rejects(
    loadPackage('pg', () => Promise.reject(absent)),
    { code: 'scan-package-missing' },
  );
  await assert.rejects(
    loadPackage('pg', () => Promise.reject(new Error('broken'))),
    /broken/,
  );
});
