import assert from 'node:assert/strict';
import test from 'node:test';
import { cookieOf, formToken, movedClock, TestPages } from '../../test/support/testing-pages.js';
import { testPlans } from '../../test/support/web-plans.js';
import { accessTable, routesWithoutRule } from './access/access-table.js';
import { storeTestReports } from '../../test/support/report/reports.js';
import { openStore, type Store } from '../store/index.js';
import { prepareReports } from '../tls-rpt-receive/index.js';
import { roles, scopes, type Role } from './roles.js';

const settings = {
  signIn: {},
  customers: { acme: ['acme.example'], other: ['other.example'] },
};
const HOUR = 3_600_000;
const MINUTE = 60_000;

test('a session is a __Host- cookie that scripts cannot read', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  const response = await site.signIn('alice');
  assert.equal(response.status, 303);
  assert.equal(response.headers.get('location'), '/o');
  const cookie = response.headers.get('set-cookie') ?? '';
  assert.match(cookie, /^__Host-hermetic=[0-9A-Za-z]{43};/);
  for (const part of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'])
    assert.ok(cookie.includes(part), part);
  assert.doesNotMatch(cookie, /Domain/i);
  const page = await site.ask('/o', { headers: { cookie: cookieOf(response) } });
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Signed in as alice/);
});

test('wrong and unknown names get the same answer', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  const strip = (text: string): string => text.replaceAll(/alice|walter/g, 'NAME');
  const wrong = await site.signIn('alice', 'wrong password');
  const unknown = await site.signIn('walter', 'wrong password');
  assert.equal(wrong.status, 401);
  assert.equal(unknown.status, 401);
  assert.equal(strip(await wrong.text()), strip(await unknown.text()));
  for (const response of [wrong, unknown]) assert.equal(response.headers.get('set-cookie'), null);
});

test('no session survives sign-out, and no route answers after it', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('root', 'admin');
  const cookie = await site.session('root');
  const pages = site.pages.routes
    .filter((route) => /^GET \/o(\/|$)/.test(route))
    .map((route) => route.slice(4).replace(/:id.*/, '1').replace(/:\w+/, 'acme.example'));
  const out = await site.submitForm('/o/sign-out', cookie);
  assert.equal(out.status, 303);
  assert.match(out.headers.get('set-cookie') ?? '', /^__Host-hermetic=;.*Max-Age=0/);
  assert.ok(pages.length >= 12);
  for (const path of pages) {
    const response = await site.ask(path, { headers: { cookie } });
    assert.equal(response.status, 303, path);
    assert.match(response.headers.get('location') ?? '', /^\/sign-in/);
  }
});

test('a sign-in replaces the session that the browser presented', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  await site.addUser('mallory', 'viewer');
  // The attacker has set the cookie of their own session, or an invented cookie, in the
  // browser of the user.
  for (const planted of [await site.session('mallory'), `__Host-hermetic=${'a'.repeat(43)}`]) {
    const fresh = cookieOf(await site.signIn('alice', undefined, { cookie: planted }));
    assert.notEqual(fresh, planted);
    assert.equal((await site.ask('/o', { headers: { cookie: planted } })).status, 303);
    assert.equal((await site.ask('/o', { headers: { cookie: fresh } })).status, 200);
  }
});

test('a session ends without requests, and after its days in any case', async (t) => {
  const clock = movedClock();
  const site = await TestPages.open(t, { signIn: { idleHours: 2, days: 1 } }, { clock });
  await site.addUser('alice', 'viewer');
  const get = async (cookie: string): Promise<number> => {
    const { status } = await site.ask('/o', { headers: { cookie } });
    await site.store.settle();
    return status;
  };
  const idle = await site.session('alice');
  clock.move(2 * HOUR - MINUTE);
  assert.equal(await get(idle), 200);
  clock.move(2 * HOUR - MINUTE);
  assert.equal(await get(idle), 200);
  clock.move(2 * HOUR);
  assert.equal(await get(idle), 303);
  const busy = await site.session('alice');
  for (let hours = 1; hours < 24; hours++) {
    clock.move(HOUR);
    assert.equal(await get(busy), 200, `${hours} hours`);
  }
  clock.move(HOUR);
  assert.equal(await get(busy), 303);
});

test('sessions are listed, and an account ends only its own', async (t) => {
  const site = await TestPages.open(t, settings);
  for (const name of ['alice', 'bob']) await site.addUser(name, 'operator');
  await site.addUser('root', 'admin');
  const first = await site.session('alice');
  const second = await site.session('alice');
  const bob = await site.session('bob');
  const idOf = (name: string): string =>
    site.pages.access.sessions.list(site.clock.now(), { name, way: 'password' })[0]?.id ?? '';
  const list = await (await site.ask('/o/sessions', { headers: { cookie: first } })).text();
  assert.match(list, /this session/);
  assert.doesNotMatch(list, />bob</);
  assert.ok(!list.includes(second.split('=')[1] ?? ''));
  assert.equal((await site.submitForm(`/o/sessions/${idOf('bob')}/end`, first)).status, 404);
  assert.equal((await site.ask('/o', { headers: { cookie: bob } })).status, 200);
  const other = /\/o\/sessions\/(\w+)\/end/.exec(list)?.[1] ?? '';
  assert.equal((await site.submitForm(`/o/sessions/${other}/end`, first)).status, 303);
  assert.equal((await site.ask('/o', { headers: { cookie: second } })).status, 303);
  const root = await site.session('root');
  assert.equal((await site.submitForm(`/o/sessions/${idOf('bob')}/end`, root)).status, 303);
  assert.equal((await site.ask('/o', { headers: { cookie: bob } })).status, 303);
});

test('removed accounts and changed roles count at the next request', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'admin');
  await site.addUser('root', 'admin');
  const cookie = await site.session('alice');
  const root = await site.session('root');
  const users = async (): Promise<number> =>
    (await site.ask('/o/users', { headers: { cookie } })).status;
  assert.equal(await users(), 200);
  site.store.prepare("UPDATE web_user SET role = 'viewer' WHERE name = 'alice'").run();
  assert.equal(await users(), 403);
  assert.equal((await site.submitForm('/o/users/alice/remove', root)).status, 303);
  assert.equal(await users(), 303);
});

test('guesses are limited for each account and each network', async (t) => {
  const clock = movedClock();
  const site = await TestPages.open(t, settings, { clock });
  await site.addUser('alice', 'viewer');
  const guess = async (name: string, from: string, password = 'wrong'): Promise<number> =>
    (await site.signIn(name, password, { from })).status;
  // The owner has signed in from this network before.
  assert.equal((await site.signIn('alice', undefined, { from: '203.0.113.9' })).status, 303);
  for (const n of [1, 2, 3, 4, 5]) assert.equal(await guess('alice', `192.0.2.${n}`), 401);
  const limited = await site.signIn('alice', undefined, { from: '192.0.2.6' });
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers.get('retry-after')) > 0);
  // The wrong guesses of the attacker do not lock the owner out.
  assert.equal((await site.signIn('alice', undefined, { from: '203.0.113.9' })).status, 303);
  for (let n = 0; n < 11; n++) await site.addUser(`user${n}`, 'viewer');
  for (let n = 0; n < 10; n++) assert.equal(await guess(`user${n}`, '198.51.100.1'), 401);
  assert.equal(await guess('user10', '198.51.100.1'), 429);
  assert.equal(await guess('user10', '198.51.100.2'), 401);
  clock.move(16 * MINUTE);
  assert.equal(await guess('alice', '192.0.2.6', 'password of alice'), 303);
});

test('parallel guesses do not pass the limit together', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => site.signIn('alice', 'wrong', { from: `192.0.2.${n}` })),
  );
  assert.equal(answers.filter(({ status }) => status === 401).length, 5);
});

test('a form needs its origin and the token of its session', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('root', 'admin');
  await site.addUser('alice', 'admin');
  const cookie = await site.session('root');
  const foreign = await site.session('alice');
  const post = async (headers: Record<string, string>, token: string): Promise<number> => {
    const body = new URLSearchParams({ token });
    const init = { method: 'POST', body, headers: { cookie, ...headers } };
    return (await site.ask('/o/users/walter/remove', init)).status;
  };
  const own = { origin: 'http://check.example' };
  assert.equal(await post(own, formToken(cookie)), 404);
  assert.equal(await post(own, ''), 403);
  assert.equal(await post(own, formToken(foreign)), 403);
  assert.equal(await post({ origin: 'https://evil.example' }, formToken(cookie)), 403);
  assert.equal(await post({ 'sec-fetch-site': 'same-site' }, formToken(cookie)), 403);
  assert.equal(await post({ 'sec-fetch-site': 'cross-site', ...own }, formToken(cookie)), 403);
});

test('another site cannot sign a visitor in', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  const body = (): URLSearchParams =>
    new URLSearchParams({ name: 'alice', password: 'password of alice' });
  for (const headers of [
    {},
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none' },
  ]) {
    const init = { method: 'POST', body: body(), headers: headers as Record<string, string> };
    const response = await site.ask('/sign-in', init);
    assert.equal(response.status, 403, JSON.stringify(headers));
    assert.equal(response.headers.get('set-cookie'), null);
  }
});

test('the page after a sign-in is a page of the operator', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  for (const [next, expected] of [
    ['/o/alerts', '/o/alerts'],
    ['/o?q=a', '/o?q=a'],
    ['/o/domains/a.example?days=30', '/o/domains/a.example?days=30'],
    ['https://evil.example/', '/o'],
    ['//evil.example', '/o'],
    ['/o//evil.example', '/o'],
    ['/o/\\evil.example', '/o'],
    ['/other', '/o'],
    ['/o\r\nx: y', '/o'],
  ] as const) {
    const response = await site.signIn('alice', undefined, { next });
    assert.equal(response.headers.get('location'), expected, next);
  }
});

test('a confined account sees only the domains of its customers', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('carol', 'operator', ['acme']);
  await site.addUser('dave', 'operator', ['acme', 'gone']);
  const cookie = await site.session('carol');
  const status = async (path: string): Promise<number> =>
    (await site.ask(path, { headers: { cookie } })).status;
  for (const path of ['/o/reporters', '/o/reports', '/o/reports/1', '/o/sending', '/o/settings'])
    assert.equal(await status(path), 403, path);
  // Subdomains of the account's domains, and members of Object.prototype, are not domains
  // of the account.
  for (const domain of ['other.example', 'a.acme.example', 'constructor', '__proto__'])
    assert.equal(await status(`/o/domains/${domain}`), 404, domain);
  const dave = await site.session('dave');
  assert.equal((await site.ask('/o', { headers: { cookie: dave } })).status, 200);
});

test('the audit log names account and action, and refuses changes', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('root', 'admin');
  await site.signIn('root', 'wrong password');
  const cookie = await site.session('root');
  const fields = { name: 'eve', password: 'correct horse battery', role: 'viewer' };
  assert.equal((await site.submitForm('/o/users', cookie, fields)).status, 303);
  assert.equal((await site.submitForm('/o/users/eve/remove', cookie)).status, 303);
  const actions = site.pages.access.audit
    .list(10)
    .map(({ actor, action, subject, outcome }) => [actor, action, subject, outcome].join(' '));
  assert.deepEqual(actions, [
    'root user-remove eve done',
    'root user-add eve done',
    'root sign-in root done',
    'root sign-in root refused',
    'test user-add root done',
  ]);
  const page = await (await site.ask('/o/audit', { headers: { cookie } })).text();
  assert.match(page, /user-remove/);
  for (const sql of ["UPDATE web_audit SET actor = 'x'", 'DELETE FROM web_audit'])
    assert.throws(() => site.store.prepare(sql).run(), /append-only/);
});

test('no secret is in the database or the log', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('alice', 'viewer');
  const cookie = await site.session('alice');
  const rows = ['web_user', 'web_session', 'web_audit'].map((table) =>
    JSON.stringify(site.store.prepare(`SELECT * FROM ${table}`).all()),
  );
  const text = `${rows.join('')}${site.logged.join('')}`;
  assert.ok(!text.includes(cookie.split('=')[1] ?? ''));
  assert.ok(!text.includes('password of'));
});

test('the form of a user refuses unknown customers, roles and short passwords', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('root', 'admin');
  const cookie = await site.session('root');
  const good = {
    name: 'eve',
    password: 'correct horse battery',
    role: 'viewer',
    customers: 'acme',
  };
  for (const [change, expected] of [
    [{ customers: 'acme, unknown' }, 422],
    [{ customers: 'constructor' }, 422],
    [{ role: 'owner' }, 422],
    [{ name: 'a b' }, 422],
    [{ password: 'short' }, 422],
    [{}, 303],
    [{ name: 'EVE' }, 409],
  ] as const) {
    const response = await site.submitForm('/o/users', cookie, { ...good, ...change });
    assert.equal(response.status, expected, JSON.stringify(change));
  }
  assert.deepEqual(site.pages.access.accounts.find('eve')?.customers, ['acme']);
});

test('without the section signIn no sign-in works', async (t) => {
  const site = await TestPages.open(t);
  await site.addUser('alice', 'admin');
  assert.equal((await site.ask('/sign-in')).status, 404);
  assert.equal((await site.signIn('alice')).status, 404);
  assert.equal((await site.ask('/o')).status, 403);
});

test('every route has a rule, and a route without one is found', async (t) => {
  const site = await TestPages.open(t, settings);
  assert.deepEqual(routesWithoutRule(site.pages.routes), []);
  assert.deepEqual(routesWithoutRule(['GET /new', 'ALL /*']), ['GET /new']);
  const unused = Object.keys(accessTable).filter((route) => !site.pages.routes.includes(route));
  assert.deepEqual(unused, []);
});

/** Returns a store in which two customers have reports. */
async function reportedStore(): Promise<Store> {
  const store = await openStore(':memory:');
  prepareReports(store);
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  storeTestReports(
    store,
    ['acme.example', 'other.example'].map((domain) => ({
      reporter: 'big.example',
      day,
      id: domain,
      policies: [{ domain, mx: [`mx.${domain}`], ok: 5 }],
    })),
  );
  return store;
}

/**
 * Adds two accounts for each role, one confined to a customer, and returns their names.
 */
async function addEveryone(site: TestPages): Promise<readonly string[]> {
  for (const role of roles) {
    await site.addUser(role, role);
    await site.addUser(`${role}-acme`, role, ['acme']);
  }
  return roles.flatMap((role) => [role, `${role}-acme`]);
}

/**
 * Returns a predicate for the status that an account must receive according to the access
 * table.
 */
function expected(route: string, account: string, domain: string): (status: number) => boolean {
  const rule = accessTable[route];
  assert.ok(rule && rule.role !== 'anyone');
  const [role = '', customer] = account.split('-');
  const isHigh = roles.indexOf(role as Role) >= roles.indexOf(rule.role);
  if (!isHigh || (customer !== undefined && rule.reach === 'whole')) return (s) => s === 403;
  if (!route.includes(':domain'))
    return (s) => [200, 201, 202, 204, 303, 400, 404, 422].includes(s);
  if (customer !== undefined && domain !== 'acme.example') return (s) => s === 404;
  return (s) => [200, 204, 400].includes(s);
}

const domains = ['acme.example', 'other.example'] as const;
/** Routes that end the session of the request. */
const ending = ['POST /o/sign-out', 'POST /o/sessions/end-all'];
const guarded = Object.entries(accessTable).filter(
  ([route, { role }]) => role !== 'anyone' && !ending.includes(route),
);

function pathOf(route: string, domain: string): string {
  return (route.split(' ')[1] ?? '')
    .replace(/:id(\{.*\})?/, '0')
    .replace(/:name|:customer/, 'x')
    .replace(':domain', domain);
}

test('every page answers exactly the roles and customers of the table', async (t) => {
  const site = await TestPages.open(t, settings, { store: await reportedStore() });
  const accounts = await addEveryone(site);
  const sessions = new Map<string, string>();
  for (const account of accounts) sessions.set(account, await site.session(account));
  for (const [route] of guarded.filter(([one]) => !one.includes('/api/')))
    for (const domain of domains) {
      const path = pathOf(route, domain);
      const ask = (cookie: string): Promise<Response> =>
        route.startsWith('GET')
          ? site.ask(path, { headers: { cookie } })
          : site.submitForm(path, cookie);
      const { status: without } = await ask('');
      assert.ok(without === 303 || without === 401, `${route} without a session: ${without}`);
      for (const [account, cookie] of sessions) {
        const { status } = await ask(cookie);
        assert.ok(
          expected(route, account, domain)(status),
          `${account} ${route} ${domain}: ${status}`,
        );
      }
    }
});

test('every API route needs role, customer and scope of the table', async (t) => {
  const context = { store: await reportedStore(), plans: testPlans() };
  const site = await TestPages.open(t, settings, context);
  const accounts = await addEveryone(site);
  const cookie = await site.session('admin');
  const tokens = new Map<string, string>();
  for (const account of accounts) tokens.set(account, await site.token(account, scopes));
  for (const [route, { scope }] of guarded.filter(([one]) => one.includes('/api/'))) {
    assert.ok(scope, route);
    const others = scopes.filter((one) => one !== scope);
    const narrow = await site.token('admin', others);
    const method = route.split(' ')[0] ?? '';
    for (const domain of domains) {
      const path = pathOf(route, domain);
      const ask = async (headers: Record<string, string>): Promise<number> => {
        const type = { 'content-type': 'application/json' };
        const body = ['POST', 'PUT'].includes(method) ? { body: '{}' } : {};
        const init = { method, headers: { ...type, ...headers }, ...body };
        return (await site.ask(path, init)).status;
      };
      assert.equal(await ask({}), 401, route);
      assert.equal(await ask({ cookie }), 401, `${route} with a cookie`);
      assert.equal(await ask({ authorization: `Bearer hmt_${'a'.repeat(43)}` }), 401, route);
      assert.equal(
        await ask({ authorization: `Bearer ${narrow}` }),
        403,
        `${route} without ${scope}`,
      );
      for (const [account, secret] of tokens) {
        const status = await ask({ authorization: `Bearer ${secret}` });
        assert.ok(
          expected(route, account, domain)(status),
          `${account} ${route} ${domain}: ${status}`,
        );
      }
    }
  }
});

test('lists contain only the domains of the account', async (t) => {
  const site = await TestPages.open(t, settings, { store: await reportedStore() });
  await site.addUser('carol', 'operator', ['acme']);
  const cookie = await site.session('carol');
  for (const path of ['/o', '/o/customers', '/o/customers/acme', '/o/alerts', '/o/tokens']) {
    const page = await (await site.ask(path, { headers: { cookie } })).text();
    assert.doesNotMatch(page, /other/, path);
  }
  const other = await site.ask('/o/customers/other', { headers: { cookie } });
  assert.equal(other.status, 404);
  const authorization = `Bearer ${await site.token('carol', ['report:read'])}`;
  for (const path of ['/api/v1/domains', '/api/v1/customers', '/api/v1/alerts']) {
    const text = await (await site.ask(path, { headers: { authorization } })).text();
    assert.doesNotMatch(text, /other/, path);
  }
  const mute = { domain: 'other.example', hours: '1' };
  assert.equal((await site.submitForm('/o/alerts/mute', cookie, mute)).status, 404);
});

test('a token is shown once, stored as a hash, and ends with its account', async (t) => {
  const clock = movedClock();
  const site = await TestPages.open(t, settings, { clock });
  await site.addUser('alice', 'operator');
  await site.addUser('root', 'admin');
  const cookie = await site.session('alice');
  const form = { label: 'backup', days: '10', 'scope-report:read': 'on' };
  const page = await (await site.submitForm('/o/tokens', cookie, form)).text();
  const [secret = ''] = /hmt_[0-9A-Za-z]{43}/.exec(page) ?? [];
  assert.ok(secret);
  const rows = JSON.stringify(site.store.prepare('SELECT * FROM web_token').all());
  assert.ok(!rows.includes(secret));
  const list = await (await site.ask('/o/tokens', { headers: { cookie } })).text();
  assert.match(list, /backup/);
  assert.ok(!list.includes(secret));
  const ask = async (): Promise<number> =>
    (await site.ask('/api/v1/domains', { headers: { authorization: `Bearer ${secret}` } })).status;
  assert.equal(await ask(), 200);
  site.store.prepare("UPDATE web_user SET customers = '[]' WHERE name = 'alice'").run();
  const confined = await site.ask('/api/v1/reports', {
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.equal(confined.status, 403);
  clock.move(10 * 24 * HOUR);
  assert.equal(await ask(), 401);
  const next = await site.token('alice', ['report:read']);
  const withNext = async (): Promise<number> =>
    (await site.ask('/api/v1/domains', { headers: { authorization: `Bearer ${next}` } })).status;
  assert.equal(await withNext(), 200);
  assert.equal(
    (await site.submitForm('/o/users/alice/remove', await site.session('root'))).status,
    303,
  );
  assert.equal(await withNext(), 401);
});

test('a token creates no token with more scopes', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('root', 'admin');
  const secret = await site.token('root', ['admin', 'report:read']);
  const create = async (wanted: readonly string[]): Promise<number> =>
    (
      await site.ask('/api/v1/tokens', {
        method: 'POST',
        body: JSON.stringify({ label: 'x', scopes: wanted }),
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      })
    ).status;
  assert.equal(await create(['report:read']), 201);
  assert.equal(await create(['check:run']), 403);
  assert.equal(await create(['report:read', 'check:run']), 403);
});

test('the header of a proxy counts only from its address with its secret', async (t) => {
  const proxied = {
    ...settings,
    signIn: {
      proxy: { addresses: ['10.0.0.5'], secretFile: '/unused' },
      grants: [
        { group: 'mail-admins', role: 'admin' },
        { group: 'acme', role: 'viewer', customers: ['acme'] },
      ],
    },
  };
  const secrets = { proxy: 'the shared secret' };
  const site = await TestPages.open(t, proxied, {}, { secrets });
  const ask = (
    path: string,
    headers: Record<string, string>,
    from = '10.0.0.5',
  ): Promise<Response> => site.ask(path, { headers, from });
  const good = {
    'x-hermetic-secret': 'the shared secret',
    'x-remote-user': 'dana',
    'x-remote-groups': 'staff, mail-admins',
  };
  assert.equal((await ask('/o/settings', good)).status, 200);
  assert.equal((await ask('/o/settings', good, '::ffff:10.0.0.5')).status, 200);
  // A proxy cannot grant the role of admin.
  assert.equal((await ask('/o/users', good)).status, 403);
  assert.equal((await ask('/o', { ...good, 'x-remote-groups': 'staff' })).status, 303);
  assert.equal((await ask('/o/reports', { ...good, 'x-remote-groups': 'acme' })).status, 403);
  for (const headers of [
    { ...good, 'x-hermetic-secret': 'another secret' },
    { ...good, 'x-hermetic-secret': '' },
    { ...good, 'x-remote-user': '' },
    { 'x-remote-user': 'dana', 'x-remote-groups': 'mail-admins' },
  ])
    assert.equal((await ask('/o', headers)).status, 303, JSON.stringify(headers));
  assert.equal((await ask('/o', good, '10.0.0.6')).status, 303);
  // The API accepts only tokens.
  assert.equal((await ask('/api/v1/domains', good)).status, 401);
  const page = await (await ask('/o/alerts', good)).text();
  const [, token = ''] = /name="token" value="([^"]+)"/.exec(page) ?? [];
  const post = async (value: string): Promise<number> => {
    const body = new URLSearchParams({ token: value, domain: 'x.example', hours: '1' });
    const headers = { ...good, origin: 'http://check.example' };
    return (await site.ask('/o/alerts/mute', { method: 'POST', body, headers, from: '10.0.0.5' }))
      .status;
  };
  assert.equal(await post(token), 404);
  assert.equal(await post('forged'), 403);
});

test('signing out everywhere ends only the sessions of the account', async (t) => {
  const site = await TestPages.open(t, settings);
  await site.addUser('carol', 'viewer');
  await site.addUser('dave', 'viewer');
  const [first, second] = [await site.session('carol'), await site.session('carol')];
  const other = await site.session('dave');
  const page = await (await site.ask('/o/sessions', { headers: { cookie: first } })).text();
  assert.match(page, /action="\/o\/sessions\/end-all"/);
  const foreign = await site.submitForm('/o/sessions/end-all', first, { token: 'x' });
  assert.equal(foreign.status, 403);
  const ended = await site.submitForm('/o/sessions/end-all', first);
  assert.equal(ended.status, 303);
  const statuses = await Promise.all(
    [first, second, other].map(
      async (cookie) => (await site.ask('/o', { headers: { cookie } })).status,
    ),
  );
  assert.deepEqual(statuses, [303, 303, 200]);
  const [entry] = site.pages.access.audit.list(1);
  assert.deepEqual([entry?.action, entry?.actor], ['sign-out-all', 'carol']);
});
