import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestCheck } from '../../../test/support/report/checks.js';
import { failuresOf, week, weekly } from '../../../test/support/report/explained.js';
import type { TestDetail, TestPolicy, TestReport } from '../../../test/support/report/reports.js';
import type { Explanation } from './explain-group.js';
import { chanceOf } from './compare-reporters.js';
import { rules } from './judge-fault.js';

const failing = (result: string, detail: TestDetail = {}): TestPolicy => ({
  failed: 12,
  details: [{ result, count: 12, ...detail }],
});
const noHost: TestDetail = { mx: undefined };

async function judged(
  reports: readonly (readonly TestReport[])[],
  ...checks: readonly TestCheck[]
): Promise<Explanation> {
  const [worst] = await failuresOf(reports, ...checks);
  assert.ok(worst);
  return worst;
}

const tlsa = (rest: Partial<TestPolicy>): TestPolicy => ({
  type: 'tlsa',
  domain: 'mx1.rcpt.example',
  ...rest,
});
const stale = tlsa(failing('validation-failure'));

test('every rule of the table has a text, and only unclear ones request evidence', () => {
  assert.ok(rules.length >= 10);
  for (const { condition, cause, settle } of rules) {
    assert.ok(condition.endsWith('.'));
    assert.equal(settle !== undefined, cause === 'unclear', condition);
  }
});

test('a reporter that applies another policy does not change the cause', async () => {
  const without = weekly('none.example', { type: 'no-policy-found', ok: 500 });
  const sts = weekly('sts.example', { ok: 500 });
  const dane = weekly('dane.example', tlsa({ ok: 500 }));
  const fetchError = { ...failing('sts-policy-fetch-error', noHost), mx: [] };
  for (const reports of [
    // The TLSA record was not renewed: senders without DANE are not affected.
    [weekly('big.example', tlsa(failing('tlsa-invalid'))), without, sts],
    [weekly('big.example', stale), without, sts],
    // The policy host is down: only senders with MTA-STS connect to it.
    [weekly('big.example', fetchError), without, dane],
    [weekly('big.example', failing('sts-webpki-invalid', noHost)), without],
    [weekly('big.example', failing('certificate-not-trusted')), without, dane],
  ]) {
    const { whose, because, settle, todo } = await judged(reports);
    assert.equal(whose, 'unclear', because);
    assert.ok(settle);
    assert.doesNotMatch(todo.join(), /Change nothing|Nothing on your side/);
  }
});

test('a failure confirmed by two independent reporters is yours, for any result type', async () => {
  const without = weekly('none.example', { type: 'no-policy-found', ok: 500 });
  for (const [one, other] of [
    [failing('certificate-expired'), failing('certificate-expired')],
    [failing('certificate-host-mismatch'), failing('validation-failure')],
    [failing('validation-failure', noHost), failing('validation-failure')],
    [failing('certificate-not-trusted'), { ok: 1, failed: 12 }],
    [stale, tlsa(failing('certificate-not-trusted'))],
  ] as const) {
    const reports = [weekly('big.example', one), weekly('post.example', other), without];
    assert.equal((await judged(reports)).whose, 'yours');
  }
});

test('three independent reporters prove a fault without the other reporters', async () => {
  const spared = weekly('spared.example', { ok: 400 });
  for (const result of [
    'certificate-not-trusted',
    'starttls-not-supported',
    'validation-failure',
  ]) {
    const all = ['a.example', 'b.example', 'c.example'].map((name) =>
      weekly(name, { ok: 12, ...failing(result, { ip: '2001:db8::1' }) }),
    );
    const found = await judged([...all, spared]);
    assert.equal(found.whose, 'yours', found.because);
    const two = await judged([...all.slice(1), spared]);
    assert.notEqual(two.whose, 'theirs');
    // Two reporters have failures on the same days, and the third only once on another
    // day: the evidence differs.
    const later = all.map((one, n) => (n === 0 ? one.slice(0, 1) : one.slice(2)));
    assert.notEqual((await judged([...later, spared])).because, found.because);
  }
});

test('a reporter of failures without details confirms no other reporter', async () => {
  const named = weekly('big.example', { ok: 1, ...failing('certificate-not-trusted') });
  for (const terse of [{ failed: 12 }, { failed: 12, details: [] }, tlsa({ failed: 12 })]) {
    const found = await judged([named, weekly('terse.example', terse)]);
    assert.equal(found.whose, 'unclear', found.because);
    // Successes of the reporter on an earlier day show that its reports are not only
    // about failures.
    const before = weekly('terse.example', { ...terse, ok: 12, failed: 0 }).slice(0, 1);
    const later = weekly('terse.example', terse).slice(1);
    const isSame = terse.type === undefined;
    const { whose } = await judged([named, [...before, ...later]]);
    assert.equal(whose, isSame ? 'yours' : 'unclear');
  }
});

test('certificates that a reporter rejects but verifies by DANE are not the fault', async () => {
  const hosts = ['mx1.rcpt.example', 'mx2.rcpt.example'];
  const rejecting = (result: string, names: readonly string[] = hosts): TestPolicy => ({
    mx: hosts,
    failed: 12 * names.length,
    details: names.map((mx) => ({ result, count: 12, mx })),
  });
  const dane = (rest: Partial<TestPolicy> = {}): TestPolicy[] =>
    hosts.map((domain) => ({ type: 'tlsa', domain, ok: 12, ...rest }));
  const others = weekly('post.example', { ok: 400, mx: hosts });
  const whose = async (policies: readonly TestPolicy[], more = [others]): Promise<string> =>
    (await judged([weekly('big.example', ...policies), ...more])).whose;
  for (const result of ['certificate-expired', 'certificate-not-trusted'])
    assert.equal(await whose([rejecting(result), ...dane()]), 'theirs');
  // A DANE session of the reporter failed, or it had too few DANE sessions, or had them
  // at one host only.
  assert.equal(await whose([rejecting('certificate-expired'), ...dane({ failed: 1 })]), 'unclear');
  assert.equal(await whose([rejecting('certificate-expired'), ...dane({ ok: 5 })]), 'unclear');
  assert.equal(await whose([rejecting('certificate-expired'), ...dane().slice(1)]), 'unclear');
  // At one host the certificate may have expired although its key matches the TLSA record
  // (RFC 7672 §3.1.1).
  assert.equal(
    await whose([rejecting('certificate-expired', hosts.slice(0, 1)), ...dane()]),
    'unclear',
  );
  // No other reporter applied the policy.
  assert.equal(await whose([rejecting('certificate-expired'), ...dane()], []), 'unclear');
});

test("a single odd failure does not confirm another reporter's failure", async () => {
  const odd = { ok: 499, failed: 1, details: [{ result: 'validation-failure', count: 1 }] };
  const reports = [
    weekly('big.example', failing('certificate-not-trusted')),
    week.slice(2, 3).map((day) => ({ reporter: 'post.example', day, policies: [odd] })),
    weekly('mail.example', { ok: 300 }),
  ];
  assert.equal((await judged(reports)).whose, 'unclear');
});

test('STARTTLS missing for one network suggests the path, and needs proof', async () => {
  const at = { from: '203.0.113.7', ip: '192.0.2.1' };
  const filtered = failing('starttls-not-supported', at);
  const stripped = weekly('big.example', { ...filtered, ok: 12 });
  const reset = { result: 'validation-failure', count: 1, ip: '192.0.2.1', reason: 'reset' };
  const rarely = { failed: 1, details: [{ ...reset, result: 'starttls-not-supported' }] };
  const others = weekly('post.example', { ok: 40 });
  const more = [weekly('c.example', { ok: 9 }), weekly('d.example', { ok: 9 })];
  const seen = weekly('post.example', { ok: 40, failed: 1, details: [reset] });
  const { whose, because, todo } = await judged([stripped, seen, ...more]);
  assert.equal(whose, 'path', because);
  assert.match(todo[0] ?? '', /^Change nothing/);
  // A successful session used TLS under every policy type.
  const open = weekly('c.example', { type: 'no-policy-found', ok: 40 });
  assert.equal((await judged([stripped, seen, open])).whose, 'path');
  // Two other reporters may both use the address family that did not fail.
  assert.equal((await judged([stripped, others, open])).whose, 'unclear');
  assert.equal((await judged([stripped, others, open, ...more])).whose, 'path');
  // A reporter that rarely observed the failure does not count as unaffected.
  const rare = [...more, weekly('e.example', { ...rarely, ok: 400 })];
  assert.equal((await judged([stripped, seen, ...rare])).whose, 'unclear');
  const overV6 = failing('starttls-not-supported', { ...at, ip: '2001:db8::1' });
  const v6 = weekly('big.example', { ...overV6, ok: 12 });
  assert.equal((await judged([stripped, v6, others, ...more])).whose, 'path');
  assert.equal((await judged([v6, others, open])).whose, 'unclear');
  // A filter on the path removes STARTTLS at every host (the policy domain under DANE).
  const mx2: TestPolicy = { type: 'tlsa', domain: 'mx2.rcpt.example', ok: 30 };
  const atOther = [weekly('big.example', { ...filtered, ok: 12 }, mx2), seen, ...more];
  assert.equal((await judged(atOther)).whose, 'unclear');
  // An outage of some hours affects two days, and the other reporters may have sent mail
  // at other hours.
  const short = stripped.slice(-2);
  assert.equal((await judged([short, seen, ...more])).whose, 'unclear');
});

test('one faulty server behind an address does not prove a filter', async () => {
  const hosts = ['mx1.rcpt.example', 'mx2.rcpt.example'];
  const at = (names: readonly string[], ok = 0): TestPolicy => ({
    ok,
    mx: names,
    failed: 12 * names.length,
    details: names.map((mx) => ({
      result: 'starttls-not-supported',
      count: 12,
      mx,
      ip: '192.0.2.1',
      from: '203.0.113.7',
    })),
  });
  const whose = async (policy: TestPolicy, from = 0): Promise<string> => {
    const others = ['a.example', 'b.example', 'c.example', 'd.example'].map((name) =>
      weekly(name, { ok: 400, mx: policy.mx ?? [] }),
    );
    const filtered = weekly('big.example', policy);
    const whole = weekly('big.example', { ...policy, ok: 0 });
    return (await judged([[...whole.slice(0, from), ...filtered.slice(from)], ...others])).whose;
  };
  // A load balancer may send every connection of the reporter to the same faulty server.
  assert.equal(await whose(at(hosts.slice(0, 1))), 'unclear');
  assert.equal(await whose(at(hosts.slice(0, 1), 12), 1), 'unclear');
  // The reporter also has successful sessions, or the failure occurs at two hosts.
  assert.equal(await whose(at(hosts.slice(0, 1), 12)), 'path');
  assert.equal(await whose(at(hosts)), 'path');
});

test('noise confirms no failure of another reporter', async () => {
  const broken = weekly('big.example', failing('certificate-not-trusted'));
  const day = week.slice(2, 3);
  const once = (policy: TestPolicy): readonly TestReport[] =>
    day.map((on) => ({ reporter: 'post.example', day: on, policies: [policy] }));
  // The other reporter has one failed session, without a description.
  assert.equal((await judged([broken, once({ failed: 1 })])).whose, 'unclear');
  // The other reporter has days without the failure, and then one day with many failures.
  const good = weekly('post.example', { ok: 30 }).filter((report) => report.day !== day[0]);
  assert.equal((await judged([broken, good, once({ failed: 12, ok: 18 })])).whose, 'unclear');
  // A failure detail without a count proves only one failed session a day.
  const uncounted = { ok: 97, failed: 3, details: [{ result: 'certificate-expired', count: 0 }] };
  assert.equal((await judged([broken, weekly('post.example', uncounted)])).whose, 'unclear');
});

test('an invalid policy file is your fault unless another reporter fetched a valid one', async () => {
  const invalid = weekly('big.example', failing('sts-policy-invalid', noHost));
  assert.equal(
    (await judged([invalid, weekly('none.example', { type: 'no-policy-found', ok: 50 })])).whose,
    'yours',
  );
  // This reporter began to apply the policy on those days.
  const fetched = weekly('new.example', { ok: 5 }).slice(2);
  assert.equal((await judged([invalid, fetched])).whose, 'unclear');
  // A policy file that is transferred incompletely once is not a fault.
  const once = failing('sts-policy-invalid', noHost);
  const single = {
    ...once,
    failed: 1,
    details: [{ ...noHost, result: 'sts-policy-invalid', count: 1 }],
  };
  assert.equal((await judged([weekly('big.example', single).slice(0, 1)])).whose, 'unclear');
});

test('a policy that all others replaced before max_age is outdated', async () => {
  const mx2 = { result: 'validation-failure', mx: 'mx2.rcpt.example', count: 5 };
  const [old, now] = [['mx1.rcpt.example'], ['mx1.rcpt.example', 'mx2.rcpt.example']];
  const stale = weekly('big.example', {
    ok: 5,
    failed: 5,
    mx: old,
    maxAge: 86_400,
    details: [mx2],
  });
  const other = (reporter: string, from: number): readonly TestReport[] =>
    week.map((day, i) => ({
      reporter,
      day,
      policies: [{ ok: 20, mx: i < from ? old : now, maxAge: 86_400 }],
    }));
  const changed = [stale, other('a.example', 2), other('b.example', 2)];
  assert.equal((await judged(changed)).whose, 'theirs');
  // If no reporter changed its policy, the policy that names only one host may be the
  // newer one.
  const steady = [stale, other('a.example', 0), other('b.example', 0)];
  assert.notEqual((await judged(steady)).whose, 'theirs');
  // A single other reporter may itself apply an old copy.
  assert.notEqual((await judged([stale, other('a.example', 2)])).whose, 'theirs');
  // A sender may apply a cached copy within its max_age (RFC 8461 §3.2).
  const late = [stale, other('a.example', 6), other('b.example', 6)];
  assert.notEqual((await judged(late)).whose, 'theirs');
});

test('chance, another host or another address family prove no attack', async () => {
  const day = week.slice(-1);
  const once = (reporter: string, policy: TestPolicy): readonly TestReport[] =>
    day.map((on) => ({ reporter, day: on, policies: [policy] }));
  const stripped = failing('starttls-not-supported');
  const two = { mx: ['mx1.rcpt.example', 'mx2.rcpt.example'] };
  for (const reports of [
    [
      once('big.example', { ok: 10, failed: 3, details: [{ result: 'starttls-not-supported' }] }),
      once('b', { ok: 10 }),
    ],
    [
      once('big.example', { failed: 1, details: [{ result: 'starttls-not-supported' }] }),
      once('b.example', { ok: 5 }),
    ],
    [weekly('big.example', { ...stripped, ...two }), weekly('b.example', { ok: 400, ...two })],
    [
      weekly('big.example', failing('starttls-not-supported', { ip: '2001:db8::1' })),
      weekly('b.example', { ok: 400 }),
    ],
    [weekly('big.example', stripped)],
  ])
    assert.equal((await judged(reports)).whose, 'unclear');
  const networks = ['192.0.2.1', '198.51.100.1', '203.0.113.1'];
  const details = networks.map((from) => ({ result: 'starttls-not-supported', count: 4, from }));
  const wide = weekly('big.example', { failed: 12, details });
  assert.equal((await judged([wide, weekly('b.example', { ok: 400 })])).whose, 'unclear');
});

test('a certificate that only one reporter rejects is an unclear cause', async () => {
  for (const result of [
    'certificate-not-trusted',
    'validation-failure',
    'certificate-host-mismatch',
  ]) {
    const found = await judged([
      weekly('big.example', failing(result)),
      weekly('post.example', { ok: 400 }),
    ]);
    assert.equal(found.whose, 'unclear');
    assert.match(found.because, /post\.example applied the same policy/);
    assert.match(found.settle ?? '', /ask the contact/);
  }
});

test('a success under a cached policy does not prove that the policy could be fetched', async () => {
  const error = failing('sts-policy-fetch-error', noHost);
  const days = week.slice(-3);
  const at = (reporter: string, policy: TestPolicy): readonly TestReport[] =>
    days.map((day) => ({ reporter, day, policies: [policy] }));
  const failed = [at('a.example', { ...error, mx: [] }), at('b.example', { ...error, mx: [] })];
  const cached = weekly('cached.example', { ok: 100 });
  assert.equal((await judged([...failed, cached])).whose, 'yours');
  // A reporter whose sessions began on these days must have fetched the policy. A policy
  // in the first report may be older.
  const begun = at('new.example', { ok: 100 });
  assert.equal((await judged([...failed, cached, begun])).whose, 'unclear');
  assert.equal((await judged([...failed, begun])).whose, 'yours');
  // A reporter whose cached copy must have expired has fetched the policy too.
  const brief = weekly('brief.example', { ok: 100, maxAge: 86_400 });
  assert.equal((await judged([...failed, brief])).whose, 'unclear');
});

// RFC 7672 §3, RFC 8461 §4.2: the policy type decides which validation a sender performs.
test('a check is matched by policy type, host and result', async () => {
  const date = week.at(-1) ?? '';
  const seen = (id: string, subject = 'mx1.rcpt.example'): TestCheck => ({
    date,
    findings: [[id, subject]],
  });
  for (const [policy, check, whose] of [
    [stale, seen('dane-mismatch'), 'yours'],
    [tlsa(failing('certificate-not-trusted')), seen('dane-mismatch'), 'yours'],
    [tlsa({ failed: 12 }), seen('dane-mismatch'), 'yours'],
    [failing('certificate-not-trusted'), seen('dane-mismatch'), 'unclear'],
    [tlsa(failing('certificate-expired')), seen('cert-expired'), 'unclear'],
    [failing('validation-failure'), seen('cert-chain-incomplete'), 'yours'],
    [
      failing('certificate-expired'),
      seen('cert-expired', 'mx1.rcpt.example [198.51.100.1]'),
      'yours',
    ],
    [failing('certificate-expired'), seen('cert-expired', 'mx2.rcpt.example'), 'unclear'],
    [failing('sts-policy-fetch-error'), seen('sts-policy-webpki-invalid', 'rcpt.example'), 'yours'],
    [failing('certificate-host-mismatch'), seen('sts-mx-mismatch'), 'yours'],
    [failing('starttls-not-supported'), seen('starttls-mangled'), 'yours'],
  ] as const) {
    const found = await judged([weekly('big.example', policy)], check);
    assert.equal(found.whose, whose, `${found.result} ${found.policy} ${check.findings?.join()}`);
    assert.equal(/also found the fault/.test(found.because), whose === 'yours');
    if (whose === 'yours') assert.ok(found.todo.includes('The step of the check.'));
  }
});

test('a check is clean only if it reached every address without a fault', async () => {
  const date = week.at(-1) ?? '';
  const reports = [weekly('big.example', failing('certificate-not-trusted'))];
  const clean = /found no fault/;
  assert.match((await judged(reports, { date })).because, clean);
  for (const check of [
    { date, unreachable: ['198.51.100.1'] },
    { date, findings: [['tls-handshake-failed', 'mx1.rcpt.example']] },
    { date: week[0] ?? '', findings: [['cert-expired', 'mx1.rcpt.example']] },
  ] as const)
    assert.doesNotMatch((await judged(reports, check)).because, clean);
});

test('a policy that omits your own host is your fault, its outdated copy is not', async () => {
  const hosts = ['mx1.rcpt.example', 'mx2.rcpt.example'];
  const forgot = failing('validation-failure', { mx: 'mx2.rcpt.example' });
  const reports = [weekly('big.example', { ...forgot, mx: ['mx1.rcpt.example'] })];
  const [first, last] = [week[0] ?? '', week.at(-1) ?? ''];
  const published = await judged(reports, { date: last, hosts, mx: ['mx1.rcpt.example'] });
  assert.equal(published.whose, 'yours');
  assert.match(published.todo[0] ?? '', /Add the line "mx: mx2\.rcpt\.example"/);
  const changed = await judged(reports, { date: first, hosts });
  assert.equal(changed.whose, 'unclear');
  assert.doesNotMatch(changed.todo.join(), /Add/);
  // A check found the host in the policy more than one max_age, a week, before the
  // failures.
  const long = await judged(reports, { date: '2026-12-18', hosts });
  assert.equal(long.whose, 'theirs');
});

test('advice contains no host that only a report contains', async () => {
  const evil = 'mx.attacker.example';
  const date = week.at(-1) ?? '';
  const foreign: readonly TestPolicy[] = [
    failing('validation-failure', { mx: evil }),
    { ...failing('certificate-host-mismatch', { mx: evil }), mx: ['mx1.rcpt.example'] },
    failing('starttls-not-supported', { mx: evil }),
    failing('certificate-expired', { mx: evil }),
    failing('tlsa-invalid', { mx: evil }),
    failing('dnssec-invalid', { mx: evil }),
    failing('dane-required', { mx: evil }),
    failing('made-up', { mx: evil }),
  ];
  for (const policy of foreign) {
    const policies = { ...policy, mx: ['mx1.rcpt.example'] };
    const reports = [weekly('big.example', policies), weekly('post.example', policies)];
    for (const checks of [[], [{ date }]] as const) {
      const { whose, because, todo, host } = await judged(reports, ...checks);
      assert.equal(host, evil);
      assert.doesNotMatch(todo.join('\n'), /attacker/);
      if (checks.length === 0) continue;
      assert.equal(whose, 'unclear');
      assert.match(because, /not one of your mail hosts: an attack, or an unknown record/);
    }
  }
});

test('the outcome for the mail is stated only if known', async () => {
  const cases: readonly (readonly [TestPolicy, string])[] = [
    [failing('certificate-expired'), 'kept-back'],
    [{ ...failing('certificate-expired'), mode: 'testing' }, 'reported'],
    [{ ...failing('certificate-expired'), mode: 'none' }, 'unprotected'],
    [{ ...failing('certificate-host-mismatch'), mx: [] }, 'unknown'],
    [{ failed: 12 }, 'unknown'],
    [{ ...failing('sts-policy-fetch-error'), mx: ['mx1.rcpt.example'] }, 'cached-policy'],
    [{ ...failing('sts-policy-invalid'), mx: ['mx1.rcpt.example'] }, 'cached-policy'],
    [{ ...failing('sts-webpki-invalid'), mx: [] }, 'unknown'],
    [tlsa(failing('tlsa-invalid')), 'kept-back'],
    [{ ...failing('starttls-not-supported'), type: 'no-policy-found' }, 'unprotected'],
  ];
  for (const [policy, fate] of cases) {
    const found = await judged([weekly('big.example', policy)]);
    assert.equal(found.fate, fate, JSON.stringify(policy));
  }
});

test('the chance of a distribution is exact for few sessions and bounded for many', () => {
  const near = (value: number, expected: number): void =>
    assert.ok(Math.abs(value - expected) < 1e-6, `${value}, not ${expected}`);
  near(chanceOf(2, 3, 2), (3 / 5) * (2 / 4));
  near(chanceOf(3, 3, 1), 1 / 4);
  near(chanceOf(1, 1, 9), 1 / 10);
  assert.deepEqual([chanceOf(0, 5, 5), chanceOf(5, 5, 0)], [1, 1]);
  // Reports may contain very large counts, so a loop over the failed sessions would take
  // too long.
  near(chanceOf(1e15, 1e15, 1), 1 / (1e15 + 1));
  near(chanceOf(1e9, 1e15, 2), 1 - 2e-6);
  near(chanceOf(1e6, 1e12, 1e6), Math.exp(-1));
});
