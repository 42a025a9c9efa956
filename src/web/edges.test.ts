import assert from 'node:assert/strict';
import test from 'node:test';
import { storeTestReports } from '../../test/support/report/reports.js';
import { mailZone, TestPages, zoneResolver } from '../../test/support/testing-pages.js';
import { systemClock } from '../base/index.js';
import { openStore } from '../store/index.js';
import { prepareReports } from '../tls-rpt-receive/index.js';
import { isLocalName } from './checks/local-name.js';
import type { Problem } from './routes/problem.js';

const operator = { operator: true, from: '127.0.0.1' } as const;

/** Returns a path of a route, with a value for each parameter. */
function pathOf(route: string): string {
  return (route.split(' ')[1] ?? '').replace(/:\w+(\{[^/]*\})?/g, '1');
}

test('every route names its methods, and refuses others with 405', async (t) => {
  const site = await TestPages.open(t);
  const routes = site.pages.routes.filter((route) => /^(GET|POST|PUT|DELETE) \//.test(route));
  assert.ok(routes.length > 60);
  for (const path of new Set(routes.map(pathOf))) {
    const own = routes.filter((route) => pathOf(route) === path);
    const options = await site.ask(path, { method: 'OPTIONS', ...operator });
    assert.equal(options.status, 204, path);
    assert.equal(await options.text(), '');
    const allowed = (options.headers.get('allow') ?? '').split(', ');
    for (const route of own) assert.ok(allowed.includes(route.split(' ')[0] ?? ''), route);
    assert.equal(allowed.includes('HEAD'), allowed.includes('GET'), path);
    for (const method of ['PATCH', 'PUT', 'DELETE', 'POST', 'HEAD'].filter(
      (one) => !allowed.includes(one),
    )) {
      const refused = await site.ask(path, { method, ...operator });
      assert.equal(refused.status, 405, `${method} ${path}`);
      assert.equal(refused.headers.get('allow'), allowed.join(', '));
    }
  }
  const problem = (await (await site.ask('/api/v1/checks', { method: 'PUT' })).json()) as Problem;
  assert.equal(problem.code, 'web-method-unknown');
  assert.equal((await site.ask('/nothing', { method: 'OPTIONS' })).status, 404);
});

test('HEAD has the status and the fields of GET, and no body', async (t) => {
  const site = await TestPages.open(t);
  const paths = ['/', '/about', '/o', '/o/alerts', '/api', '/api/v1/openapi.json', '/check/none'];
  for (const path of paths) {
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => site.ask(path, { method, ...operator })),
    );
    assert.equal(head?.status, get?.status, path);
    assert.equal(await head?.text(), '', path);
    for (const field of ['content-type', 'cache-control', 'content-security-policy', 'etag'])
      assert.equal(head?.headers.get(field), get?.headers.get(field), `${path} ${field}`);
  }
});

test('a finished check has an entity tag and answers 304 to If-None-Match', async (t) => {
  const resolver = zoneResolver(mailZone('mail.example.com', []));
  const site = await TestPages.open(t, {}, { resolver });
  const path = await site.checked('mail.example.com');
  const api = path.replace('/check/', '/api/v1/checks/');
  const paths = [path, `${path}/result.json`, `${path}/evidence.json`, api, `${api}/evidence`];
  for (const one of [...paths, '/api/v1/openapi.json']) {
    const first = await site.ask(one);
    assert.equal(first.status, 200, one);
    assert.equal(first.headers.get('cache-control'), 'private, no-cache', one);
    const tag = first.headers.get('etag') ?? '';
    assert.match(tag, /^"[\w-]{27}"$/, one);
    for (const field of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const known = await site.ask(one, { headers: { 'if-none-match': field } });
      assert.equal(known.status, 304, `${one} ${field}`);
      assert.equal(known.headers.get('etag'), tag);
      assert.equal(await known.text(), '');
    }
    const changed = await site.ask(one, { headers: { 'if-none-match': '"other"' } });
    assert.equal(changed.status, 200, one);
    assert.equal((await changed.text()).length, (await first.text()).length);
  }
});

test('private and unfinished answers have no entity tag', async (t) => {
  const resolver = zoneResolver([], () => new Promise(() => undefined));
  const site = await TestPages.open(t, {}, { resolver });
  const path = (await site.submit('mail.example.com')).headers.get('location') ?? '';
  for (const one of [path, path.replace('/check/', '/api/v1/checks/'), '/', '/o', '/o/alerts']) {
    const headers = { 'if-none-match': '*' };
    const answer = await site.ask(one, { headers, ...operator });
    assert.equal(answer.status, 200, one);
    assert.equal(answer.headers.get('cache-control'), 'no-store', one);
    assert.equal(answer.headers.get('etag'), null, one);
  }
});

test('names of local networks are refused in every form', async (t) => {
  const asked: string[] = [];
  const resolver = zoneResolver([]);
  const ask: typeof resolver.ask = (name, ...rest) => {
    asked.push(name.toLower());
    return resolver.ask(name, ...rest);
  };
  const site = await TestPages.open(t, {}, { resolver: { ...resolver, ask } });
  const names = ['localhost', 'LOCALHOST.', 'a@printer.local', 'x.onion', 'nas.home.arpa'];
  for (const name of [...names, 'git.corp.internal', 'b.alt', 'ｌocalhost', 'a.LOCAL:25']) {
    const form = await site.submit(name);
    assert.equal(form.status, 422, name);
    assert.match(await form.text(), /belongs to a local network/);
  }
  const answer = await site.post('/api/v1/checks', { domain: 'intranet.internal' });
  assert.equal(answer.status, 422);
  assert.equal(((await answer.json()) as Problem).code, 'web-domain-local');
  assert.deepEqual(asked, []);
  // The resolver of the operator may have a private zone.
  const own = await site.ask('/check', {
    method: 'POST',
    body: new URLSearchParams({ domain: 'mail.internal' }),
    ...operator,
  });
  assert.equal(own.status, 303);
  for (const name of ['local.example.com', 'notlocal', 'internal.com', 'localhost.org', 'arpa'])
    assert.equal(isLocalName(name), false, name);
});

test('a domain with control characters has no page', async (t) => {
  const store = await openStore(':memory:');
  prepareReports(store);
  const policies = [{ domain: 'acme.example', ok: 5, failed: 3 }];
  storeTestReports(store, [{ reporter: 'big.example', day: '2026-11-26', policies }]);
  const site = await TestPages.open(t, {}, { store });
  assert.equal((await site.ask('/o/domains/acme.example', operator)).status, 200);
  for (const name of ['%00', 'acme.example%00', 'acme.example%00.other', 'acme.example%0d%0a'])
    for (const suffix of ['', '/checks', '/published', '/plan'])
      assert.equal((await site.ask(`/o/domains/${name}${suffix}`, operator)).status, 404, name);
});

test('a session with a future start, from a wrong clock, ends', async (t) => {
  let ahead = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  const site = await TestPages.open(t, { signIn: {} }, { clock });
  await site.addUser('alice', 'viewer');
  for (const [by, status] of [
    [0, 200],
    [60_000, 200],
    [400_000, 303],
    [365 * 86_400_000, 303],
  ] as const) {
    ahead = by;
    const cookie = await site.session('alice');
    ahead = 0;
    assert.equal((await site.ask('/o', { headers: { cookie } })).status, status, String(by));
  }
});
