import assert from 'node:assert/strict';
import test from 'node:test';
import { recordBrokenDomain } from '../../test/support/broken-domain.js';
import { storeTestReports, type TestReport } from '../../test/support/report/reports.js';
import { testCheck } from '../../test/support/report/checks.js';
import { atHost, healthyResult } from '../../test/support/watch-results.js';
import { recordHistory } from '../check/index.js';
import { movedClock, TestPages } from '../../test/support/testing-pages.js';
import { testPlans } from '../../test/support/web-plans.js';
import { waitUntil } from '../../test/support/wait-until.js';
import { openLedger, startPolicy } from '../publish/index.js';
import { openStore, type Store } from '../store/index.js';
import { prepareReports, storeCheck } from '../tls-rpt-receive/index.js';
import { prepareWatch } from '../watch/index.js';

const hostile = '<img src=x onerror=alert(1)>\u202e\u0007"\'';

const day = (n: number): string => `2026-11-${String(n).padStart(2, '0')}`;

/**
 * Returns ten days of reports from two reporters. The certificate of `broken.example`
 * expires on the last day.
 */
function month(): readonly TestReport[] {
  return Array.from({ length: 10 }, (_, n) => 20 + n).flatMap((n) =>
    ['big.example', 'small.example'].flatMap((reporter): readonly TestReport[] => [
      {
        reporter,
        day: day(n),
        id: `broken-${n}`,
        policies: [
          {
            domain: 'broken.example',
            mx: ['mx.broken.example'],
            ok: n < 27 ? 100 : 0,
            failed: n < 27 ? 0 : 100,
            details: n < 27 ? [] : [{ count: 100, mx: 'mx.broken.example' }],
          },
        ],
      },
      {
        reporter,
        day: day(n),
        id: `calm-${n}`,
        policies: [{ domain: 'calm.example', mx: ['mx.calm.example'], ok: 50 }],
      },
    ]),
  );
}

async function reported(...more: readonly TestReport[]): Promise<Store> {
  const store = await openStore(':memory:');
  prepareReports(store);
  storeTestReports(store, [...month(), ...more]);
  return store;
}

async function operator(site: TestPages, path: string): Promise<string> {
  const response = await site.ask(path, { operator: true, from: '127.0.0.1' });
  assert.equal(response.status, 200, path);
  return response.text();
}

test('operator pages are served only on the operator port', async (t) => {
  const site = await TestPages.open(t, {}, { store: await reported() });
  const paths = site.pages.routes
    .filter((route) => /^GET \/o(\/|$)/.test(route) && !route.includes(':customer'))
    .map((route) => route.slice(4).replace(':domain', 'broken.example').replace(/:id.*/, '1'));
  assert.ok(paths.length >= 9, paths.join());
  for (const path of paths) {
    assert.equal((await site.ask(path)).status, 403, path);
    // A loopback address on the public port is the address of a reverse proxy.
    assert.equal((await site.ask(path, { from: '127.0.0.1' })).status, 403, path);
    await operator(site, path);
  }
});

test('the overview lists failing domains first, and marks the others as healthy', async (t) => {
  const site = await TestPages.open(t, {}, { store: await reported(), clock: movedClock() });
  const page = await operator(site, '/o');
  assert.match(page, /Of 2 domains, 1 is failing\./);
  assert.ok(page.indexOf('broken.example') < page.indexOf('calm.example'));
  assert.match(page, /600 of 2000 sessions failed since 2026-11-27/);
});

/** Returns a report about many domains, which all have a failure on the same day. */
function failingDomains(count: number, reporter = 'big.example'): TestReport {
  const policies = Array.from({ length: count }, (_, n) => ({
    domain: `d${n}.example`,
    mx: [`mx.d${n}.example`],
    ok: 1,
    failed: 1,
  }));
  return { reporter, day: day(29), id: `many-${count}`, policies };
}

test('every failing domain is marked as failing, in any number', async (t) => {
  const store = await reported(failingDomains(120));
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  assert.match(await operator(site, '/o'), /Of 122 domains, 121 are failing\./);
});

test('a list of many domains is reused for a minute', async (t) => {
  const [store, clock] = [await reported(failingDomains(250)), movedClock()];
  const site = await TestPages.open(t, {}, { store, clock });
  const count = async (): Promise<string | undefined> =>
    /Of (\d+) domains/.exec(await operator(site, '/o'))?.[1];
  assert.equal(await count(), '252');
  storeTestReports(store, [failingDomains(300, 'small.example')]);
  assert.equal(await count(), '252');
  clock.move(61_000);
  assert.equal(await count(), '302');
});

test('reporters are those of the last thirty days, the most reports first', async (t) => {
  const old = { reporter: 'old.example', day: '2026-10-01', policies: [{ domain: 'a.example' }] };
  const store = await reported(failingDomains(1), old);
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  const page = await operator(site, '/o/reporters');
  assert.ok(page.indexOf('big.example') < page.indexOf('small.example'));
  assert.match(page, /2026-11-20/);
  assert.doesNotMatch(page, /old\.example/);
});

test('the overview is one line if every domain is healthy', async (t) => {
  const store = await openStore(':memory:');
  prepareReports(store);
  storeTestReports(
    store,
    month().filter(({ id }) => id?.startsWith('calm')),
  );
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  assert.match(await operator(site, '/o'), /1 domain, no faults\./);
});

test('a failure is shown with its cause, its effect on mail and its steps', async (t) => {
  const store = await reported();
  const check = testCheck({
    date: day(28),
    domain: 'broken.example',
    hosts: ['mx.broken.example'],
    findings: [['cert-expired', 'mx.broken.example']],
  });
  storeCheck(store, check);
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  const page = await operator(site, '/o/domains/broken.example');
  assert.match(page, /cause: your domain/);
  assert.match(page, /not delivered to this host/);
  assert.match(page, /<h4>Steps<\/h4>/);
  assert.match(page, /<svg class="chart"[\s\S]*3 of 14 days have failed sessions/);
  assert.match(page, /data-column="Failed">200</);
  assert.match(page, /Is it safe to enforce MTA-STS/);
  assert.match(await operator(site, '/o/domains/broken.example/checks'), /Found cert-expired/);
});

test('a report is shown unchanged, with the reason why it does not count', async (t) => {
  const policies = [{ domain: 'calm.example', failed: 9 }];
  const forged: TestReport = {
    reporter: 'forged.example',
    day: day(25),
    trust: 'unsigned',
    policies,
  };
  const site = await TestPages.open(t, {}, { store: await reported(forged) });
  const list = await operator(site, '/o/reports?only=uncounted');
  const [, path] = /href="(\/o\/reports\/\d+)">forged\.example/.exec(list) ?? [];
  assert.ok(path);
  assert.doesNotMatch(list, /big\.example/);
  const page = await operator(site, path);
  assert.match(page, /Not counted: the mail has no signature/);
  assert.match(page, /&quot;organization-name&quot;: &quot;forged\.example&quot;/);
});

test('alarms are listed with the first step', async (t) => {
  const store = await reported();
  prepareWatch(store);
  await recordBrokenDomain(store, day(29));
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  const page = await operator(site, '/o/alerts');
  assert.match(page, /1 alarm is open/);
  assert.match(page, /not accepted yet by mail/);
  assert.match(page, /<ol><li>/);
});

test('text from reporters is escaped on every operator page', async (t) => {
  const bad: TestReport = {
    reporter: hostile,
    day: day(28),
    policies: [
      {
        domain: 'broken.example',
        mx: [hostile],
        failed: 7,
        details: [{ result: hostile, count: 7, mx: hostile, ip: hostile, reason: hostile }],
      },
    ],
  };
  const site = await TestPages.open(t, {}, { store: await reported(bad), clock: movedClock() });
  const last = (await operator(site, '/o/reports')).match(/\/o\/reports\/\d+/)?.[0] ?? '';
  for (const path of ['/o', '/o/domains/broken.example', '/o/reporters', '/o/reports', last]) {
    const page = await operator(site, path);
    assert.doesNotMatch(page, /<img|\u202e/, path);
    assert.ok(!page.includes('\u0007'), path);
  }
  assert.match(await operator(site, '/o/domains/broken.example'), /&lt;img src=x/);
  const unknown = `/o/domains/${encodeURIComponent(hostile)}`;
  assert.equal((await site.ask(unknown, { operator: true, from: '127.0.0.1' })).status, 404);
});

test('the checks that the watch stored are listed, newest first', async (t) => {
  const store = await reported();
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  await operator(site, '/o');
  for (const hour of ['05', '11']) {
    const checkedAt = `2026-11-29T${hour}:00:00Z`;
    recordHistory(store, { ...healthyResult('calm.example'), checkedAt }, Date.parse(checkedAt));
    recordHistory(
      store,
      { ...atHost('starttls-absent')(healthyResult('calm.example')), checkedAt },
      Date.parse(checkedAt) + 1,
    );
  }
  const page = await operator(site, '/o/domains/calm.example/checks');
  assert.match(page, /Title of starttls-absent/);
  assert.ok(page.indexOf('2026-11-29 11:00 UTC') < page.indexOf('2026-11-29 05:00 UTC'));
});

test('the plan of a domain shows steps with their changes, reasons and waits', async (t) => {
  const context = {
    store: await reported(),
    clock: movedClock(),
    plans: testPlans({ detail: hostile, absent: 'broken.example' }),
  };
  const site = await TestPages.open(t, {}, context);
  assert.match(await operator(site, '/o/domains/calm.example'), /calm\.example\/plan">Plan</);
  const page = await operator(site, '/o/domains/calm.example/plan');
  assert.match(page, /<del>- _mta-sts\.calm\.example\. 3600 IN TXT &quot;v=STSv1; id=1;/);
  assert.match(page, /<ins>\+ _mta-sts\.calm\.example\. 3600 IN TXT &quot;v=STSv1; id=2;/);
  assert.match(page, /Why now: every policy host serves the new policy/);
  assert.match(page, /caches expire, until <time>2026-12-01 00:00 UTC</);
  assert.match(page, /A record names an unknown key: &lt;img src=x/);
  const broken = await operator(site, '/o/domains/broken.example/plan');
  assert.match(broken, /does not publish the domain/);
});

test('a long plan continues after the answer of its page', async (t) => {
  let finish = (): void => undefined;
  const gate = new Promise<void>((resolve) => (finish = resolve));
  const clock = movedClock();
  const context = {
    store: await reported(),
    clock,
    plans: testPlans({ gate }),
  };
  const site = await TestPages.open(t, {}, context);
  const path = '/o/domains/calm.example/plan';
  const first = site.ask(path, { operator: true, from: '127.0.0.1' });
  await waitUntil('the page waits', () => clock.pauses.includes(2000));
  clock.move(2000);
  const early = await first;
  assert.equal(early.headers.get('refresh'), '3');
  assert.match(await early.text(), /still observes/);
  finish();
  assert.match(await operator(site, path), /Why now/);
});

test('a customer account sees no plan of a mail host', async (t) => {
  const settings = { signIn: {}, customers: { calm: ['calm.example'] } };
  const context = {
    store: await reported(),
    clock: movedClock(),
    plans: testPlans({ detail: hostile, absent: 'broken.example' }),
  };
  const site = await TestPages.open(t, settings, context);
  await site.addUser('whole', 'viewer');
  await site.addUser('confined', 'viewer', ['calm']);
  for (const [name, sees] of [
    ['whole', true],
    ['confined', false],
  ] as const) {
    const headers = { cookie: await site.session(name) };
    const page = await (await site.ask('/o/domains/calm.example/plan', { headers })).text();
    assert.match(page, /Why now/);
    assert.equal(page.includes('Mail host'), sees, name);
  }
});

test('a domain without a check and without reports is unknown, not healthy', async (t) => {
  const store = await reported();
  const site = await TestPages.open(t, {}, { store, clock: movedClock() });
  const ledger = openLedger(store);
  await ledger.saveDomain(startPolicy('new.example'), startPolicy('new.example'), 0);
  const page = await operator(site, '/o');
  assert.match(page, /Of 3 domains, 1 is failing and the state of 1 is unknown\./);
  assert.match(page, /new\.example<\/a>\s*<span class="says">not watched, and no reports/);
});
