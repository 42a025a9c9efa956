import assert from 'node:assert/strict';
import test from 'node:test';
import { openStore } from '../store/index.js';
import {
  mailZone,
  movedClock,
  silentNetwork,
  TestPages,
  zoneResolver,
} from '../../test/support/testing-pages.js';

const hostile = '"><script>alert(1)</script>\u202e\u0007';

test('the first page has a form, and a policy without inline scripts', async (t) => {
  const site = await TestPages.open(t);
  const response = await site.ask('/');
  assert.equal(response.status, 200);
  const page = await response.text();
  assert.match(page, /<form class="field" method="post" action="\/check">/);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.doesNotMatch(response.headers.get('content-security-policy') ?? '', /unsafe/);
  assert.doesNotMatch(page, /<script(?![^>]* src=)|<style| style=| on[a-z]+=/);
  for (const path of page.match(/\/assets\/[a-z0-9.-]+/g) ?? []) {
    const file = await site.ask(path);
    assert.equal(file.status, 200, path);
    assert.match(file.headers.get('cache-control') ?? '', /immutable/);
  }
});

test('a check has one address, from the queue to the result', async (t) => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const resolver = zoneResolver([], () => gate);
  const site = await TestPages.open(t, {}, { resolver });
  const response = await site.submit('example.com');
  assert.equal(response.status, 303);
  const path = response.headers.get('location') ?? '';
  assert.match(path, /^\/check\/[0-9A-Za-z]{22}$/);
  const running = await site.ask(path);
  const page = await running.text();
  assert.match(page, /CHECKING/);
  assert.match(page, /data-live="\/check\/[0-9A-Za-z]{22}\/events"/);
  assert.match(page, /<noscript><meta http-equiv="refresh" content="3"/);
  open();
  await site.finished(path);
  const result = await site.ask(path);
  assert.equal(result.headers.get('x-robots-tag'), 'noindex');
  assert.match(await result.text(), /NOT APPLICABLE[\s\S]*Share and download/);
  assert.doesNotMatch(await site.text(path), /http-equiv="refresh"/);
});

test('a mail address, a URL and a name with capitals are accepted', async (t) => {
  const site = await TestPages.open(t);
  const first = await site.checked('example.com');
  for (const [typed, from] of [
    ['Me@Example.COM', '198.51.100.8'],
    ['https://example.com:443/contact?a=b', '198.51.100.9'],
    [' mailto:info@example.com. ', '198.51.100.10'],
  ] as const)
    assert.equal((await site.submit(typed, from)).headers.get('location'), first, typed);
});

test('text that is not a domain is refused next to the field, and escaped', async (t) => {
  const site = await TestPages.open(t);
  for (const typed of ['', 'no domain', 'a..b', `${'a'.repeat(64)}.example`, hostile]) {
    const response = await site.submit(typed);
    assert.equal(response.status, 422, typed);
    const page = await response.text();
    assert.match(page, /role="alert"/);
    assert.match(page, /aria-invalid="true"/);
    assert.doesNotMatch(page, /<script>alert|\u202e/);
  }
  assert.equal((await site.ask('/check', { method: 'POST', body: 'domain' })).status, 422);
});

test('one client may start three checks in a minute, another client still can', async (t) => {
  const clock = movedClock();
  const site = await TestPages.open(t, {}, { clock });
  for (const n of [1, 2, 3]) await site.checked(`a${n}.test${n}.com`);
  const refused = await site.submit('a4.test4.com');
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '60');
  assert.match(await refused.text(), /Try again in 60 seconds/);
  await site.checked('a4.test4.com', '198.51.100.8');
  clock.move(60_001);
  await site.checked('a5.test5.com');
});

test('clients of one IPv6 customer network share a limit', async (t) => {
  const site = await TestPages.open(t, { limits: { perClient: 1 } });
  await site.checked('one.com', '2001:db8:1:100::1');
  assert.equal((await site.submit('two.com', '2001:db8:1:1ff::2')).status, 429);
  await site.checked('three.com', '2001:db8:1:200::1');
});

test('only a trusted proxy sets the client address', async (t) => {
  const site = await TestPages.open(t, { proxies: ['127.0.0.1'], limits: { perClient: 1 } });
  const start = (domain: string, from: string, forwarded: string): Promise<Response> =>
    site.ask('/check', {
      method: 'POST',
      body: new URLSearchParams({ domain }),
      from,
      headers: { 'x-forwarded-for': forwarded },
    });
  assert.equal((await start('one.com', '127.0.0.1', '203.0.113.1')).status, 303);
  // The client itself may have written the entries to the left.
  assert.equal((await start('two.com', '127.0.0.1', '192.0.2.9, 203.0.113.1')).status, 429);
  assert.equal((await start('three.com', '127.0.0.1', '203.0.113.2')).status, 303);
  // A peer that is not a trusted proxy can also send the field, which is then ignored.
  assert.equal((await start('four.com', '198.51.100.1', '203.0.113.3')).status, 303);
  assert.equal((await start('five.com', '198.51.100.1', '203.0.113.4')).status, 429);
});

test('names below one organisational domain share a limit', async (t) => {
  const site = await TestPages.open(t, { limits: { perDomain: 2 } });
  await site.checked('a.victim.co.uk', '198.51.100.1');
  await site.checked('b.c.victim.co.uk', '198.51.100.2');
  const refused = await site.submit('d.victim.co.uk', '198.51.100.3');
  assert.equal(refused.status, 429);
  assert.match(await refused.text(), /names of this organisation/);
  await site.checked('a.other.co.uk', '198.51.100.4');
});

test('the queue shows the place, and refuses when it is full', async (t) => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const resolver = zoneResolver([], () => gate);
  const site = await TestPages.open(t, { limits: { running: 1, waiting: 2 } }, { resolver });
  const paths: string[] = [];
  for (const n of [1, 2, 3])
    paths.push(
      (await site.submit(`a.test${n}.com`, `198.51.100.${n}`)).headers.get('location') ?? '',
    );
  assert.match(await site.text(paths[2] ?? ''), /number 2 in the queue/);
  const refused = await site.submit('a.test4.com', '198.51.100.4');
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.has('retry-after'));
  open();
  for (const path of paths) await site.finished(path);
});

test('one domain is checked once, and again after a pause with the difference', async (t) => {
  const clock = movedClock();
  const site = await TestPages.open(t, {}, { clock });
  const first = await site.checked('example.com');
  assert.equal((await site.submit('example.com', '198.51.100.8')).headers.get('location'), first);
  const early = await site.ask(`${first}/again`, { method: 'POST' });
  assert.equal(early.status, 429);
  clock.move(11 * 60_000);
  const again = await site.ask(`${first}/again`, { method: 'POST' });
  assert.equal(again.status, 303);
  const second = again.headers.get('location') ?? '';
  assert.notEqual(second, first);
  await site.finished(second);
  assert.match(await site.text(second), /Nothing has changed since the check of 2026-11-30 12:00/);
});

test('a form that is submitted twice starts one check and leads to one page', async (t) => {
  const clock = movedClock();
  let questions = 0;
  const resolver = zoneResolver([], async () => void questions++);
  const site = await TestPages.open(t, {}, { clock, resolver });
  const pagesOf = async (submitted: readonly Promise<Response>[]): Promise<readonly string[]> => {
    const answers = await Promise.all(submitted);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([303]));
    return [...new Set(answers.map(({ headers }) => headers.get('location') ?? ''))];
  };
  const [first = '', ...others] = await pagesOf([1, 2, 3, 4].map(() => site.submit('example.com')));
  await site.finished(first);
  assert.deepEqual(others, []);
  const once = questions;
  clock.move(11 * 60_000);
  const again = (): Promise<Response> => site.ask(`${first}/again`, { method: 'POST' });
  const [second = '', ...more] = await pagesOf([again(), again()]);
  await site.finished(second);
  assert.deepEqual([more, questions], [[], 2 * once]);
});

test('a check that was accepted continues after a restart', async (t) => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const before = await TestPages.open(t, {}, { resolver: zoneResolver([], () => gate) });
  const path = (await before.submit('example.com')).headers.get('location') ?? '';
  before.pages.stop();
  open();
  const { store } = before;
  const after = await TestPages.open(t, {}, { store });
  await after.finished(path);
  assert.match(await after.text(path), /NOT APPLICABLE/);
});

test('a check that takes too long ends with a reason', async (t) => {
  const clock = movedClock();
  const resolver = zoneResolver([], () => new Promise(() => undefined));
  const stuck = {
    ...resolver,
    ask: (_name: unknown, _type: unknown, options?: { signal?: AbortSignal }) =>
      new Promise<never>((_resolve, reject) =>
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)),
      ),
  };
  const site = await TestPages.open(t, {}, { clock, resolver: stuck });
  const path = (await site.submit('example.com')).headers.get('location') ?? '';
  clock.move(121_000);
  await site.finished(path);
  assert.match(await site.text(path), /NOT COMPLETED[\s\S]*answered too slowly/);
});

test('addresses in private networks are never dialled', async (t) => {
  const special = [
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.2.1',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::1',
  ];
  const network = silentNetwork();
  const zone = special.flatMap((ip, n) => [
    ...mailZone(`victim${n}.com`, [ip]),
    `_mta-sts.victim${n}.com. 60 IN TXT "v=STSv1; id=1"`,
    `mta-sts.victim${n}.com. 60 IN ${ip.includes(':') ? 'AAAA' : 'A'} ${ip}`,
  ]);
  const site = await TestPages.open(t, {}, { network, resolver: zoneResolver(zone) });
  for (const n of special.keys()) await site.checked(`victim${n}.com`, `198.51.100.${n}`);
  assert.deepEqual(network.dialled, []);
  // A domain with a public address is contacted, which proves that the test can fail.
  const open = zoneResolver(mailZone('public.com', ['11.0.0.1']));
  const other = await TestPages.open(t, {}, { network, resolver: open });
  await other.checked('public.com');
  assert.deepEqual([...new Set(network.dialled)], ['11.0.0.1']);
});

test('a mail host that opted out is not contacted', async (t) => {
  const network = silentNetwork();
  const zone = [
    ...mailZone('by-host.com', ['11.0.0.1']),
    '_hermetic.mx.by-host.com. 60 IN TXT "v=hermetic1; check=no"',
    ...mailZone('by-parent.com', ['11.0.0.2']),
    '_hermetic.by-parent.com. 60 IN TXT "V=hermetic1;check=no"',
    ...mailZone('allowed.com', ['11.0.0.3']),
    '_hermetic.mx.allowed.com. 60 IN TXT "v=hermetic1; check=yes"',
    '_hermetic.allowed.com. 60 IN TXT "v=hermetic1; check=no"',
    ...mailZone('other-text.com', ['11.0.0.4']),
    '_hermetic.mx.other-text.com. 60 IN TXT "check=no"',
  ];
  const site = await TestPages.open(t, {}, { network, resolver: zoneResolver(zone) });
  for (const [n, domain] of ['by-host', 'by-parent', 'allowed', 'other-text'].entries())
    await site.checked(`${domain}.com`, `198.51.100.${n}`);
  assert.deepEqual([...new Set(network.dialled)], ['11.0.0.3', '11.0.0.4']);
});

test('domains at one mail host share its visit', async (t) => {
  const network = silentNetwork();
  const zone = [
    ...mailZone('one.com', ['11.0.0.1']),
    'two.com. 60 IN MX 10 mx.one.com.',
    'three.com. 60 IN MX 10 mx.one.com.',
  ];
  const clock = movedClock();
  const site = await TestPages.open(t, {}, { network, clock, resolver: zoneResolver(zone) });
  await site.checked('one.com');
  const visit = network.dialled.length;
  assert.ok(visit > 0);
  await site.checked('two.com', '198.51.100.8');
  assert.equal(network.dialled.length, visit);
  clock.move(61 * 60_000);
  await site.checked('three.com', '198.51.100.9');
  assert.ok(network.dialled.length > visit);
});

test('pages of other sites cannot start a check', async (t) => {
  const site = await TestPages.open(t);
  const start = (headers: Record<string, string>): Promise<Response> =>
    site.ask('/check', {
      method: 'POST',
      body: new URLSearchParams({ domain: 'example.com' }),
      headers,
    });
  assert.equal((await start({ 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.equal((await start({ 'sec-fetch-site': 'same-site' })).status, 403);
  assert.equal((await start({ origin: 'https://evil.example' })).status, 403);
  assert.equal((await start({ origin: 'null' })).status, 403);
  assert.equal((await start({ origin: 'http://check.example' })).status, 303);
  assert.equal((await start({ 'sec-fetch-site': 'same-origin' })).status, 303);
});

test('the operator port answers under names of this machine alone', async (t) => {
  const site = await TestPages.open(t);
  const get = async (host: string): Promise<number> =>
    (await site.ask('/', { operator: true, from: '127.0.0.1', headers: { host } })).status;
  for (const host of ['localhost:8080', '127.0.0.1', '127.3.2.1:8080', '[::1]:8080'])
    assert.equal(await get(host), 200, host);
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io:8080',
    '10.0.0.1',
  ])
    assert.equal(await get(host), 403, host);
});

test('unknown addresses give a page with a link back', async (t) => {
  const site = await TestPages.open(t);
  for (const path of ['/nothing', '/check/0000000000000000000000', '/check/x/events']) {
    const response = await site.ask(path);
    assert.equal(response.status, 404, path);
    assert.match(await response.text(), /Check a domain/);
  }
  assert.match(await site.text('/about'), /never send MAIL, RCPT or DATA/);
  assert.match(await site.text('/opt-out'), /v=hermetic1; check=no/);
  assert.match(await site.text('/privacy'), /sets no cookie/);
});

test('a check that cannot be saved is refused, and a running one ends with the reason', async (t) => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const store = await openStore(':memory:', { waitMs: 50 });
  const site = await TestPages.open(t, {}, { store, resolver: zoneResolver([], () => gate) });
  const path = (await site.submit('example.com')).headers.get('location') ?? '';
  store.execute('PRAGMA query_only = ON');
  const refused = await site.submit('other.com', '198.51.100.8');
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.has('retry-after'));
  assert.match(await refused.text(), /cannot save checks/);
  const problem = await site.post('/api/v1/checks', { domain: 'other.com' }, '198.51.100.9');
  assert.equal(problem.status, 503);
  assert.equal(((await problem.json()) as { code: string }).code, 'web-not-saved');
  open();
  await site.finished(path);
  assert.match(await site.text(path), /NOT COMPLETED[\s\S]*cannot save checks/);
  // Read-only pages are not affected.
  assert.equal((await site.ask('/')).status, 200);
  store.execute('PRAGMA query_only = OFF');
  await site.checked('other.com', '198.51.100.10');
});

test('pages take turns: between two of them the event loop runs', async (t) => {
  const site = await TestPages.open(t);
  const path = await site.checked('example.com');
  const order: string[] = [];
  const turn = (n: number): void => {
    order.push('turn');
    if (n > 0) setImmediate(() => turn(n - 1));
  };
  setImmediate(() => turn(30));
  const pages = Array.from({ length: 20 }, async (_, n) => {
    await site.ask(n % 2 === 0 ? path : '/');
    order.push('page');
  });
  await Promise.all(pages);
  const together = order.join(' ').match(/page page page/g) ?? [];
  assert.deepEqual(together, [], order.join());
});
