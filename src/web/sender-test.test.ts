import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { SlotTable, type Observation, type Slot } from '../sender/index.js';
import { senderTestSection } from '../sender/settings.js';
import { openStore } from '../store/index.js';
import { movedClock, TestPages } from '../../test/support/testing-pages.js';

const section = {
  zone: 'sender.example',
  nameServers: { 'ns.sender.example': ['192.0.2.53'] },
  mailAddresses: ['192.0.2.25'],
  policyAddresses: ['192.0.2.80'],
};

interface Opened {
  readonly site: TestPages;
  readonly table: SlotTable;
  readonly clock: ReturnType<typeof movedClock>;
  /** Starts a test and returns the path of its page. */
  start(from?: string): Promise<string>;
  slotAt(path: string): Slot;
}

async function opened(t: TestContext, more: object = {}): Promise<Opened> {
  const store = await openStore(':memory:');
  const clock = movedClock();
  const senderTest = senderTestSection.parse({ ...section, ...more });
  const site = await TestPages.open(t, {}, { store, clock, senderTest });
  const table = new SlotTable(store);
  return {
    site,
    table,
    clock,
    async start(from = '198.51.100.7') {
      const response = await site.ask('/sender', { method: 'POST', from });
      assert.equal(response.status, 303);
      return response.headers.get('location') ?? '';
    },
    slotAt(path) {
      const slot = table.byId(path.replace('/sender/', ''));
      assert.ok(slot);
      return slot;
    },
  };
}

/** Returns the observations of a message for a case that arrived under TLS. */
function delivery({ slot }: Slot, caseId: string, at: number): readonly Observation[] {
  const common = { at: new Date(at).toISOString(), case: caseId, slot };
  const on = { ...common, source: '203.0.113.7', connection: `c-${caseId}` };
  return [
    { kind: 'connection', ...on, to: '192.0.2.25' },
    { kind: 'ehlo', ...on, secured: false, verb: 'EHLO', name: 'mail.example', reply: 250 },
    { kind: 'starttls', ...on, reply: 220 },
    { kind: 'handshake', ...on, version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256' },
    { kind: 'mail', ...on, secured: true, fromDomain: 'mail.example', parameters: [], reply: 250 },
    { kind: 'rcpt', ...on, secured: true, domain: `${caseId}.example`, reply: 250 },
    { kind: 'data', ...on, secured: true, octets: 100, reply: 250 },
    { kind: 'close', ...on, by: 'quit' },
  ];
}

test('a test shows its addresses, links and commands, without scripts', async (t) => {
  const { site, start, slotAt } = await opened(t);
  assert.match(await site.text('/sender'), /method="post" action="\/sender">/);
  const path = await start();
  assert.match(path, /^\/sender\/[0-9A-Za-z]{22}$/);
  const response = await site.ask(path);
  assert.equal(response.headers.get('x-robots-tag'), 'noindex');
  const page = await response.text();
  const { slot } = slotAt(path);
  assert.match(page, new RegExp(`test@dane-mismatch\\.${slot}\\.sender\\.example`));
  assert.match(page, new RegExp(`mailto:\\?bcc=test%40[^"]*plain\\.${slot}\\.sender\\.example`));
  assert.match(page, /swaks --server/);
  assert.match(page, /<noscript><meta http-equiv="refresh" content="5"/);
  assert.doesNotMatch(page, /<script(?![^>]* src=)| style=| on[a-z]+=/);
  assert.match(page, /href="\/sender"[^>]*aria-current="page"/);
});

test('cases unavailable in the installation are shown with the reason', async (t) => {
  const { site, start } = await opened(t);
  const page = await site.text(await start());
  assert.match(
    page,
    /<b>sts<\/b>[^<]*Not tested: this installation has no certificates of a public CA/,
  );
  assert.match(page, /<b>v6<\/b>[^<]*Not tested: this installation has no IPv6 network/);
  assert.match(page, /fewer addresses than cases/);
  const acme = { directory: 'https://ca.example/dir', agreed: true };
  const complete = await opened(t, { acme, mailNetwork: '2001:db8:25::/64' });
  const whole = await complete.site.text(await complete.start());
  assert.doesNotMatch(whole, /Not tested here|fewer addresses/);
  assert.match(whole, /test@sts-self-signed\./);
});

test('results appear on the page, in the stream and in the download', async (t) => {
  const { site, table, clock, start, slotAt } = await opened(t);
  const path = await start();
  const slot = slotAt(path);
  const now = clock.now();
  await table.markReady(slot.slot, now);
  assert.match(await site.text(path), /not started/);
  await table.add(slot.slot, delivery(slot, 'plain', now));
  clock.move(120_000);
  assert.match(await site.text(path), /delivered under TLS/);
  const stream = await site.ask(`${path}/events`);
  assert.match(stream.headers.get('content-type') ?? '', /event-stream/);
  let text = '';
  for await (const octets of stream.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(octets).toString();
    if (text.includes('event: progress')) break;
  }
  assert.match(text, /delivered under TLS/);
  const result = (await (await site.ask(`${path}/result.json`)).json()) as {
    schema: string;
    cases: { case: string; verdict: string }[];
  };
  assert.equal(result.schema, 'hermetic.sender/1');
  assert.equal(result.cases.find((one) => one.case === 'plain')?.verdict, 'delivered-unverified');
});

test('announced mails without a result are never counted as refused', async (t) => {
  const { site, clock, start, table, slotAt } = await opened(t);
  const path = await start();
  await table.markReady(slotAt(path).slot, clock.now());
  const body = new URLSearchParams({ set: 'quick' });
  assert.equal((await site.ask(`${path}/sent`, { method: 'POST', body })).status, 303);
  clock.move(3_600_000);
  const page = await site.text(path);
  assert.match(page, /not seen/);
  assert.match(page, /not started/);
  assert.doesNotMatch(page, />refused/);
});

test('the policy is withdrawn by a button of this site only', async (t) => {
  const acme = { directory: 'https://ca.example/dir', agreed: true };
  const { site, start, table, slotAt } = await opened(t, { acme });
  const path = await start();
  const foreign = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } };
  assert.equal((await site.ask(`${path}/withdraw`, foreign)).status, 403);
  assert.equal(slotAt(path).withdrawnAt, undefined);
  assert.equal((await site.ask('/sender', foreign)).status, 403);
  assert.equal((await site.ask(`${path}/withdraw`, { method: 'POST' })).status, 303);
  await site.ask(`${path}/withdraw`, { method: 'POST' });
  const { slot, withdrawnAt } = slotAt(path);
  assert.notEqual(withdrawnAt, undefined);
  assert.deepEqual(
    table.observations(slot).map(({ kind }) => kind),
    ['withdrawn'],
  );
  assert.match(await site.text(path), /is withdrawn\. Write a second mail/);
});

test('slots are limited by client, and by installation', async (t) => {
  const { site, start, clock } = await opened(t, { slots: 3, perClient: 2 });
  await start();
  const path = await start();
  const third = await site.ask('/sender', { method: 'POST' });
  assert.deepEqual([third.status, third.headers.get('retry-after')], [429, String(72 * 3600)]);
  await start('192.0.2.1');
  const full = await site.ask('/sender', { method: 'POST', from: '192.0.2.2' });
  assert.equal(full.status, 503);
  clock.move(73 * 3_600_000);
  const ended = await site.text(path);
  assert.match(ended, /ENDED/);
  assert.doesNotMatch(ended, /mailto:|http-equiv="refresh"/);
  await start();
});

test('the API starts a test and returns its result', async (t) => {
  const { site, start } = await opened(t);
  const created = await site.ask('/api/v1/sender-tests', { method: 'POST' });
  assert.equal(created.status, 201);
  const location = created.headers.get('location') ?? '';
  const document = (await (await site.ask(location)).json()) as {
    state: string;
    addresses: { case: string; address: string; quick: boolean }[];
    closed: { case: string; lacks: string }[];
    result: { schema: string };
    url: string;
  };
  assert.equal(document.state, 'preparing');
  assert.equal(document.result.schema, 'hermetic.sender/1');
  assert.ok(document.addresses.some((one) => one.case === 'dane' && one.quick));
  assert.ok(document.closed.some((one) => one.case === 'sts' && one.lacks === 'public-ca'));
  assert.equal((await site.ask(document.url)).status, 200);
  await start();
  const limited = await site.ask('/api/v1/sender-tests', { method: 'POST' });
  assert.equal(limited.status, 429);
  assert.equal(((await limited.json()) as { code: string }).code, 'sender-client-limit');
});

test('unknown tests and pages without the section are 404', async (t) => {
  const { site } = await opened(t);
  for (const path of ['/sender/unknown', '/sender/unknown/events', '/api/v1/sender-tests/unknown'])
    assert.equal((await site.ask(path)).status, 404, path);
  const without = await TestPages.open(t);
  for (const path of ['/sender', '/sender/unknown', '/api/v1/sender-tests/unknown'])
    assert.equal((await without.ask(path)).status, 404, path);
  assert.doesNotMatch(await without.text('/'), /Test a sender/);
});

test('hostile EHLO names and problems are escaped', async (t) => {
  const { site, table, clock, start, slotAt } = await opened(t);
  const path = await start();
  const slot = slotAt(path);
  await table.markReady(slot.slot, clock.now(), '<script>alert(1)</script>\u202e');
  const hostile = delivery(slot, 'plain', clock.now()).map((one) =>
    one.kind === 'ehlo' ? { ...one, name: '"><script>alert(2)</script>' } : one,
  );
  await table.add(slot.slot, hostile);
  const page = await site.text(path);
  assert.doesNotMatch(page, /<script>|\u202e/);
});
