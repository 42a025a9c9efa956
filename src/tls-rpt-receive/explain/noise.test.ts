import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestCheck } from '../../../test/support/report/checks.js';
import { failuresOf, week, weekly } from '../../../test/support/report/explained.js';
import {
  daysUntil,
  type TestDetail,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import type { Explanation } from './explain-group.js';

/**
 * Returns a policy of a reporter that reports only failures: one failure for each given
 * result.
 */
const failuresAlone = (results: readonly string[], rest: TestDetail = {}): TestPolicy => ({
  failed: results.length,
  details: results.map((result) => ({ result, count: 1, ...rest })),
});
const mixed = ['validation-failure', 'validation-failure', 'certificate-not-trusted'];
const expired = (policy: Partial<TestPolicy> = {}): TestPolicy => ({
  failed: 12,
  details: [{ result: 'certificate-expired', count: 12 }],
  ...policy,
});

test('noise of a reporter of failures only does not confirm a fault', async () => {
  const other = weekly('post.example', failuresAlone(mixed));
  for (const result of ['certificate-expired', 'certificate-not-trusted', 'validation-failure']) {
    const broken = weekly('big.example', { failed: 12, details: [{ result, count: 12 }] });
    const found = await failuresOf([broken, other]);
    const main = found.find((f) => f.reporters.includes('big.example'));
    assert.equal(main?.whose, 'unclear', `${result}: ${main?.because}`);
  }
  // A reporter that reports only failures confirms a fault if all its failures have the
  // same result and days.
  const same = weekly('post.example', failuresAlone(Array(3).fill('certificate-expired')));
  const [confirmed] = await failuresOf([weekly('big.example', expired()), same]);
  assert.equal(confirmed?.whose, 'yours');
  // If it also has failures on other days, it does not confirm the fault.
  const before = daysUntil(week[0] ?? '', 6).map((day) => ({
    reporter: 'post.example',
    day,
    policies: [failuresAlone(['validation-failure', 'validation-failure'])],
  }));
  const well = daysUntil(week[0] ?? '', 6).map((day) => ({
    reporter: 'big.example',
    day,
    policies: [{ ok: 12 }],
  }));
  const all = weekly('post.example', failuresAlone(Array(3).fill('validation-failure')));
  const last = weekly('big.example', expired()).slice(-1);
  const judged = await failuresOf([before, well, all, last]);
  assert.deepEqual([...new Set(judged.map((f) => f.whose))], ['unclear']);
});

test('noise of a reporter of failures only is not an attack on its path', async () => {
  const at = { ip: '192.0.2.1', from: '203.0.113.7' };
  const results = ['starttls-not-supported', 'validation-failure', 'validation-failure'];
  const others = ['a.example', 'b.example'].map((name) => weekly(name, { ok: 500 }));
  const check = { date: week.at(-1) ?? '' };
  const whose = async (policy: TestPolicy): Promise<string | undefined> => {
    const found = await failuresOf([weekly('big.example', policy), ...others], check);
    return found.find((f) => f.result === 'starttls-not-supported')?.whose;
  };
  assert.equal(await whose(failuresAlone(results, at)), 'unclear');
  // All sessions of the reporter may have reached one faulty server behind the address.
  assert.equal(await whose(failuresAlone(Array(3).fill(results[0]), at)), 'unclear');
  assert.equal(await whose({ ...failuresAlone(results, at), ok: 1 }), 'path');
});

test('a filter on the path affects every mail host', async () => {
  const hosts = ['mx1.rcpt.example', 'mx2.rcpt.example'];
  const check = { date: week.at(-1) ?? '', hosts };
  const others = ['a.example', 'b.example'].map((name) => weekly(name, { ok: 500, mx: hosts }));
  const at = (names: readonly string[]): TestPolicy => ({
    mx: hosts,
    failed: 12 * names.length,
    details: names.map((mx) => ({
      result: 'starttls-not-supported',
      count: 12,
      mx,
      ip: '198.51.100.1',
    })),
  });
  const [one] = await failuresOf([weekly('big.example', at(hosts.slice(0, 1))), ...others], check);
  assert.equal(one?.whose, 'unclear', one?.because);
  const [both] = await failuresOf([weekly('big.example', at(hosts)), ...others], check);
  assert.equal(both?.whose, 'path', both?.because);
});

// An attacker, or one of several servers, may present an expired certificate.
test('an expired certificate that one reporter saw does not prove a wrong clock', async () => {
  const check = { date: week.at(-1) ?? '' };
  for (const policy of [expired(), expired({ ok: 12 })]) {
    const others = ['a.example', 'b.example'].map((name) => weekly(name, { ok: 500 }));
    const [found] = await failuresOf([weekly('big.example', policy), ...others], check);
    assert.equal(found?.whose, 'unclear');
    assert.match(found.because, /Either the clock of big\.example is wrong, or it received/);
    assert.match(found.settle ?? '', /^The certificate that big\.example received/);
    assert.doesNotMatch(found.todo.join(' '), /Nothing on your side/);
  }
});

test('a finding of a check does not explain noise with another result type', async () => {
  const seen = (id: string): TestCheck => ({
    date: week.at(-1) ?? '',
    findings: [[id, 'mx1.rcpt.example']],
  });
  const rare = (result: string): TestPolicy => ({
    ok: 400,
    failed: 1,
    details: [{ result, count: 1 }],
  });
  const most = (result: string): TestPolicy => ({
    ok: 1,
    failed: 9,
    details: [{ result, count: 9 }],
  });
  for (const [policy, id, whose] of [
    [rare('certificate-not-trusted'), 'cert-expired', 'unclear'],
    [rare('certificate-not-trusted'), 'tls-handshake-failed', 'unclear'],
    [rare('validation-failure'), 'cert-expired', 'unclear'],
    [rare('certificate-expired'), 'cert-expired', 'yours'],
    [most('certificate-not-trusted'), 'cert-expired', 'yours'],
    [most('validation-failure'), 'tls-handshake-failed', 'yours'],
  ] as const) {
    const [found] = await failuresOf([weekly('big.example', policy)], seen(id));
    assert.equal(found?.whose, whose, `${found?.result} ${id}: ${found?.because}`);
  }
});

test('one failed session confirms a fault only with the same result type', async () => {
  const day = week.slice(-1);
  const once = (reporter: string, policy: TestPolicy): readonly TestReport[] =>
    day.map((on) => ({ reporter, day: on, policies: [policy] }));
  const clean = weekly('post.example', { ok: 2 }).slice(0, -1);
  for (const [result, whose] of [
    ['certificate-expired', 'yours'],
    ['validation-failure', 'unclear'],
    ['not-described', 'unclear'],
  ] as const) {
    const details = result === 'not-described' ? undefined : [{ result, count: 1 }];
    const [found] = await failuresOf([
      once(
        'big.example',
        expired({ failed: 40, details: [{ result: 'certificate-expired', count: 40 }] }),
      ),
      clean,
      once('post.example', { failed: 1, details }),
    ]);
    assert.equal(found?.whose, whose, `${result}: ${found?.because}`);
  }
});

test('the reason of an unclear cause agrees with its numbers', async () => {
  const once = (policy: TestPolicy): readonly TestReport[] =>
    weekly('big.example', policy).slice(-1);
  const detail = (result: string, rest: TestDetail = {}): TestPolicy => ({
    failed: 1,
    details: [{ result, count: 1, ...rest }],
  });
  const others = weekly('a.example', { ok: 500 });
  for (const [policy, because] of [
    [detail('validation-failure'), /^Only 1 session failed in this way: so few/],
    [detail('certificate-expired'), /^Only 1 session failed in this way \(100 %\): too few/],
    [detail('validation-failure', { reason: 'connection timed out' }), /are lost connections/],
    [{ ok: 400, ...detail('validation-failure') }, /^Only 0\.2 % of the sessions/],
  ] as const) {
    const [found] = await failuresOf([once(policy), others]);
    assert.match(found?.because ?? '', because);
  }
  for (const [result, because, settle] of [
    ['starttls-not-supported', /a\.example had TLS sessions on/, /^The reply to EHLO/],
    [
      'sts-policy-fetch-error',
      /a\.example fetched the policy on/,
      /^The answer of the policy host/,
    ],
    ['certificate-not-trusted', /a\.example applied the same policy on/, /^The certificate chain/],
  ] as const) {
    const policy = { failed: 12, details: [{ result, count: 12, mx: undefined }] };
    const fetched = [weekly('a.example', { ok: 500, maxAge: 86_400 })];
    const [found] = await failuresOf([weekly('big.example', policy), ...fetched]);
    assert.match(found?.because ?? '', because);
    assert.match(found?.settle ?? '', settle);
  }
  // Two reporters with failures on different days are compared.
  const two = await failuresOf([
    weekly('big.example', expired()).slice(0, 3),
    weekly('post.example', expired()).slice(4),
  ]);
  assert.match(two[0]?.because ?? '', /do not confirm each other/);
});

// RFC 8461 §3.2
test('a reporter new on the first day of a fault may have a cached policy', async () => {
  const error = { result: 'sts-policy-fetch-error', count: 9, mx: undefined };
  const failing = { mx: [], failed: 9, details: [error] };
  const affected = [weekly('a.example', failing), weekly('b.example', failing)];
  const other = weekly('c.example', { ok: 80, maxAge: 2_592_000 });
  const [found] = await failuresOf([...affected, other]);
  assert.equal(found?.whose, 'yours', found?.because);
  const [later] = await failuresOf([...affected, other.slice(1)]);
  assert.equal(later?.whose, 'unclear', later?.because);
});

test('noise of other days does not make a fault of one day look rare', async () => {
  const days = daysUntil('2027-01-04', 13);
  const vague = (reporter: string, failing: readonly number[], failed: number): TestReport[] =>
    days.map((day, i) => ({
      reporter,
      day,
      policies: [failing.includes(i) ? { ok: 60 - failed, failed } : { ok: 59, failed: 1 }],
    }));
  const others = (of: readonly Explanation[]): readonly string[] => of.map((f) => f.whose);
  const both = [vague('a.example', [5], 20), vague('b.example', [5], 20)];
  assert.deepEqual(others(await failuresOf(both)), ['yours']);
  // The reporters have failures on different days, or only one reporter has failures.
  const apart = [vague('a.example', [2], 20), vague('b.example', [9], 20)];
  assert.deepEqual(others(await failuresOf(apart)), ['unclear']);
  const single = [vague('a.example', [5], 20), vague('b.example', [], 0)];
  assert.deepEqual(others(await failuresOf(single)), ['unclear']);
  // If reporters name the fault, their noise without a named result does not belong to
  // the fault.
  const details = [{ result: 'certificate-not-trusted', count: 20 }];
  const named = both.map((reports) =>
    reports.map((report) => ({
      ...report,
      policies: report.policies.map((policy) =>
        policy.failed === 20 ? { ...policy, details } : policy,
      ),
    })),
  );
  const noise = (await failuresOf(named)).find(({ result }) => result === 'not-described');
  assert.equal(noise?.whose, 'unclear', noise?.because);
  const spared = days.map((day) => ({ reporter: 'c.example', day, policies: [{ ok: 900 }] }));
  assert.deepEqual(others(await failuresOf([...both, spared])), ['unclear']);
});
