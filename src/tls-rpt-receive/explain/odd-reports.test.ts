import assert from 'node:assert/strict';
import test from 'node:test';
import { testCheck, type TestCheck } from '../../../test/support/report/checks.js';
import { failuresOf, week, weekly } from '../../../test/support/report/explained.js';
import {
  daysUntil,
  withReports,
  type TestDetail,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import { showDomain, storeCheck, type DomainView } from '../index.js';

const now = Date.parse('2027-01-05T12:00:00Z');

async function viewOf(
  reports: readonly TestReport[],
  ...checks: readonly TestCheck[]
): Promise<DomainView> {
  const store = await withReports(...reports);
  for (const check of checks) storeCheck(store, testCheck(check));
  const view = showDomain(store, 'rcpt.example', { now });
  store.close();
  return view;
}

function failing(result: string, rest: Partial<TestDetail> = {}): TestPolicy {
  return { ok: 4, failed: 40, details: [{ result, count: 40, ...rest }] };
}

test('a DANE failure at a mail host counts in every form of its name', async () => {
  for (const [pattern, host] of [
    ['mx.bücher.example', 'mx.xn--bcher-kva.example'],
    ['MX.Provider.Example.', 'mx.provider.example'],
    ['*.Bücher.example', 'mx.xn--bcher-kva.example'],
  ] as const) {
    const dane = { type: 'tlsa', domain: host, failed: 9, details: [{ count: 9, mx: host }] };
    const report = { reporter: 'big.example', day: week[6] ?? '' };
    const view = await viewOf([{ ...report, policies: [{ ok: 9, mx: [pattern] }, dane] }]);
    assert.deepEqual([view.status, view.failures[0]?.host], ['failing', host], pattern);
  }
});

test('an unregistered result without a host may be a failed fetch', async () => {
  for (const [result, mx, fate] of [
    ['sts-policy-fetch-failure', undefined, 'unknown'],
    ['policy-cache-miss', undefined, 'unknown'],
    ['certifcate-expired', 'mx1.rcpt.example', 'kept-back'],
    ['validation-failure', undefined, 'kept-back'],
  ] as const) {
    const [found] = await failuresOf([weekly('big.example', failing(result, { mx }))]);
    assert.deepEqual([found?.fate, found?.whose], [fate, 'unclear'], result);
  }
});

test('sessions that may have had no policy are not counted as protected', async () => {
  for (const [details, covered] of [
    [[{ result: 'sts-policy-fetch-failure', mx: undefined }], 4],
    [undefined, 4],
    [[{ result: 'certificate-expired' }], 10],
    [[{ result: 'sts-webpki-invalid', mx: undefined }], 4],
  ] as const) {
    const policy = { mx: [], ok: 4, failed: 6, details };
    const { coverage } = await viewOf([
      { reporter: 'big.example', day: week[0] ?? '', policies: [policy] },
    ]);
    assert.deepEqual(coverage, { sessions: 10, covered });
  }
});

test('a check with another fault of the host is not clean', async () => {
  const date = week[3] ?? '';
  const reports = [weekly('big.example', failing('certificate-not-trusted'))];
  for (const id of ['dane-mismatch', 'starttls-differs']) {
    const [found] = await failuresOf(reports, { date, findings: [[id, 'mx1.rcpt.example']] });
    assert.doesNotMatch(found?.because ?? '', /found no fault/, id);
  }
  const other = { date, hosts: ['mx1.rcpt.example', 'mx2.rcpt.example'] };
  for (const subject of ['mx2.rcpt.example', 'rcpt.example']) {
    const [found] = await failuresOf(reports, { ...other, findings: [['dane-mismatch', subject]] });
    assert.match(found?.because ?? '', /found no fault/, subject);
  }
});

test('a finding about another address of the host does not explain a failure', async () => {
  const date = week[3] ?? '';
  const [v4, other, v6] = ['198.51.100.7', '198.51.100.8', '2001:db8::7'];
  for (const [addresses, subject, ip, whose] of [
    [[v4, other], `mx1.rcpt.example [${v4}]`, v4, 'yours'],
    [[v4, other], `mx1.rcpt.example [${v4}]`, other, 'unclear'],
    [[v4, v6], `mx1.rcpt.example [${v6}]`, v4, 'unclear'],
    [[v4, other], `mx1.rcpt.example [${v4}]`, undefined, 'yours'],
    [[v4, other], 'mx1.rcpt.example', other, 'yours'],
    // The report names an address that the check did not find.
    [[v4], `mx1.rcpt.example [${v4}]`, '192.0.2.9', 'yours'],
    [[v4, other], `mx1.rcpt.example [${v4}]`, '192.0.2.9', 'unclear'],
  ] as const) {
    const reports = [weekly('big.example', failing('certificate-expired', { ip }))];
    const findings = [['cert-expired', subject]] as const;
    const [found] = await failuresOf(reports, { date, addresses, findings });
    assert.equal(found?.whose, whose, `${subject} ${ip}`);
    const unknown = whose === 'yours' && ip === '192.0.2.9';
    assert.equal(/another address than the check/.test(found?.because ?? ''), unknown);
  }
});

const days = daysUntil('2027-01-04', 20);
const quoting = (reporter: string, mode: string, from: number, to: number): TestReport[] =>
  days.slice(from, to).map((day) => ({ reporter, day, policies: [{ ok: 20, mode }] }));

test('the mode is the one that senders fetched after the last check', async () => {
  const date = days[10] ?? '';
  const changed = (from: string, to: string): TestReport[] => [
    ...quoting('a.example', from, 0, 14),
    ...quoting('a.example', to, 14, 20),
    ...quoting('b.example', to, 14, 20),
  ];
  for (const [mode, reports, already] of [
    ['testing', changed('testing', 'enforce'), true],
    ['enforce', changed('enforce', 'testing'), false],
    // The quoted policy may be a copy from before the check, or only one reporter quotes
    // it in its first reports.
    ['testing', quoting('a.example', 'enforce', 0, 20), false],
    ['testing', quoting('a.example', 'enforce', 14, 20), false],
    ['enforce', quoting('a.example', 'testing', 0, 20), true],
    [
      'testing',
      [...changed('testing', 'enforce'), ...quoting('c.example', 'testing', 0, 20)],
      false,
    ],
  ] as const) {
    const { enforce } = await viewOf(reports, { date, mode });
    assert.equal(enforce.answer === 'already', already, enforce.reasons.join());
  }
  const checked = await viewOf(quoting('a.example', 'testing', 0, 5), { date, mode: 'enforce' });
  assert.match(
    checked.enforce.reasons.join(),
    /^The published policy is in mode enforce, according to the check of /,
  );
});

test('a published policy that no sender reports yet is not called missing', async () => {
  const none = weekly('a.example', { type: 'no-policy-found', ok: 9 });
  const published = await viewOf(none, { date: week[6] ?? '', mode: 'testing' });
  assert.deepEqual(published.enforce, {
    answer: 'not-yet',
    reasons: ['The policy is published, but no sender has reported sessions under it.'],
  });
  assert.equal((await viewOf(none)).enforce.answer, 'no-policy');
});

// Every failure is compared with every other one.
test('long reasons cost no more than short ones', async () => {
  const long = 'a server that does not say what it means about mx, policy and dns '.repeat(20);
  const flood = [0, 1].map((id) => ({
    reporter: 'stranger.example',
    day: week[id] ?? '',
    policies: Array.from({ length: 450 }, (_, n) => ({
      failed: 9,
      details: [{ result: `r${n % 40}`, count: 9, reason: `${id} ${n} ${long}` }],
    })),
  }));
  const store = await withReports(...flood);
  const began = process.cpuUsage();
  const { failures } = showDomain(store, 'rcpt.example', { now });
  assert.equal(failures.length, 40);
  assert.ok(process.cpuUsage(began).user < 3_000_000);
  store.close();
});
