import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { renderDomain, showDomain, showOverview } from '../index.js';
import { daysUntil, withReports, type TestPolicy } from '../../../test/support/report/reports.js';
import { countCoverage, totalSessions } from './count-sessions.js';
import type { SessionRow } from './facts.js';

const now = Date.parse('2027-01-05T12:00:00Z');
const day = '2027-01-03';
const both = (ok: number, failed: number): readonly TestPolicy[] => [
  { ok: ok + failed },
  { type: 'tlsa', domain: 'rcpt.example', ok, failed, details: [{ result: 'tlsa-invalid' }] },
];

// [8460-4-2]
test('a session under two policies counts once everywhere', async () => {
  const store = await withReports({ reporter: 'big.example', day, policies: both(7, 3) });
  const view = showDomain(store, 'rcpt.example', { now });
  const row = view.timeline.find((d) => d.day === day);
  assert.deepEqual([row?.ok, row?.failed], [7, 3]);
  assert.deepEqual(view.sessions, { successful: 7, failed: 3 });
  assert.deepEqual(view.reporters[0]?.sessions, { successful: 7, failed: 3 });
  const screen = renderDomain(view);
  assert.match(screen, /3\s+sessions delivered no mail/);
  assert.match(screen, /with the larger number/);
  const [line] = showOverview(store, { now }).failing;
  assert.deepEqual([line?.failed, line?.successful], [3, 7]);
});

test('a mail host with its own policy is not another domain', async () => {
  const host = (domain: string): TestPolicy => ({ type: 'tlsa', domain, ok: 9 });
  const policies = [{ ok: 9 }, host('mx1.rcpt.example'), host('mx2.rcpt.example')];
  const store = await withReports({ reporter: 'big.example', day, policies });
  assert.equal(showOverview(store, { now }).domains, 1);
});

test('a failure under both policies is deferred once in the headline', async () => {
  const failing = (type: string): TestPolicy => ({
    type,
    domain: 'rcpt.example',
    ok: 80,
    failed: 20,
    details: [{ result: 'starttls-not-supported' }],
  });
  const policies = [failing('sts'), failing('tlsa')];
  const store = await withReports({ reporter: 'big.example', day, policies });
  const view = showDomain(store, 'rcpt.example', { now });
  assert.deepEqual(view.sessions, { successful: 80, failed: 20 });
  assert.match(renderDomain(view), /20\s+sessions delivered no mail/);
});

test('sessions of reporters, mail hosts and no policy are added', () => {
  const row = (reporter: string, type: string, domain: string, ok: number): SessionRow => ({
    reporter,
    day: 1,
    type,
    domain,
    ok,
    failed: 1,
    undescribed: 0,
  });
  assert.deepEqual(
    totalSessions([
      row('a', 'sts', 'd', 9),
      row('b', 'tlsa', 'mx1', 4),
      row('b', 'tlsa', 'mx2', 4),
      row('b', 'no-policy-found', 'd', 2),
    ]),
    { ok: 19, failed: 4 },
  );
});

test('the count lies between the largest kind and the sum of all', () => {
  const rows = fc.array(
    fc.record({
      reporter: fc.constantFrom('a', 'b'),
      day: fc.constantFrom(1, 2),
      type: fc.constantFrom('sts', 'tlsa', 'no-policy-found', 'other'),
      domain: fc.constantFrom('d', 'mx'),
      ok: fc.nat(1000),
      failed: fc.nat(1000),
      undescribed: fc.constant(0),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(rows, (all) => {
      const { ok, failed } = totalSessions(all);
      const total = (some: readonly SessionRow[]): number =>
        some.reduce((n, r) => n + r.ok + r.failed, 0);
      const kinds = ['sts', 'tlsa', 'no-policy-found', 'other'];
      assert.ok(ok >= 0 && failed >= 0 && ok + failed <= total(all));
      for (const kind of kinds) assert.ok(ok + failed >= total(all.filter((r) => r.type === kind)));
      const { sessions, covered } = countCoverage(all, new Map());
      assert.ok(sessions === ok + failed && covered >= 0 && covered <= sessions);
    }),
  );
});

test('the share under a policy counts sessions, not policy types', async () => {
  const share = async (...policies: readonly TestPolicy[]): Promise<string> => {
    const store = await withReports({ reporter: 'big.example', day, policies });
    return /(\d+ %) of the sessions/.exec(
      renderDomain(showDomain(store, 'rcpt.example', { now })),
    )?.[1] as string;
  };
  const none: TestPolicy = { type: 'no-policy-found', ok: 210 };
  const fetchError = [{ result: 'sts-policy-fetch-error', mx: undefined }];
  assert.equal(await share(none, { ok: 210 }), '50 %');
  assert.equal(await share(none, ...both(105, 105)), '50 %');
  assert.equal(await share(none), '0 %');
  assert.equal(await share({ failed: 40, mx: [], details: fetchError }), '0 %');
  // A cached policy stayed in force.
  assert.equal(await share({ ok: 36, failed: 4, details: fetchError }), '100 %');
  assert.equal(
    await share(
      { failed: 40, mx: [], details: fetchError },
      { type: 'tlsa', domain: 'rcpt.example', ok: 40 },
    ),
    '100 %',
  );
});

test('one session a day under two policies is a suspected loop too', async () => {
  const loop = async (...policies: readonly TestPolicy[]): Promise<readonly string[]> => {
    const reports = daysUntil('2027-01-04', 6).map((on) => ({
      reporter: 'loop.example',
      day: on,
      policies,
    }));
    return showDomain(await withReports(...reports), 'rcpt.example', { now }).perhapsLoops;
  };
  assert.deepEqual(await loop(...both(1, 0)), ['loop.example']);
  assert.deepEqual(await loop({ ok: 1 }), ['loop.example']);
  assert.deepEqual(await loop({ ok: 1 }, { type: 'tlsa', domain: 'mx1.rcpt.example', ok: 1 }), [
    'loop.example',
  ]);
  assert.deepEqual(await loop({ ok: 1 }, { type: 'no-policy-found', ok: 1 }), []);
});
