import assert from 'node:assert/strict';
import test from 'node:test';
import { parseReport } from '../../tls-rpt/index.js';
import {
  alertText,
  openReports,
  renderDomain,
  renderReportOverview,
  showDomain,
  showOverview,
  storeReports,
} from '../index.js';
import {
  daysUntil,
  testReportJson,
  withReports,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import type { DomainView } from './domain-view.js';

const now = Date.parse('2027-01-05T12:00:00Z');
const day = '2027-01-03';
const report = (policy: TestPolicy, rest: Partial<TestReport> = {}): TestReport => ({
  reporter: 'big.example',
  day,
  policies: [policy],
  ...rest,
});

async function view(...reports: readonly TestReport[]): Promise<DomainView> {
  return showDomain(await withReports(...reports), 'rcpt.example', { now });
}

// [8460-4.4-11]
test('failed sessions without a detail are a separate failure', async () => {
  for (const [policy, sessions] of [
    [{ ok: 3, failed: 42 }, 42],
    [{ ok: 3, failed: 42, details: [] }, 42],
    [{ ok: 3, failed: 42, details: [{ count: 40 }] }, 2],
    [{ ok: 3, failed: 42, details: [{ count: undefined }] }, 42],
    [{ ok: 3, failed: 42, details: [{ count: 0 }, { count: 0, mx: 'mx2.rcpt.example' }] }, 42],
    [{ type: 'tlsa', domain: 'rcpt.example', failed: 42 }, 42],
    [{ type: 'no-policy-found', failed: 42 }, 42],
  ] as const) {
    const { status, failures } = await view(report(policy));
    assert.equal(status, 'failing');
    const rest = failures.find((f) => f.result === 'not-described');
    assert.equal(rest?.sessions, sessions, JSON.stringify(policy));
    assert.match(rest.says, /without describing them/);
  }
});

test('a detail without a count is marked and counts only within the total', async () => {
  const details = [{ count: 0, result: 'validation-failure' }];
  const failing = await view(report({ failed: 42, details }));
  assert.match(renderDomain(failing), /number of sessions unknown/);
  assert.doesNotMatch(renderDomain(failing), /; 0 sessions/);
  const well = await view(report({ ok: 42, failed: 0, details }));
  assert.equal(well.status, 'well');
});

test('page and overview agree on failures', async () => {
  for (const policy of [
    { ok: 3, failed: 42 },
    { ok: 3, failed: 42, details: [{ count: 0 }] },
    { type: 'no-policy-found', failed: 1 },
    { ok: 3, failed: 0, details: [{ count: 42 }] },
    { ok: 3, failed: 0, details: [{ count: 0 }] },
    { ok: 3 },
  ]) {
    const store = await withReports(report(policy), report(policy, { reporter: 'post.example' }));
    const page = showDomain(store, 'rcpt.example', { now });
    const line = showOverview(store, { now }).failing.find((d) => d.domain === 'rcpt.example');
    assert.equal(line?.ongoing === true, page.status === 'failing');
    assert.equal(line?.failed ?? 0, page.sessions.failed);
  }
});

test('a failure ends when each affected reporter has reported a later success', async () => {
  const [first, second, third] = daysUntil('2027-01-04', 3) as [string, string, string];
  const at = (on: string, reporter: string, policy: TestPolicy): TestReport =>
    report(policy, { day: on, reporter });
  const failing = at(first, 'big.example', { ok: 5, failed: 5, details: [{}] });
  const other = at(third, 'post.example', { ok: 9 });
  assert.equal((await view(failing, other)).status, 'failing');
  const well = at(second, 'big.example', { ok: 5 });
  assert.equal((await view(failing, other, well)).status, 'ended');
  const met = at(second, 'post.example', { ok: 1, failed: 1, details: [{}] });
  const noLater = await view(failing, well, met);
  assert.deepEqual([noLater.status, noLater.failures[0]?.ongoing], ['failing', true]);
  assert.equal((await view(failing, well, met, other)).status, 'ended');
});

test('a success under another policy, and failures without a description, end nothing', async () => {
  const [first, second] = daysUntil('2027-01-04', 2) as [string, string];
  const failing = report({ failed: 5, details: [{}] }, { day: first });
  for (const later of [
    { type: 'no-policy-found', ok: 9 },
    { type: 'tlsa', domain: 'mx1.rcpt.example', ok: 9 },
    { ok: 0, failed: 0 },
    { ok: 9, failed: 2 },
  ])
    assert.equal((await view(failing, report(later, { day: second }))).status, 'failing');
  const stripped = report(
    { failed: 5, details: [{ result: 'starttls-not-supported' }] },
    { day: first },
  );
  // A successful session used TLS, so it proves STARTTLS under every policy type.
  const later = report({ type: 'no-policy-found', ok: 9 }, { day: second });
  assert.equal((await view(stripped, later)).status, 'ended');
});

// [8460-1.1-1]
test('a tlsa policy of an MX host belongs to the domain of the MX', async () => {
  const tlsa = { type: 'tlsa', domain: 'mx1.rcpt.example', failed: 9, details: [{ count: 9 }] };
  const both = report({ ok: 9 }, { policies: [{ ok: 9 }, tlsa] });
  const elsewhere = { ...tlsa, domain: 'mx.provider.example', details: [{ mx: undefined }] };
  for (const reports of [
    [both],
    // The MTA-STS policy of the domain names the host, and the reporter sends a separate
    // report for each policy domain.
    [report({ ok: 9 }), report(tlsa, { reporter: 'post.example' })],
    [report({ ok: 9, mx: ['*.provider.example'] }, { policies: [{ ok: 9 }, elsewhere] })],
  ]) {
    const seen = await view(...reports);
    assert.equal(seen.status, 'failing');
    assert.equal(seen.failures[0]?.sessions, 9);
    assert.match(seen.failures[0].host, /^mx1?\.(rcpt|provider)\.example$/);
  }
});

test('of a report about several domains, only the own mail hosts belong to a domain', async () => {
  const policies = [
    { ok: 9, mx: ['mx1.rcpt.example'] },
    { domain: 'other.example', ok: 9, mx: ['mx.other.example'] },
    { type: 'tlsa', domain: 'mx.other.example', failed: 9 },
  ];
  const store = await withReports({ reporter: 'big.example', day, policies });
  assert.equal(showDomain(store, 'rcpt.example', { now }).status, 'well');
  assert.equal(showDomain(store, 'other.example', { now }).status, 'failing');
});

test('an unclaimed failing mail host belongs to each domain of the report', async () => {
  const policies = (host: string, mx: readonly string[]): readonly TestPolicy[] => [
    { ok: 9, mx: ['mx1.rcpt.example'] },
    { domain: 'other.example', ok: 9, mx },
    { type: 'tlsa', domain: host, failed: 9 },
  ];
  for (const [host, mx, own, other] of [
    ['mx.provider.example', [], 'failing', 'failing'],
    ['mx.provider.example', ['*.provider.example'], 'well', 'failing'],
    ['mx9.other.example', [], 'well', 'failing'],
    ['mx1.rcpt.example', [], 'failing', 'well'],
  ] as const) {
    const store = await withReports({ reporter: 'big.example', day, policies: policies(host, mx) });
    const statusOf = (domain: string): string => showDomain(store, domain, { now }).status;
    assert.deepEqual([statusOf('rcpt.example'), statusOf('other.example')], [own, other], host);
  }
});

test('a policy domain with the labels of its record is reduced to the domain', async () => {
  for (const host of ['_25._tcp.mx1.rcpt.example', '_25._TCP.MX1.rcpt.example.']) {
    const tlsa = { type: 'tlsa', domain: host, failed: 9, details: [{ mx: undefined }] };
    const { status, failures } = await view(report({}, { policies: [{ ok: 9 }, tlsa] }));
    assert.deepEqual([status, failures[0]?.host], ['failing', 'mx1.rcpt.example']);
  }
  const named = await view(report({ domain: '_mta-sts.rcpt.example', ok: 1, failed: 3 }));
  assert.equal(named.status, 'failing');
});

test('no failure counts more sessions than failed in total', async () => {
  for (const [failed, count, shown] of [
    [5, 50, 5],
    [5, 5, 5],
    [0, 9, 9],
  ] as const) {
    const { failures, status } = await view(report({ ok: 3, failed, details: [{ count }] }));
    assert.deepEqual([status, failures[0]?.sessions], ['failing', shown]);
  }
});

test('failures in reports without a domain are a separate item', async () => {
  const nameless = report({ type: 'no-policy-found', domain: null, ok: 1, failed: 8 });
  const store = await withReports(nameless);
  const overview = showOverview(store, { now });
  assert.deepEqual(
    overview.failing.map(({ domain, failed, successful }) => [domain, failed, successful]),
    [['', 8, 1]],
  );
  const screen = renderReportOverview(overview);
  assert.doesNotMatch(screen, /No failure/);
  assert.match(screen, /\(no domain named\) +8 of 9/);
  const page = showDomain(store, '', { now });
  assert.equal(page.status, 'failing');
  assert.match(renderDomain(page), /name no domain/);
});

test('sessions of a mail host are not those of reports without a domain', async () => {
  const policies = [
    { type: 'tlsa', domain: 'mx1.rcpt.example', ok: 4 },
    { type: 'no-policy-found', domain: null, ok: 1, failed: 8 },
  ];
  const overview = showOverview(await withReports(report({}, { policies })), { now });
  assert.deepEqual(
    overview.failing.map(({ domain, failed, successful }) => [domain, failed, successful]),
    [['', 8, 1]],
  );
  const screen = renderReportOverview(overview).replace(/\s+/g, ' ');
  assert.match(screen, /Failures in reports that name no domain, 0 recovered; 1 report\./);
  assert.match(screen, /For reports without a domain: hermetic report show ''/);
});

test('successful reports that name no domain are not a failure', async () => {
  const nameless = report({ type: 'no-policy-found', domain: null, ok: 9 });
  assert.deepEqual(showOverview(await withReports(nameless), { now }).failing, []);
  const mixed = report({ domain: null, failed: 1 });
  const store = await withReports(mixed, report({ ok: 5 }, { reporter: 'post.example' }));
  assert.match(renderReportOverview(showOverview(store, { now })), /reports that name no domain/);
  const own = await withReports(report({ domain: null, failed: 8 }));
  const shown = renderDomain(showDomain(own, 'rcpt.example', { now }));
  const page = shown.replace(/\s+/g, ' ');
  assert.match(page, /1 report arrived that named no domain: hermetic report show ''/);
  assert.doesNotMatch(page, /Publish a record/);
});

test('reports that arrived and do not count are not the same as no reports', async () => {
  for (const [trust, says] of [
    ['broken', /signature is invalid/],
    ['unverifiable', /could not be looked up/],
    ['posted', /HTTPS/],
  ] as const) {
    const screen = renderDomain(await view(report({ ok: 9 }, { trust })));
    assert.match(screen, /NONE COUNTED/);
    assert.match(screen, /1 report arrived, none counted/);
    assert.match(screen, says);
    assert.doesNotMatch(screen, /Publish a record/);
  }
  assert.match(renderDomain(await view()), /NO REPORTS[^]*Publish a record/);
});

// [8460-7-4]
test('a line end in a report starts no line on a page or in an alert', async () => {
  const forged = 'x\nNO FAILURE\r\n\u2028FORGED LINE\u0085';
  const detail = { mx: forged, reason: forged, result: forged, ip: forged, from: forged };
  const seen = await view(
    report({ failed: 5, details: [detail] }, { reporter: `${forged}.example` }),
    report({ failed: 5, domain: 'rcpt.example', mx: [forged], details: [detail] }),
  );
  const alerts = seen.failures.map((f) => ({
    kind: 'added' as const,
    domain: forged,
    says: `${f.says} ${f.because}`,
    since: `${day}T00:00:00Z`,
    todo: f.todo,
  }));
  for (const text of [renderDomain(seen), alertText(alerts)])
    for (const line of text.split('\n')) {
      assert.doesNotMatch(line, /^\s*(NO FAILURE|FORGED LINE)/);
      assert.doesNotMatch(line, /[\u0000-\u0009\u000b-\u001f\u0085\u2028]/); // eslint-disable-line no-control-regex
    }
  // Other programs also print these sentences.
  const sentences = JSON.stringify(seen.failures.map((f) => [f.says, f.because, f.todo]));
  assert.doesNotMatch(sentences, /\\n|\\r|\u2028/);
});

// A reporter can choose where a paragraph is wrapped, by the length of its words.
for (const [what, field] of [
  ['host', 'mx'],
  ['policy type', 'type'],
] as const)
  test(`words in a ${what} never start at the left margin of a page`, async () => {
    for (const length of [20, 21, 22, 23, 24, 25, 70, 76]) {
      const pads = ['x', 'x '].map((pad) => pad.repeat(length).slice(0, length));
      for (const name of pads.map((pad) => `${pad} NO FAILURE at rcpt.example`)) {
        const detail = { mx: field === 'mx' ? name : undefined };
        const type = field === 'type' ? name : 'sts';
        const page = renderDomain(await view(report({ type, failed: 5, details: [detail] })));
        assert.doesNotMatch(page, /^(ALL )?WELL/m);
      }
    }
  });

test('a forged copy does not change the record of a reporter', async () => {
  const genuine = report({ ok: 9, failed: 1, details: [{}] }, { id: '1' });
  const forged = report({ ok: 9, failed: 1 }, { id: '1', trust: 'posted' });
  const unsigned = report({ ok: 9, failed: 3 }, { id: '1', trust: 'unsigned' });
  const [alone, beside] = [await view(genuine), await view(genuine, forged, unsigned)];
  assert.deepEqual(beside.repairs, alone.repairs);
  assert.deepEqual(
    [beside.reusedIds, beside.repeated, beside.reporters],
    [alone.reusedIds, alone.repeated, alone.reporters],
  );
});

test('an unreadable count is not called healthy', async () => {
  const store = await openReports(':memory:');
  const json = testReportJson(report({ ok: 3, failed: 0 })).replace(
    '"total-failure-session-count":0',
    '"total-failure-session-count":"many"',
  );
  const raw = Buffer.from(json);
  const parsed = parseReport(raw);
  assert.ok(parsed.ok);
  const reading = {
    name: 'test',
    via: 'file',
    raw,
    parsed,
    trust: 'given',
    detail: '',
    reporter: 'big.example',
  } as const;
  storeReports(store, [{ reading, parsed: parsed.value, receivedAt: now }]);
  const page = renderDomain(showDomain(store, 'rcpt.example', { now }));
  assert.match(page, /1\s+report\s+contained\s+unreadable\s+counts/);
  assert.doesNotMatch(page, /Every reported\s+session/);
});

test('an unknown policy type protects nothing and proves no outcome', async () => {
  const unknown = { type: 'future-policy', mx: [] };
  const found = await view(report({ ...unknown, ok: 3, failed: 10 }));
  assert.deepEqual(
    found.failures.map((f) => f.fate),
    ['unknown'],
  );
  assert.deepEqual(found.coverage, { sessions: 13, covered: 0 });
  assert.doesNotMatch(renderDomain(found), /delivered anyway/);
  const none = await view(
    report({ mode: 'none', ok: 40 }),
    report({ ok: 10 }, { reporter: 'post.example' }),
  );
  assert.deepEqual(none.coverage, { sessions: 50, covered: 10 });
  const both = await view({ ...report({ ok: 4 }), policies: [{ ok: 4 }, { ...unknown, ok: 10 }] });
  assert.deepEqual(both.coverage, { sessions: 10, covered: 4 });
});

test('a failure without a description is not attributed to the policy', async () => {
  const page = (policy: TestPolicy): Promise<string> =>
    view(report(policy)).then((found) => renderDomain(found));
  assert.match(await page({ failed: 4 }), /Failing now: sessions under MTA-STS\./);
  assert.match(
    await page({ type: 'no-policy-found', failed: 4 }),
    /Failing now: sessions without a policy\./,
  );
  const fetch = { result: 'sts-policy-fetch-error', mx: undefined };
  assert.match(
    await page({ mx: [], failed: 4, details: [fetch] }),
    /Failing now: the MTA-STS policy\./,
  );
});

// RFC 8461 §5.1
test('the headline does not claim delivery if only a fetch failed', async () => {
  const fetch = { result: 'sts-policy-fetch-error', count: 4, mx: undefined };
  for (const mode of ['enforce', 'testing']) {
    const page = renderDomain(await view(report({ mode, ok: 25, failed: 4, details: [fetch] })));
    assert.match(page, /No\s+sender\s+deferred\s+mail\s+because\s+of\s+this\s+failure\./);
    assert.doesNotMatch(page, /delivered\s+all\s+the\s+same/);
  }
});
