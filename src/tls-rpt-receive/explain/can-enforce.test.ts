import assert from 'node:assert/strict';
import test from 'node:test';
import { renderDomain, showDomain, storeCheck } from '../index.js';
import { testCheck } from '../../../test/support/report/checks.js';
import {
  daysUntil,
  withReports,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import type { DomainView } from './domain-view.js';

const now = Date.parse('2027-01-05T12:00:00Z');
const testing: TestPolicy = { mode: 'testing', ok: 30 };

function daily(
  reporter: string,
  days: readonly string[],
  policy: TestPolicy,
  rest: Partial<TestReport> = {},
): readonly TestReport[] {
  return days.map((day) => ({ reporter, day, policies: [policy], ...rest }));
}

async function answer(
  reports: readonly (readonly TestReport[])[],
  days = 14,
  mode?: 'enforce' | 'testing',
): Promise<DomainView['enforce'] & { readonly screen: string }> {
  const store = await withReports(...reports.flat());
  if (mode) storeCheck(store, testCheck({ date: '2027-01-04', mode }));
  const view = showDomain(store, 'rcpt.example', { now, days });
  return { ...view.enforce, screen: renderDomain(view) };
}

test('two clean weeks from two reporters are enough, without the current day', async () => {
  const sixty = daysUntil('2027-01-04', 60);
  const both = [daily('a.example', sixty, testing), daily('b.example', sixty, testing)];
  for (const days of [3, 14, 30]) assert.equal((await answer(both, days)).answer, 'yes');
  const today = daily('a.example', ['2027-01-05'], testing);
  assert.equal((await answer([...both, today])).answer, 'yes');
  // Days without mail are ignored.
  const gaps = daysUntil('2027-01-04', 26).filter((_, i) => i % 7 < 5);
  assert.equal(
    (await answer([daily('a.example', gaps, testing), daily('b.example', gaps, testing)])).answer,
    'yes',
  );
});

test('too few days, one reporter or a failure are not enough', async () => {
  const week = daysUntil('2027-01-04', 13);
  const short = [daily('a.example', week, testing), daily('b.example', week, testing)];
  assert.equal((await answer(short)).answer, 'not-yet');
  const long = daysUntil('2027-01-04', 60);
  assert.equal((await answer([daily('a.example', long, testing)])).answer, 'not-yet');
  const clean = [daily('a.example', long, testing), daily('b.example', long, testing)];
  for (const day of ['2027-01-05', '2027-01-04', '2026-12-22']) {
    const failed = { mode: 'testing', ok: 1, failed: 5 };
    const own = daily('c.example', [day], failed);
    for (const days of [3, 14])
      assert.equal((await answer([...clean, own], days)).answer, 'not-yet');
  }
});

test('a policy in force is called enforced', async () => {
  const days = daysUntil('2027-01-04', 20);
  const reports = [daily('a.example', days, { ok: 5 }), daily('b.example', days, { ok: 5 })];
  const found = await answer(reports);
  assert.equal(found.answer, 'already');
  assert.match(found.screen, /Already enforced/);
  assert.doesNotMatch(found.screen, /It is\./);
  assert.equal(
    (await answer([daily('a.example', days, testing)], 14, 'enforce')).answer,
    'already',
  );
});

test('a host without STARTTLS is not safe to enforce, under any policy', async () => {
  const days = daysUntil('2027-01-04', 30);
  const clean = [daily('a.example', days, testing), daily('b.example', days, testing)];
  const bare = (type: string, failed: number): readonly TestReport[] =>
    daily('c.example', days.slice(-3), {
      type,
      domain: type === 'tlsa' ? 'mx1.rcpt.example' : 'rcpt.example',
      ok: 5,
      failed,
      details: [{ result: 'starttls-not-supported', count: failed }],
    });
  for (const type of ['no-policy-found', 'tlsa']) {
    const { answer: found, reasons } = await answer([...clean, bare(type, 5)]);
    assert.equal(found, 'not-yet');
    assert.match(reasons.join(), /starttls-not-supported at mx1\.rcpt\.example/);
  }
  // A wrong TLSA record does not affect sessions under MTA-STS.
  const dane: TestPolicy = {
    type: 'tlsa',
    domain: 'mx1.rcpt.example',
    failed: 5,
    details: [{ result: 'tlsa-invalid', count: 5 }],
  };
  assert.equal((await answer([...clean, daily('c.example', days, dane)])).answer, 'yes');
});

test('days in mode none are not a trial of a policy', async () => {
  const days = daysUntil('2027-01-04', 30);
  const none: TestPolicy = { mode: 'none', ok: 30 };
  const both = [daily('a.example', days, none), daily('b.example', days, none)];
  const found = await answer(both);
  assert.equal(found.answer, 'no-policy');
  assert.match(found.reasons.join(), /mode none/);
  assert.match(found.screen, /0 % of the sessions were under/);
  const [first, rest] = [days.slice(0, 20), days.slice(20)];
  const changed = ['a.example', 'b.example'].flatMap((name) => [
    daily(name, first, none),
    daily(name, rest, testing),
  ]);
  const short = await answer(changed);
  assert.deepEqual(
    [short.answer, /Only 10 of 14 days/.test(short.reasons.join())],
    ['not-yet', true],
  );
});

test('lost connections of a large domain do not block mode enforce', async () => {
  const days = daysUntil('2027-01-04', 30);
  const lost = (ok: number, failed: number, reason?: string): TestPolicy => ({
    mode: 'testing',
    ok,
    failed,
    details: [
      { result: 'validation-failure', count: failed, ...(reason === undefined ? {} : { reason }) },
    ],
  });
  for (const [policy, expected] of [
    [lost(970, 30, 'connection timed out'), 'yes'],
    [lost(998, 2), 'yes'],
    [lost(970, 30), 'not-yet'],
    [lost(700, 300, 'connection timed out'), 'not-yet'],
    [lost(998, 2, 'certificate has expired'), 'yes'],
    [{ ...lost(998, 2), details: [{ result: 'certificate-expired', count: 2 }] }, 'not-yet'],
  ] as const) {
    const reports = [daily('a.example', days, testing), daily('b.example', days, policy)];
    const found = await answer(reports);
    assert.equal(found.answer, expected, JSON.stringify(policy));
  }
});

test('the answer states that reports have stopped', async () => {
  const days = daysUntil('2026-12-28', 30);
  const both = [daily('a.example', days, testing), daily('b.example', days, testing)];
  const { answer: found, reasons } = await answer(both);
  assert.equal(found, 'yes');
  assert.match(reasons.join(' '), /The last day is 2026-12-28\. No report has arrived since/);
});

test('reports without authentication change nothing in the answer', async () => {
  const days = daysUntil('2027-01-04', 20);
  const failing = { mode: 'testing', ok: 60, failed: 40 };
  const clean = [daily('a.example', days, testing), daily('b.example', days, testing)];
  const bad = [daily('a.example', days, failing), daily('b.example', days, failing)];
  const few = [daily('a.example', days.slice(-3), testing)];
  for (const trust of ['posted', 'unsigned', 'broken'] as const) {
    const forged = (policy: TestPolicy): readonly TestReport[] =>
      daily('forged.example', days, policy, { trust, peer: '203.0.113.9' });
    for (const mode of [undefined, 'testing'] as const)
      for (const genuine of [clean, bad, few, []])
        for (const policy of [{ ok: 1 }, testing, failing, { mode: 'none', ok: 1 }])
          assert.deepEqual(
            (await answer([...genuine, forged(policy)], 14, mode)).reasons,
            (await answer(genuine, 14, mode)).reasons,
          );
  }
});
