import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { systemClock, type Clock } from '../../src/base/index.js';
import { guarded, nodeNetwork, type Network } from '../../src/net/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { request } from '../../src/http/index.js';
import { parseCertificate, trustStore } from '../../src/x509/index.js';
import { cookieOf, silentNetwork, TestPages, zoneResolver } from '../support/testing-pages.js';

/**
 * A variable hides the module name from the compiler, because the package has no types.
 */
const providerPackage: string = 'oidc-provider';
const host = 'id.example';
const secret = 'the secret of the client';
const root = createCa({ name: 'Root' });
const anchor = parseCertificate(root.der);
assert.ok(anchor.ok);
const anchors = trustStore([anchor.value]);

const settings = {
  signIn: {
    oidc: {
      issuer: `https://${host}`,
      clientId: 'hermetic',
      clientSecretFile: '/unused',
      origin: 'https://check.example',
    },
    grants: [
      { group: 'ops', role: 'operator' },
      { group: 'readers', role: 'viewer' },
      { name: 'root@example.com', role: 'admin' },
    ],
  },
};

/** The client of the provider library, with the members that the tests use. */
interface TestClient {
  backchannelLogout(subject: string, providerSession: string): Promise<void>;
}

/** The keys with which the provider signs. */
const keys = await generateKeyPair('RS256', { extractable: true });

/** An account at the provider. Tests change the account between requests. */
interface ProviderAccount {
  groups: readonly string[];
  isVerified: boolean;
}

/** An OpenID provider with a certificate, and its network. */
interface TestProvider {
  /** Sends a logout token to the pages, as a sign-out at the provider does. */
  logOut(subject: string, providerSession: string): Promise<void>;
  /** Receives the requests of the provider to the pages. */
  pages: TestPages | undefined;
  readonly network: Network;
  readonly accounts: Map<string, ProviderAccount>;
  /** Makes every connection to the provider fail. */
  isDown: boolean;
}

async function startProvider(
  t: TestContext,
  { issuesRefreshTokens = true } = {},
): Promise<TestProvider> {
  const accounts = new Map<string, ProviderAccount>([
    ['alice', { groups: ['ops'], isVerified: true }],
    ['mallory', { groups: ['ops'], isVerified: false }],
    ['guest', { groups: [], isVerified: true }],
  ]);
  const { default: Provider } = (await import(providerPackage)) as {
    default: new (
      issuer: string,
      configuration: object,
    ) => {
      callback(): Parameters<typeof createServer>[1];
      readonly Client: { find(id: string): Promise<TestClient> };
    };
  };
  const provider = new Provider(`https://${host}`, {
    clients: [
      {
        client_id: 'hermetic',
        client_secret: secret,
        redirect_uris: ['https://check.example/sign-in/oidc/callback'],
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: 'https://check.example/sign-in/oidc/logout',
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [await exportJWK(keys.privateKey)] },
    features: { backchannelLogout: { enabled: true } },
    fetch: async (url: string, init: RequestInit) =>
      (await found.pages?.ask(new URL(url).pathname, { ...init, from: '192.0.2.1' })) ??
      new Response(null, { status: 500 }),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
    conformIdTokenClaims: false,
    issueRefreshToken: () => issuesRefreshTokens,
    cookies: { keys: ['a key of the test'] },
    findAccount: (_context: unknown, id: string) => {
      const account = accounts.get(id);
      return (
        account && {
          accountId: id,
          claims: () => ({
            sub: id,
            email: `${id}@example.com`,
            email_verified: account.isVerified,
            groups: account.groups,
          }),
        }
      );
    },
  });
  const { keyPem, chainPem } = issue(root, { names: [host] });
  const server = createServer({ key: keyPem, cert: chainPem }, provider.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const local = nodeNetwork();
  const found: TestProvider = {
    network: {
      dial: (target) =>
        found.isDown
          ? Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } })
          : local.dial({ ...target, address: '127.0.0.1', port }),
      exchange: (exchange) => local.exchange(exchange),
    },
    accounts,
    isDown: false,
    pages: undefined,
    logOut: async (subject, providerSession) =>
      (await provider.Client.find('hermetic')).backchannelLogout(subject, providerSession),
  };
  return found;
}

/** Returns the clock of this machine with an offset in milliseconds. */
function shiftedClock(): Clock & { shift: number } {
  const { now, monotonic, sleep } = systemClock;
  const clock = {
    shift: 0,
    now: () => now() + clock.shift,
    monotonic: () => monotonic() + clock.shift,
    sleep,
  };
  return clock;
}

/**
 * Signs in at the provider as a browser does, with cookies and forms, and returns the
 * first redirect to another site.
 */
async function signInAt(network: Network, location: string, login: string): Promise<string> {
  const cookies = new Map<string, string>();
  let url = location;
  let form: string | undefined;
  for (let step = 0; step < 12; step++) {
    const { hostname, pathname, search } = new URL(url, `https://${host}`);
    if (hostname !== host) return url;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await request({
      network,
      addresses: ['192.0.2.1'],
      host,
      path: `${pathname}${search}`,
      method: form === undefined ? 'GET' : 'POST',
      headers: { cookie, ...(form === undefined ? {} : type) },
      ...(form === undefined ? {} : { body: Buffer.from(form) }),
      anchors,
      validationTime: Date.now(),
    });
    assert.ok(response.ok, response.ok ? '' : response.failure.code);
    const { headers, body, status } = response.value;
    for (const [, name = '', value = ''] of (headers['set-cookie'] ?? '').matchAll(
      /(_[a-z_.]+)=([^;]*);/g,
    ))
      cookies.set(name, value);
    form = undefined;
    if (headers['location'] !== undefined) {
      url = headers['location'];
      continue;
    }
    const page = Buffer.from(body).toString();
    const [, prompt] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
    assert.ok(prompt, `${status} ${page.slice(0, 500)}`);
    form = `prompt=${prompt}&login=${login}&password=x`;
  }
  throw new Error('the provider asks without end');
}

async function openSite(
  t: TestContext,
  network: Network,
  clock: Clock = systemClock,
): Promise<TestPages> {
  const resolver = zoneResolver([`${host}. 60 IN A 192.0.2.1`]);
  const context = { network, resolver, trustStore: anchors, clock };
  return TestPages.open(t, settings, context, { secrets: { oidcClient: secret } });
}

async function begin(site: TestPages): Promise<{ location: string; cookie: string }> {
  const response = await site.ask('/sign-in/oidc?next=/o/alerts');
  assert.equal(response.status, 303, site.logged.join());
  return { location: response.headers.get('location') ?? '', cookie: cookieOf(response) };
}

function finish(site: TestPages, callback: string, cookie: string): Promise<Response> {
  const { pathname, search } = new URL(callback);
  return site.ask(`${pathname}${search}`, { headers: { cookie } });
}

test('an OpenID provider signs accounts in with the rights of their grant', async (t) => {
  const { network } = await startProvider(t);
  const site = await openSite(t, network);
  assert.match(await site.text('/sign-in'), /Sign in with your identity provider/);
  const { location, cookie } = await begin(site);
  const query = new URL(location).searchParams;
  assert.equal(query.get('code_challenge_method'), 'S256');
  assert.ok(query.get('state') && query.get('nonce'));
  assert.ok(!location.includes(secret));
  const callback = await signInAt(network, location, 'alice');
  const done = await finish(site, callback, cookie);
  assert.equal(done.status, 303, site.logged.join());
  assert.equal(done.headers.get('location'), '/o/alerts');
  const [session = ''] = /__Host-hermetic=[^;]+/.exec(done.headers.get('set-cookie') ?? '') ?? [];
  const get = async (path: string): Promise<Response> =>
    site.ask(path, { headers: { cookie: session } });
  assert.match(await (await get('/o')).text(), /Signed in as alice@example\.com/);
  assert.equal((await get('/o/settings')).status, 200);
  assert.equal((await get('/o/users')).status, 403);
  // A second request of the same callback fails: the code was used, and the cookie is
  // deleted.
  assert.equal((await finish(site, callback, cookie)).status, 401);
  for (const changed of ['', 'forged.cookie', `${cookie.split('=')[0]}=${'a'.repeat(50)}.b`])
    assert.equal((await finish(site, callback, changed)).status, 401, changed);
  const log = site.logged.join();
  assert.ok(
    !log.includes(secret) && !log.includes(new URL(callback).searchParams.get('code') ?? ''),
  );
});

test('state, verified address and grant are all required', async (t) => {
  const { network } = await startProvider(t);
  const site = await openSite(t, network);
  const first = await begin(site);
  const second = await begin(site);
  const callback = await signInAt(network, first.location, 'alice');
  // The attacker leads the victim's browser to a callback of the attacker's sign-in.
  assert.equal((await finish(site, callback, second.cookie)).status, 401);
  const unverified = await begin(site);
  const mallory = await signInAt(network, unverified.location, 'mallory');
  assert.equal((await finish(site, mallory, unverified.cookie)).status, 401);
  const withoutGrant = await begin(site);
  const guest = await signInAt(network, withoutGrant.location, 'guest');
  const refused = await finish(site, guest, withoutGrant.cookie);
  assert.equal(refused.status, 403);
  assert.doesNotMatch(refused.headers.get('set-cookie') ?? '', /__Host-hermetic=[^;]/);
  const [entry] = site.pages.access.audit.list(1);
  assert.deepEqual(
    [entry?.actor, entry?.way, entry?.outcome],
    ['guest@example.com', 'oidc', 'refused'],
  );
});

test('a provider at a special address is never dialled', async (t) => {
  const special = [
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::1',
  ];
  for (const ip of [...special, '11.0.0.1']) {
    const network = silentNetwork();
    const type = ip.includes(':') ? 'AAAA' : 'A';
    const resolver = zoneResolver([`${host}. 60 IN ${type} ${ip}`]);
    const context = { network: guarded(network), resolver, trustStore: anchors };
    const site = await TestPages.open(t, settings, context, { secrets: { oidcClient: secret } });
    assert.equal((await site.ask('/sign-in/oidc')).status, 401, ip);
    // Control: the client dials a public address.
    assert.deepEqual(network.dialled, ip === '11.0.0.1' ? [ip] : [], ip);
  }
});

/** Signs an account in; resolves to a function that requests a page in its session. */
async function signedIn(
  site: TestPages,
  { network }: TestProvider,
  login: string,
): Promise<(path: string) => Promise<Response>> {
  const { location, cookie } = await begin(site);
  const done = await finish(site, await signInAt(network, location, login), cookie);
  assert.equal(done.status, 303, site.logged.join());
  const [session = ''] = /__Host-hermetic=[^;]+/.exec(done.headers.get('set-cookie') ?? '') ?? [];
  return (path) => site.ask(path, { headers: { cookie: session } });
}

const MINUTE = 60_000;

test('a change of groups at the provider takes effect within 15 minutes', async (t) => {
  const provider = await startProvider(t);
  const clock = shiftedClock();
  const site = await openSite(t, provider.network, clock);
  const get = await signedIn(site, provider, 'alice');
  const other = await signedIn(site, provider, 'alice');
  assert.equal((await get('/o/settings')).status, 200);
  provider.accounts.set('alice', { groups: ['readers'], isVerified: true });
  clock.shift = 14 * MINUTE;
  assert.equal((await get('/o/settings')).status, 200);
  clock.shift = 15 * MINUTE + 1000;
  assert.equal((await get('/o/settings')).status, 403);
  assert.equal((await get('/o')).status, 200);
  // The rights belong to the account, so they also change in its other session before the
  // pages check that session.
  assert.equal((await other('/o/settings')).status, 403);
  assert.match(site.pages.access.audit.list(1)[0]?.action ?? '', /rights-change/);
});

test('an account that the provider ends loses all sessions and tokens', async (t) => {
  const provider = await startProvider(t);
  for (const end of [
    (accounts: TestProvider['accounts']) => void accounts.delete('alice'),
    (accounts: TestProvider['accounts']) =>
      void accounts.set('alice', { groups: ['former'], isVerified: true }),
    (accounts: TestProvider['accounts']) =>
      void accounts.set('alice', { groups: ['ops'], isVerified: false }),
  ]) {
    provider.accounts.set('alice', { groups: ['ops'], isVerified: true });
    const clock = shiftedClock();
    const site = await openSite(t, provider.network, clock);
    const get = await signedIn(site, provider, 'alice');
    const other = await signedIn(site, provider, 'alice');
    const token = await tokenOf(site, 'alice@example.com');
    assert.equal(await statusBy(site, token), 200);
    end(provider.accounts);
    clock.shift = 16 * MINUTE;
    const refused = await get('/o');
    assert.equal(refused.status, 303);
    assert.equal(refused.headers.get('location'), '/sign-in');
    assert.equal((await other('/o')).status, 303);
    assert.equal(await statusBy(site, token), 401);
    const actions = site.pages.access.audit.list(5).map(({ action }) => action);
    assert.ok(actions.includes('rights-end'), actions.join());
  }
});

test('a provider that does not answer keeps the session, and no page opens', async (t) => {
  const provider = await startProvider(t);
  const clock = shiftedClock();
  const site = await openSite(t, provider.network, clock);
  const get = await signedIn(site, provider, 'alice');
  provider.isDown = true;
  clock.shift = 16 * MINUTE;
  const refused = await get('/o/alerts');
  assert.equal(refused.headers.get('location'), '/sign-in/oidc?next=%2Fo%2Falerts');
  provider.isDown = false;
  // The pages ask the provider again after ten seconds, and not for each request.
  assert.equal((await get('/o')).status, 303);
  clock.shift += 11_000;
  assert.equal((await get('/o')).status, 200);
});

test('without a refresh token the browser returns to the provider', async (t) => {
  const provider = await startProvider(t, { issuesRefreshTokens: false });
  const clock = shiftedClock();
  const site = await openSite(t, provider.network, clock);
  const get = await signedIn(site, provider, 'alice');
  assert.equal((await get('/o')).status, 200);
  clock.shift = 16 * MINUTE;
  const { headers } = await get('/o/alerts');
  assert.equal(headers.get('location'), '/sign-in/oidc?next=%2Fo%2Falerts');
  const again = await signedIn(site, provider, 'alice');
  assert.equal((await again('/o')).status, 200);
});

test('a token of a provider account ends 30 days after its last confirmation', async (t) => {
  const provider = await startProvider(t);
  const clock = shiftedClock();
  const site = await openSite(t, provider.network, clock);
  await signedIn(site, provider, 'alice');
  const token = await tokenOf(site, 'alice@example.com');
  clock.shift = 30 * 1440 * MINUTE - MINUTE;
  assert.equal(await statusBy(site, token), 200);
  clock.shift = 30 * 1440 * MINUTE + MINUTE;
  assert.equal(await statusBy(site, token), 401);
});

const logoutEvent = { 'http://schemas.openid.net/event/backchannel-logout': {} };

/**
 * Returns a site with sessions of an account, and a function that posts a logout token.
 */
async function openLogout(t: TestContext) {
  const provider = await startProvider(t);
  const clock = shiftedClock();
  const site = await openSite(t, provider.network, clock);
  provider.pages = site;
  let number = 0;
  const claims = (changed: JWTPayload = {}): JWTPayload => ({
    iss: `https://${host}`,
    aud: 'hermetic',
    iat: Math.floor(clock.now() / 1000),
    jti: String(++number),
    sub: 'alice',
    events: logoutEvent,
    ...changed,
  });
  const sign = (payload: JWTPayload, header: object = {}, key = keys.privateKey): Promise<string> =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', ...header })
      .sign(key);
  const post = async (token: string): Promise<number> => {
    const body = new URLSearchParams({ logout_token: token });
    return (await site.ask('/sign-in/oidc/logout', { method: 'POST', body })).status;
  };
  return { provider, clock, site, claims, sign, post };
}

test('a sign-out at the provider ends only its session', async (t) => {
  const { provider, site } = await openLogout(t);
  const first = await signedIn(site, provider, 'alice');
  const second = await signedIn(site, provider, 'alice');
  const rows = site.store
    .prepare<{ sid: string }>('SELECT provider_session AS sid FROM web_session ORDER BY created_at')
    .all();
  assert.equal(new Set(rows.map(({ sid }) => sid)).size, 2);
  await provider.logOut('alice', rows[0]?.sid ?? '');
  assert.equal((await first('/o')).status, 303);
  assert.equal((await second('/o')).status, 200);
  const [entry] = site.pages.access.audit.list(1);
  assert.deepEqual([entry?.action, entry?.subject], ['provider-sign-out', 'alice@example.com']);
  // OpenID Connect Back-Channel Logout 1.0 §2.7: the same answer for an ended session.
  await provider.logOut('alice', rows[0]?.sid ?? '');
});

test('a logout token of an account ends its sessions, and keeps its API tokens', async (t) => {
  const { provider, site, claims, sign, post } = await openLogout(t);
  provider.accounts.set('bob', { groups: ['ops'], isVerified: true });
  const alice = [await signedIn(site, provider, 'alice'), await signedIn(site, provider, 'alice')];
  const bob = await signedIn(site, provider, 'bob');
  const token = await tokenOf(site, 'alice@example.com');
  assert.equal(await post(await sign(claims())), 200);
  for (const get of alice) assert.equal((await get('/o')).status, 303);
  assert.equal((await bob('/o')).status, 200);
  assert.equal(await statusBy(site, token), 200);
});

test('a used logout token ends no later session', async (t) => {
  const { provider, site, claims, sign, post } = await openLogout(t);
  const token = await sign(claims());
  assert.equal(await post(token), 200);
  const get = await signedIn(site, provider, 'alice');
  assert.equal(await post(token), 200);
  assert.equal((await get('/o')).status, 200);
  assert.equal(await post(await sign(claims())), 200);
  assert.equal((await get('/o')).status, 303);
});

test('an invalid logout token ends no session', async (t) => {
  const { provider, clock, site, claims, sign, post } = await openLogout(t);
  const get = await signedIn(site, provider, 'alice');
  const foreign = await generateKeyPair('RS256');
  const shared = new TextEncoder().encode(secret.padEnd(32, '.'));
  const seconds = Math.floor(clock.now() / 1000);
  const invalid: Readonly<Record<string, string>> = {
    'no token': '',
    'no JWT': 'a.b.c',
    'too long': 'a'.repeat(9000),
    'another issuer': await sign(claims({ iss: 'https://other.example' })),
    'another client': await sign(claims({ aud: 'other' })),
    'a nonce': await sign(claims({ nonce: 'n' })),
    'no event': await sign(claims({ events: {} })),
    'another event': await sign(claims({ events: { 'http://other.example': {} } })),
    'an event without object': await sign(
      claims({ events: { [Object.keys(logoutEvent)[0] ?? '']: true } }),
    ),
    'no events': await sign(claims({ events: undefined })),
    'no subject': await sign(claims({ sub: undefined })),
    'an empty subject': await sign(claims({ sub: '' })),
    'no number': await sign(claims({ jti: undefined })),
    'too old': await sign(claims({ iat: seconds - 3600 })),
    'of the future': await sign(claims({ iat: seconds + 3600 })),
    expired: await sign(claims({ exp: seconds - 120 })),
    'another type': await sign(claims(), { typ: 'at+jwt' }),
    'another key': await sign(claims(), {}, foreign.privateKey),
    unsigned: new UnsecuredJWT(claims()).encode(),
    'signed with the secret of the client': await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt' })
      .sign(shared),
  };
  for (const [what, token] of Object.entries(invalid)) assert.equal(await post(token), 400, what);
  assert.equal((await get('/o')).status, 200);
  // Control: a valid token ends the session.
  assert.equal(await post(await sign(claims({ sub: 'alice', aud: ['x', 'hermetic'] }))), 200);
  assert.equal((await get('/o')).status, 303);
});

test('guessed logout tokens are limited for each network', async (t) => {
  const { site, claims, sign, post } = await openLogout(t);
  for (let n = 0; n < 60; n++) assert.equal(await post('a.b.c'), 400);
  const valid = await sign(claims());
  assert.equal(await post(valid), 429);
  const body = new URLSearchParams({ logout_token: valid });
  const from = '203.0.113.9';
  const other = await site.ask('/sign-in/oidc/logout', { method: 'POST', body, from });
  assert.equal(other.status, 200);
});

test('without the keys of the provider a logout token is deferred', async (t) => {
  const { provider, site, clock, claims, sign, post } = await openLogout(t);
  provider.isDown = true;
  const token = await sign(claims());
  assert.equal(await post(token), 503);
  assert.match(site.logged.join(), /web-oidc-logout-failed/);
  provider.isDown = false;
  clock.shift = 11_000;
  assert.equal(await post(token), 200);
});

async function tokenOf({ pages, clock }: TestPages, owner: string): Promise<string> {
  const at = clock.now();
  const token = {
    label: 'test',
    owner,
    way: 'oidc',
    role: 'operator',
    customers: undefined,
    scopes: ['report:read'],
    endsAt: at + 365 * 1440 * MINUTE,
  } as const;
  const by = { at, actor: owner, way: 'oidc', network: '' };
  return (await pages.access.tokens.create(token, by)) ?? '';
}

async function statusBy(site: TestPages, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await site.ask('/api/v1/domains', { headers })).status;
}
