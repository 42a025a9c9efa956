import assert from 'node:assert/strict';
import test from 'node:test';
import { apiValidator } from '../../test/support/api-validator.js';
import { recordBrokenDomain } from '../../test/support/broken-domain.js';
import { storeTestReports } from '../../test/support/report/reports.js';
import { movedClock, TestPages } from '../../test/support/testing-pages.js';
import { testPlans } from '../../test/support/web-plans.js';
import { waitUntil } from '../../test/support/wait-until.js';
import { openStore, type Store } from '../store/index.js';
import { prepareReports } from '../tls-rpt-receive/index.js';
import { muteDomain, prepareWatch, sendAlarms } from '../watch/index.js';
import { accessTable } from './access/access-table.js';
import { scopes } from './roles.js';

const settings = { signIn: {}, customers: { acme: ['broken.example'] } };
const HOUR = 3_600_000;

/** Returns a store with reports and alarms about one domain. */
async function filledStore(): Promise<Store> {
  const store = await openStore(':memory:');
  prepareReports(store);
  prepareWatch(store);
  const policies = [{ domain: 'broken.example', mx: ['mx.broken.example'], ok: 5, failed: 3 }];
  storeTestReports(
    store,
    [26, 27, 28].map((day) => ({
      reporter: 'big.example',
      day: `2026-11-${day}`,
      id: String(day),
      policies,
    })),
  );
  await recordBrokenDomain(store, '2026-11-29');
  return store;
}

class ApiClient {
  constructor(
    readonly site: TestPages,
    readonly secret: string,
  ) {}

  send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.site.ask(`/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.secret}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

async function openClient(t: test.TestContext): Promise<ApiClient> {
  const clock = movedClock();
  const site = await TestPages.open(t, settings, {
    store: await filledStore(),
    clock,
    plans: testPlans({ absent: 'unknown.example' }),
  });
  await site.addUser('root', 'admin');
  return new ApiClient(site, await site.token('root', scopes));
}

test('answers of the operator API agree with its OpenAPI document', async (t) => {
  const api = await openClient(t);
  const isValid = await apiValidator(api.site);
  const seen = new Set<string>();
  const check = async (
    route: string,
    status: number,
    path: string,
    body?: unknown,
  ): Promise<unknown> => {
    const [method = ''] = route.split(' ');
    const response = await api.send(method.toUpperCase(), path, body);
    assert.equal(response.status, status, `${route} ${path}`);
    seen.add(route);
    if (status === 204) return undefined;
    const document: unknown = await response.json();
    assert.ok(await isValid(route, response, document), `${route}: ${JSON.stringify(document)}`);
    return document;
  };
  const domain = '/domains/broken.example';
  const list = (await check('get /api/v1/domains', 200, '/domains')) as { items: object[] };
  assert.equal(list.items.length, 1);
  await check('get /api/v1/domains', 400, '/domains?limit=0');
  await check('get /api/v1/domains/{domain}', 200, domain);
  await check('get /api/v1/domains/{domain}', 404, '/domains/unknown.example');
  await check('get /api/v1/domains/{domain}/report', 200, `${domain}/report`);
  await check('get /api/v1/domains/{domain}/checks', 200, `${domain}/checks`);
  await check('get /api/v1/domains/{domain}/published', 200, `${domain}/published`);
  await check('get /api/v1/domains/{domain}/plan', 200, `${domain}/plan`);
  await check('get /api/v1/domains/{domain}/plan', 404, '/domains/unknown.example/plan');
  const until = '2026-12-01T12:00:00.000Z';
  await check('put /api/v1/domains/{domain}/mute', 200, `${domain}/mute`, { until });
  await check('put /api/v1/domains/{domain}/mute', 422, `${domain}/mute`, {
    until: '2027-12-01T12:00:00Z',
  });
  const alarms = (await check('get /api/v1/alerts', 200, '/alerts')) as {
    items: { mutedUntil?: string }[];
  };
  assert.equal(alarms.items[0]?.mutedUntil, until);
  await check('delete /api/v1/domains/{domain}/mute', 204, `${domain}/mute`);
  await check('get /api/v1/customers', 200, '/customers');
  await check('get /api/v1/reporters', 200, '/reporters');
  const reports = (await check('get /api/v1/reports', 200, '/reports?limit=2')) as {
    items: { id: string }[];
    next: string;
  };
  assert.equal(reports.items.length, 2);
  const rest = (await check(
    'get /api/v1/reports',
    200,
    `/reports?limit=2&after=${reports.next}`,
  )) as {
    items: { id: string }[];
    next?: string;
  };
  assert.equal(rest.items.length, 1);
  assert.equal(rest.next, undefined);
  await check('get /api/v1/reports', 400, '/reports?after=bm90IG1pbmU');
  await check('get /api/v1/reports/{id}', 200, `/reports/${reports.items[0]?.id ?? ''}`);
  await check('get /api/v1/sending', 200, '/sending');
  await check('post /api/v1/reports', 404, '/reports', {});
  const user = { name: 'eve', password: 'correct horse battery', role: 'viewer' };
  await check('post /api/v1/users', 201, '/users', user);
  await check('post /api/v1/users', 409, '/users', user);
  await check('post /api/v1/users', 422, '/users', { ...user, name: 'adam', password: 'short' });
  await check('post /api/v1/users', 400, '/users', { ...user, more: 1 });
  await check('get /api/v1/users', 200, '/users');
  await check('delete /api/v1/users/{name}', 204, '/users/eve');
  await check('post /api/v1/tokens', 201, '/tokens', { label: 'x', scopes: ['check:run'] });
  const tokens = (await check('get /api/v1/tokens', 200, '/tokens')) as {
    items: { id: string; label: string }[];
  };
  const made = tokens.items.find(({ label }) => label === 'x')?.id ?? '';
  await check('delete /api/v1/tokens/{id}', 204, `/tokens/${made}`);
  await check('delete /api/v1/tokens/{id}', 404, `/tokens/${made}`);
  const audit = (await check('get /api/v1/audit', 200, '/audit')) as { items: { actor: string }[] };
  assert.equal(audit.items[0]?.actor, 'root');
  const batch = (await check('post /api/v1/batches', 202, '/batches', {
    domains: ['one.example', 'two.example', 'ONE.example'],
  })) as { id: string; total: number };
  assert.equal(batch.total, 2);
  await check('post /api/v1/batches', 422, '/batches', { domains: ['not a domain'] });
  const finished = async (): Promise<boolean> => {
    const response = await api.send('GET', `/batches/${batch.id}`);
    return ((await response.json()) as { state: string }).state === 'done';
  };
  await waitUntil('the batch', finished);
  await check('get /api/v1/batches/{id}', 200, `/batches/${batch.id}`);
  const found = await check(
    'get /api/v1/batches/{id}/results',
    200,
    `/batches/${batch.id}/results`,
  );
  const { items } = found as { items: { domain: string; verdict: string }[] };
  assert.deepEqual(items.map(({ domain: name }) => name).sort(), ['one.example', 'two.example']);
  await check('delete /api/v1/batches/{id}', 204, `/batches/${batch.id}`);
  // Other tests cover these two routes.
  seen.add('get /api/v1/batches/{id}/events');
  seen.add('post /api/v1/reports');
  const described = Object.entries(accessTable)
    .filter(([route, { role }]) => route.includes(' /api/v1/') && role !== 'anyone')
    .map(([route]) => route.replace(/^[A-Z]+/, (method) => method.toLowerCase()))
    .map((route) => route.replace(/:(\w+)/g, '{$1}'));
  assert.deepEqual([...seen].sort(), described.sort());
  // The validator refuses each of these changes, which proves that it can fail.
  const ok = await api.send('GET', '/domains');
  const good = (await ok.json()) as { items: object[] };
  for (const change of [{ more: 1 }, { severity: 'fine' }, { domain: 1 }, { mutedUntil: 'soon' }])
    assert.ok(
      !(await isValid('get /api/v1/domains', ok, { items: [{ ...good.items[0], ...change }] })),
      JSON.stringify(change),
    );
});

test('results of a batch arrive as events, each once', async (t) => {
  const api = await openClient(t);
  const domains = ['one.example', 'two.example', 'three.example'];
  const created = await api.send('POST', '/batches', { domains });
  const { id } = (await created.json()) as { id: string };
  const stream = await api.send('GET', `/batches/${id}/events`);
  const text = await stream.text();
  const names = [...text.matchAll(/event: result\ndata: \{"place":\d,"domain":"([^"]+)"/g)];
  assert.deepEqual(names.map(([, name]) => name).sort(), [...domains].sort());
  assert.match(text, /event: done/);
  const headers = { 'last-event-id': '2' };
  const rest = await (await api.send('GET', `/batches/${id}/events`, undefined, headers)).text();
  assert.equal([...rest.matchAll(/event: result/g)].length, 1);
});

test('an Idempotency-Key creates one batch and refuses another body', async (t) => {
  const api = await openClient(t);
  const send = (domains: readonly string[]): Promise<Response> =>
    api.send('POST', '/batches', { domains }, { 'idempotency-key': 'k1' });
  const [first, second] = await Promise.all([send(['one.example']), send(['one.example'])]);
  assert.deepEqual([first.status, second.status].sort(), [200, 202]);
  assert.equal(first.headers.get('location'), second.headers.get('location'));
  assert.equal((await send(['two.example'])).status, 409);
});

test('an accepted batch continues after a restart', async (t) => {
  const api = await openClient(t);
  const created = await api.send('POST', '/batches', { domains: ['one.example', 'two.example'] });
  assert.equal(created.status, 202);
  const path = (created.headers.get('location') ?? '').replace('/api/v1', '');
  api.site.pages.stop();
  const { store, clock } = api.site;
  const site = await TestPages.open(t, settings, { store, clock });
  const after = new ApiClient(site, api.secret);
  await waitUntil('the batch', async () => {
    const { state } = (await (await after.send('GET', path)).json()) as { state: string };
    return state === 'done';
  });
});

test('an account reads no batch of another account', async (t) => {
  const api = await openClient(t);
  await api.site.addUser('bob', 'admin');
  const bob = new ApiClient(api.site, await api.site.token('bob', scopes));
  const created = await api.send('POST', '/batches', { domains: ['one.example'] });
  const path = (created.headers.get('location') ?? '').replace('/api/v1', '');
  for (const [method, suffix] of [
    ['GET', ''],
    ['GET', '/results'],
    ['GET', '/events'],
    ['DELETE', ''],
  ] as const)
    assert.equal((await bob.send(method, `${path}${suffix}`)).status, 404, suffix);
});

test('answers contain the remaining limit, and a token has its own', async (t) => {
  const api = await openClient(t);
  const first = await api.send('GET', '/domains');
  assert.equal(first.headers.get('ratelimit-policy'), '"token";q=600;w=60');
  assert.match(first.headers.get('ratelimit') ?? '', /^"token";r=599;t=\d+$/);
  for (let n = 1; n < 600; n++) await api.send('GET', '/sending');
  const limited = await api.send('GET', '/sending');
  assert.equal(limited.status, 429);
  assert.ok(limited.headers.has('retry-after'));
  (api.site.clock as ReturnType<typeof movedClock>).move(60_000);
  assert.equal((await api.send('GET', '/sending')).status, 200);
  const check = await api.site.post('/api/v1/checks', { domain: 'example.com' });
  assert.equal(check.headers.get('ratelimit-policy'), '"client";q=10;w=3600');
  assert.match(check.headers.get('ratelimit') ?? '', /^"client";r=9;t=3600$/);
});

test('alarms of a muted domain are delayed until the mute ends', async () => {
  const store = await filledStore();
  const now = Date.parse('2026-11-30T12:00:00Z');
  await muteDomain(store, 'broken.example', now + HOUR, () => undefined);
  const sent: string[] = [];
  const channel = {
    mail: (alarms: readonly { domain: string }[]) => {
      sent.push(...alarms.map(({ domain }) => domain));
      return Promise.resolve(true);
    },
  };
  await sendAlarms(store, channel, () => now);
  assert.deepEqual(sent, []);
  await sendAlarms(store, channel, () => now + HOUR);
  assert.deepEqual(sent, ['broken.example']);
});
