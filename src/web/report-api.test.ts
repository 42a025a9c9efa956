import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { apiValidator } from '../../test/support/api-validator.js';
import { testReportJson } from '../../test/support/report/reports.js';
import { movedClock, TestPages } from '../../test/support/testing-pages.js';
import { openStore } from '../store/index.js';
import {
  createReceiver,
  listReports,
  prepareReports,
  type ReceiverOptions,
} from '../tls-rpt-receive/index.js';
import type { Problem } from './routes/problem.js';

const settings = { signIn: {}, customers: { acme: ['rcpt.example'] } };
const policies = [{ ok: 5, failed: 1 }];
const report = (id: string): string =>
  testReportJson({ reporter: 'big.example', day: '2026-11-29', id, policies });

type HandIn = (body: string | Uint8Array, headers?: Record<string, string>) => Promise<Response>;

/**
 * Returns pages with a receiver, and a function that submits a body with a token.
 */
async function openIntake(
  t: TestContext,
  options: Partial<ReceiverOptions> = {},
): Promise<{ readonly site: TestPages; readonly handIn: HandIn }> {
  const clock = movedClock();
  const store = await openStore(':memory:');
  prepareReports(store);
  const reports = createReceiver({ store, clock, domains: ['rcpt.example'], ...options });
  t.after(() => reports.close());
  const site = await TestPages.open(t, settings, { store, clock, reports });
  await site.addUser('root', 'operator');
  const secret = await site.token('root', ['report:write']);
  const handIn: HandIn = (body, headers = {}) =>
    site.ask('/api/v1/reports', {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${secret}`, ...headers },
    });
  return { site, handIn };
}

const stored = ({ store }: TestPages): number => listReports(store, { limit: 100 }).length;

test('a report from a program is stored once, packed or not', async (t) => {
  const { site, handIn } = await openIntake(t);
  const isValid = await apiValidator(site);
  const route = 'post /api/v1/reports';
  for (const [body, status, outcome] of [
    [report('a'), 201, 'stored'],
    [report('a'), 200, 'repeated'],
    [gzipSync(report('a')), 200, 'repeated'],
    [gzipSync(report('b')), 201, 'stored'],
  ] as const) {
    const response = await handIn(body);
    assert.equal(response.status, status);
    const document = (await response.json()) as { reports: object[] };
    assert.ok(await isValid(route, response, document), JSON.stringify(document));
    assert.deepEqual(document.reports, [{ reporter: 'big.example', trust: 'posted', outcome }]);
  }
  assert.equal(stored(site), 2);
});

test('bodies without a report are refused with the code of the intake', async (t) => {
  const { site, handIn } = await openIntake(t);
  const isValid = await apiValidator(site);
  for (const [body, status, code] of [
    ['not json', 400, 'report-not-json'],
    ['', 400, undefined],
    ['{}', 400, undefined],
    [gzipSync(report('a')).subarray(0, 60), 400, 'report-damaged'],
    [new Uint8Array(10_000_001), 413, 'report-too-large'],
  ] as const) {
    const response = await handIn(body, { 'content-type': 'application/json' });
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const problem = (await response.json()) as Problem;
    assert.ok(await isValid('post /api/v1/reports', response, problem), JSON.stringify(problem));
    if (code !== undefined) assert.equal(problem.code, code);
    assert.ok(problem.detail.length > 10 && problem.fix.length > 5);
  }
  assert.equal(stored(site), 0);
});

test('an Idempotency-Key belongs to its first report for a day', async (t) => {
  const { site, handIn } = await openIntake(t);
  const key = { 'idempotency-key': 'k1' };
  const [first, second] = await Promise.all([handIn(report('a'), key), handIn(report('a'), key)]);
  assert.deepEqual([first.status, second.status].sort(), [200, 201]);
  const other = await handIn(report('b'), key);
  assert.equal(other.status, 409);
  assert.equal(((await other.json()) as Problem).code, 'web-key-reused');
  assert.equal(stored(site), 1);
  // Two accounts can use the same key independently.
  await site.addUser('eve', 'admin');
  const authorization = `Bearer ${await site.token('eve', ['report:write'])}`;
  assert.equal((await handIn(report('b'), { ...key, authorization })).status, 201);
  movedBy(site, 86_400_001);
  assert.equal((await handIn(report('c'), key)).status, 201);
});

test('a too large or not yet accepted body does not use up its key', async (t) => {
  const { handIn } = await openIntake(t, { perMinute: 30 });
  const key = { 'idempotency-key': 'k1' };
  assert.equal((await handIn(new Uint8Array(10_000_001), key)).status, 413);
  const later = await handIn(report('a'), key);
  assert.equal(later.status, 503);
  assert.equal(later.headers.get('retry-after'), '600');
  assert.equal(((await later.json()) as Problem).code, 'web-reports-later');
});

test('a daemon without the section report accepts no reports', async (t) => {
  const site = await TestPages.open(t, settings, { clock: movedClock() });
  await site.addUser('root', 'admin');
  const headers = { authorization: `Bearer ${await site.token('root', ['report:write'])}` };
  const response = await site.ask('/api/v1/reports', { method: 'POST', body: '{}', headers });
  assert.equal(response.status, 404);
  assert.equal(((await response.json()) as Problem).code, 'web-reports-absent');
});

test('viewers, confined accounts and other scopes cannot submit reports', async (t) => {
  const { site, handIn } = await openIntake(t);
  await site.addUser('vera', 'viewer');
  await site.addUser('carol', 'operator', ['acme']);
  for (const secret of [
    await site.token('vera', ['report:write']),
    await site.token('carol', ['report:write']),
    await site.token('root', ['report:read']),
  ])
    assert.equal((await handIn(report('a'), { authorization: `Bearer ${secret}` })).status, 403);
  assert.equal((await handIn(report('a'), { authorization: 'Bearer none' })).status, 401);
  assert.equal(stored(site), 0);
});

function movedBy({ clock }: TestPages, milliseconds: number): void {
  (clock as ReturnType<typeof movedClock>).move(milliseconds);
}
