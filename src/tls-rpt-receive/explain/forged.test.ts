import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { openReports, renderDomain, showDomain, storeCheck } from '../index.js';
import { conclusions } from '../../../test/support/report/conclusions.js';
import { testCheck } from '../../../test/support/report/checks.js';
import {
  storeTestReports,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import { testSize } from '../../../test/support/test-size.js';
import { resultTypes } from '../../tls-rpt/index.js';
import type { ReportTrust } from '../types.js';

const now = Date.parse('2027-01-20T12:00:00Z');
const names = ['rcpt.example', 'mx1.rcpt.example', 'mx.attacker.example', null] as const;

const policy: fc.Arbitrary<TestPolicy> = fc.record({
  type: fc.constantFrom('sts', 'tlsa', 'no-policy-found'),
  domain: fc.constantFrom(...names),
  mode: fc.constantFrom('enforce', 'testing'),
  mx: fc.constantFrom([], ['mx1.rcpt.example'], ['mx.attacker.example']),
  maxAge: fc.constantFrom(86_400, 604_800),
  ok: fc.nat(100),
  failed: fc.constantFrom(0, 0, 1, 50, 1e9),
  details: fc.array(
    fc.record({
      result: fc.constantFrom(...resultTypes, 'mx-mismatch', 'invented'),
      count: fc.constantFrom(undefined, 0, 1, 50),
      mx: fc.constantFrom('mx1.rcpt.example', 'mx.attacker.example', undefined),
      ip: fc.constantFrom('192.0.2.25', '2001:db8::25', undefined),
      from: fc.constantFrom('192.0.2.1', '203.0.113.1'),
      reason: fc.constantFrom('', 'connection timed out', 'certificate has expired', 'x'),
    }),
    { maxLength: 3 },
  ),
});

const someReport = (trusts: readonly ReportTrust[]): fc.Arbitrary<TestReport> =>
  fc.record({
    reporter: fc.constantFrom('big.example', 'post.example', 'uni.example'),
    day: fc.integer({ min: 1, max: 19 }).map((n) => `2027-01-${String(n).padStart(2, '0')}`),
    id: fc.constantFrom('1', '2', '3'),
    trust: fc.constantFrom(...trusts),
    peer: fc.constantFrom('192.0.2.9', '203.0.113.9'),
    policies: fc.array(policy, { minLength: 1, maxLength: 3 }),
  });

const genuine = fc.array(someReport(['signed', 'given']), { maxLength: 12 });
const forged = fc.array(
  someReport([
    'posted',
    'unsigned',
    'broken',
    'misaligned',
    'unverifiable',
    'other-domain',
    'future',
    'stale',
  ]),
  { minLength: 1, maxLength: 12 },
);

test('forged reports change no status, cause, advice or alert', async () => {
  const some = fc.record({ genuine, forged, order: fc.boolean(), checked: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(some, async ({ genuine: own, forged: others, order, checked }) => {
      const of = async (...groups: readonly (readonly TestReport[])[]): Promise<unknown> => {
        const store = await openReports(':memory:');
        if (checked) storeCheck(store, testCheck({ date: '2027-01-10', mode: 'testing' }));
        for (const reports of groups) storeTestReports(store, reports);
        const found = await conclusions(
          store,
          now,
          names.map((name) => name ?? ''),
        );
        store.close();
        return found;
      };
      const mixed = order ? await of(others, own) : await of(own, others);
      assert.deepEqual(mixed, await of(own));
    }),
    { numRuns: testSize(50, 1000), endOnFailure: true },
  );
});

test('a forged copy changes no counts and notes of a reporter', async () => {
  const details = [{ result: 'certificate-expired', count: 4 }];
  const own: TestReport = {
    reporter: 'big.example',
    day: '2027-01-18',
    id: 'same',
    policies: [{ ok: 20, failed: 4, details }],
  };
  const forge = (trust: ReportTrust, rest: Partial<TestReport> = {}): TestReport => ({
    ...own,
    policies: [{ ok: 20, failed: 4 }],
    peer: '203.0.113.9',
    ...rest,
    trust,
  });
  const noCount = [{ result: 'validation-failure', count: undefined, mx: undefined }];
  const of = async (...groups: readonly (readonly TestReport[])[]): Promise<unknown> => {
    const store = await openReports(':memory:');
    for (const reports of groups) storeTestReports(store, reports);
    const { unauthenticated, doubtful, ...rest } = showDomain(store, 'rcpt.example', { now });
    store.close();
    assert.equal(rest.reusedIds + rest.repeated + rest.repairs.length, 0);
    assert.equal(unauthenticated.length + doubtful.length > 0, groups.length > 1);
    return rest;
  };
  const alone = await of([own]);
  for (const forged of [
    [forge('posted'), forge('broken')],
    [forge('misaligned', { policies: [{ ok: 1, failed: 9e9, details: noCount }] })],
    [forge('unsigned', { day: '2027-01-17' }), forge('unverifiable', { id: 'other' })],
    [forge('future', { policies: [{ type: 'tlsa', mode: '', failed: 42, details: [] }] })],
  ]) {
    assert.deepEqual(await of([own], forged), alone);
    assert.deepEqual(await of(forged, [own]), alone);
  }
});

test('two forged posts of large providers add a line and no advice', async () => {
  const store = await openReports(':memory:');
  const evil = { result: 'validation-failure', count: 900, mx: 'mx.attacker.example' };
  const forge = (reporter: string): TestReport => ({
    reporter,
    day: '2027-01-18',
    trust: 'posted',
    peer: '203.0.113.9',
    policies: [{ ok: 1, failed: 900, details: [evil] }],
  });
  storeTestReports(store, [forge('google.example'), forge('microsoft.example')]);
  const screen = renderDomain(showDomain(store, 'rcpt.example', { now }));
  assert.doesNotMatch(screen, /attacker|google|microsoft|To do|YOUR DOMAIN/);
  assert.match(screen, /Not authenticated/);
  assert.match(screen, /Mon 18 Jan from 203\.0\.113\.9: 2 reports, 1,802 sessions, 1,800 failed\./);
});

test('unauthenticated sources are one line per source and day', async () => {
  const store = await openReports(':memory:');
  const flood = Array.from({ length: 40 }, (_, n): TestReport => ({
    reporter: `r${n}.example`,
    day: '2027-01-18',
    id: String(n),
    trust: 'posted',
    peer: `203.0.113.${n % 10}`,
    policies: [{ failed: 1e9, details: [{ mx: `mx${n}.attacker.example` }] }],
  }));
  storeTestReports(store, flood);
  const view = showDomain(store, 'rcpt.example', { now });
  assert.equal(view.unauthenticated.length, 10);
  assert.deepEqual([view.status, view.failures], ['no-reports', []]);
  assert.ok(renderDomain(view).split('\n').length < 30);
});
