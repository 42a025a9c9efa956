import assert from 'node:assert/strict';
import test from 'node:test';
import { apiValidator } from '../../test/support/api-validator.js';
import { mailZone, TestPages, zoneResolver } from '../../test/support/testing-pages.js';

test('answers of the API agree with its OpenAPI document', async (t) => {
  const resolver = zoneResolver(mailZone('example.com', ['11.0.0.1']));
  const site = await TestPages.open(t, {}, { resolver });
  const isValid = await apiValidator(site);
  const create = 'post /api/v1/checks';
  const read = 'get /api/v1/checks/{id}';
  const started = await site.post('/api/v1/checks', { domain: 'example.com' });
  assert.equal(started.status, 202);
  const path = started.headers.get('location') ?? '';
  assert.ok(await isValid(create, started));
  const id = path.split('/').at(-1) ?? '';
  await site.finished(`/check/${id}`);
  const done = await site.ask(path);
  const body = (await done.json()) as { state: string; result: { domain: string } };
  assert.equal(body.state, 'done');
  assert.equal(body.result.domain, 'example.com');
  assert.ok(await isValid(read, done, body));
  // The validator refuses each of these changes, which proves that it can fail.
  for (const change of [
    { state: 'finished' },
    { askedAt: 'today' },
    { id: 'short' },
    { more: 1 },
    { result: { ...body.result, verdict: 'fine' } },
  ])
    assert.ok(!(await isValid(read, done, { ...body, ...change })), JSON.stringify(change));
  const again = await site.post('/api/v1/checks', { domain: 'EXAMPLE.com.' }, '198.51.100.9');
  assert.equal(again.status, 200);
  assert.ok(await isValid(create, again));
  for (const [status, sent] of [
    [400, { domain: 1 }],
    [400, { domain: 'example.com', extra: true }],
    [400, { domain: 'example.com', maxAgeSeconds: -1 }],
    [422, { domain: 'no domain' }],
    [429, { domain: 'example.com', again: id }],
  ] as const) {
    const response = await site.post('/api/v1/checks', sent, '198.51.100.10');
    assert.equal(response.status, status);
    assert.ok(await isValid(create, response), JSON.stringify(sent));
  }
  const unknown = await site.ask('/api/v1/checks/0000000000000000000000');
  assert.equal(unknown.status, 404);
  assert.ok(await isValid(read, unknown));
  const profile = await site.ask(`${path}?profile=nothing`);
  assert.equal(profile.status, 400);
  assert.ok(await isValid(read, profile));
  const evidence = await site.ask(`${path}/evidence`);
  assert.equal(((await evidence.json()) as { schema: string }).schema, 'hermetic.evidence/1');
});

test('each event of a check arrives once, also after a lost connection', async (t) => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const resolver = zoneResolver(mailZone('example.com', ['11.0.0.1']), () => gate);
  const site = await TestPages.open(t, {}, { resolver });
  const started = await site.post('/api/v1/checks', { domain: 'example.com' });
  const path = started.headers.get('location') ?? '';
  const stream = await site.ask(`${path}/events`);
  assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(stream.headers.get('x-accel-buffering'), 'no');
  open();
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  let before = '';
  while (!before.includes('id: 1\n')) {
    const { done, value } = await reader.read();
    assert.ok(!done, before);
    before += Buffer.from(value).toString();
  }
  // The connection is lost, and the check ends before the client connects again.
  await reader.cancel();
  await site.finished(path.replace('/api/v1/checks', '/check'));
  const resume = async (last: string): Promise<string> =>
    (await site.ask(`${path}/events`, { headers: { 'last-event-id': last } })).text();
  const after = await resume('1');
  const kindsOf = (text: string): readonly string[] =>
    [...text.matchAll(/"kind":"([a-z-]+)"/g)].map(([, kind = '']) => kind);
  const kinds = ['address', 'host', 'mta-sts', 'route', 'tls-rpt', 'visit'];
  assert.deepEqual(kindsOf(before + after).toSorted(), kinds);
  assert.match(after, /event: done\ndata: \{"id":"[0-9A-Za-z]{22}","state":"done"/);
  assert.equal(kindsOf(await resume('6')).length, 0, 'all events were received before');
  // Events with larger numbers came from an earlier process, which also ran the check.
  assert.deepEqual(kindsOf(await resume('7')).toSorted(), kinds);
});

test('a stream ends with its client, and with the pages', async (t) => {
  const resolver = zoneResolver([], () => new Promise(() => undefined));
  const site = await TestPages.open(t, {}, { resolver });
  const path = (await site.submit('example.com')).headers.get('location') ?? '';
  const left = await site.ask(`${path}/events`);
  const reader = (left.body as ReadableStream<Uint8Array>).getReader();
  assert.match(Buffer.from((await reader.read()).value ?? []).toString(), /^retry: 3000/);
  assert.match(Buffer.from((await reader.read()).value ?? []).toString(), /^event: progress/);
  await reader.cancel();
  const stayed = await site.ask(`${path}/events`);
  site.pages.stop();
  // The stream must end, otherwise the test hangs.
  assert.match(await stayed.text(), /^retry: 3000/);
});

test('a body that is not JSON is refused with 400 and is not logged', async (t) => {
  const site = await TestPages.open(t);
  const bodies = ['{', '['.repeat(60_000), '\0', 'domain=example.com', '"\\u', ''];
  for (const body of bodies)
    for (const type of ['application/json', 'application/json; charset=utf-16']) {
      const headers = { 'content-type': type };
      const response = await site.ask('/api/v1/checks', { method: 'POST', headers, body });
      assert.equal(response.status, 400, body.slice(0, 10));
      assert.equal(((await response.json()) as { code: string }).code, 'web-request-invalid');
    }
  assert.deepEqual(site.logged, []);
});
