import assert from 'node:assert/strict';
import test from 'node:test';
import { policyHandler, servesPolicy } from './policy-handler.js';

const peer = { address: '192.0.2.1', port: 4000 };
const body = 'version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 86400\r\n';
const handle = policyHandler({
  bodyOf: (domain) => (domain === 'example.com' ? body : undefined),
});
const ask = (url: string, method = 'GET'): Response => handle(new Request(url, { method }), peer);

test('the policy is served as text/plain with status 200, with any query [8461-3.2-12]', async () => {
  const response = ask('https://mta-sts.example.com/.well-known/mta-sts.txt?x=1');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
  assert.equal(await response.text(), body);
});

// [8461-3.3-15]
test('daily senders and a thousand simultaneous senders all get an answer', () => {
  const statuses = Array.from(
    { length: 1000 },
    () => ask('https://mta-sts.example.com/.well-known/mta-sts.txt').status,
  );
  assert.deepEqual([...new Set(statuses)], [200]);
});

test('another host, path or method is refused, and nothing redirects', () => {
  const status = (url: string, method?: string): number => ask(url, method).status;
  assert.equal(status('https://mta-sts.example.net/.well-known/mta-sts.txt'), 404);
  assert.equal(status('https://example.com/.well-known/mta-sts.txt'), 404);
  assert.equal(status('https://mta-sts.example.com/'), 404);
  assert.equal(status('https://mta-sts.example.com/.well-known/mta-sts.txt/'), 404);
  assert.equal(status('https://mta-sts.example.com/.well-known/mta-sts.txt', 'POST'), 405);
});

test('the handler serves only the policies of policy hosts', () => {
  assert.equal(servesPolicy('mta-sts.example.com', '/.well-known/mta-sts.txt'), true);
  assert.equal(servesPolicy('mta-sts.example.com', '/reports'), false);
  assert.equal(servesPolicy('reports.example.com', '/.well-known/mta-sts.txt'), false);
  assert.equal(servesPolicy('mta-sts.', '/.well-known/mta-sts.txt'), false);
});
