import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Name } from '../base/index.js';
import { RRType, type Resolver } from '../dns/index.js';
import { nodeNetwork } from '../net/index.js';
import { createCa, issue, selfSigned } from '../pki/index.js';
import { parsePem, trustStore } from '../x509/index.js';
import { fetchPolicy, visitPolicyHost, type PolicyHostReply } from './index.js';

const root = createCa({ name: 'Root' });
const parsed = parsePem(root.certPem);
assert.ok(parsed.ok);
const anchors = trustStore(parsed.value);
const good = issue(root, { names: ['mta-sts.good.example'] });
const policy = 'version: STSv1\r\nmode: enforce\r\nmx: mx.good.example\r\nmax_age: 86400\r\n';

const open: Server[] = [];
after(() => {
  for (const server of open) server.close();
});

/**
 * Sends the same answer to every request, and records the names in SNI and the received
 * lines.
 */
async function host(
  head: string,
  body = policy,
  identity = good,
  length = `Content-Length: ${Buffer.byteLength(body)}\r\n`,
  bareFin = false,
) {
  const names: unknown[] = [];
  const requests: string[] = [];
  const server = createServer(
    { key: identity.keyPem, cert: identity.chainPem },
    (socket: TLSSocket & { servername?: unknown }) => {
      names.push(socket.servername);
      socket.on('error', () => undefined);
      socket.once('data', (data: Buffer) => {
        requests.push(data.toString('latin1').split('\r\n')[0] ?? '');
        const answer = `HTTP/1.1 ${head}\r\n${length}\r\n${body}`;
        if (!bareFin) socket.end(answer);
        else socket.write(answer, () => (socket as unknown as { _parent: Socket })._parent.end());
      });
    },
  );
  server.on('tlsClientError', () => undefined);
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, names, requests };
}

/** Resolves the policy host's address only. */
const resolver: Resolver = {
  ask: (name, type) => {
    const known = type === RRType.A && name.toString() === 'mta-sts.good.example';
    return Promise.resolve({
      question: { name, type },
      status: known ? 'found' : 'nodata',
      dnssec: 'insecure',
      records: known ? [{ name, type, class: 1, ttl: 60, rdata: Uint8Array.of(127, 0, 0, 1) }] : [],
      canonicalName: name,
      aliases: [],
      ttl: 60,
    });
  },
  health: () => ({ upstreams: [] }),
};

async function outcome(port: number, domain = 'good.example'): Promise<string> {
  const fetched = await fetchPolicy({
    network: nodeNetwork(),
    resolver,
    domain: Name.of(domain),
    anchors,
    validationTime: Date.now(),
    port,
    timeoutMs: 5000,
  });
  return fetched.ok
    ? `${fetched.value.policy.mode} ${fetched.value.policy.mx.join()}`
    : fetched.failure.code;
}

// [8461-3.2-1, 8461-7.1-1]
test('RFC 8461 §3.3: GET of the well-known path at the policy host, with SNI', async () => {
  const { port, names, requests } = await host('200 OK\r\nContent-Type: text/plain');
  assert.equal(await outcome(port), 'enforce mx.good.example');
  assert.deepEqual(
    [names, requests],
    [['mta-sts.good.example'], ['GET /.well-known/mta-sts.txt HTTP/1.1']],
  );
});

test('RFC 8461 §3.2 [8461-3.2-2]: text/plain with any parameter, and no other type', async () => {
  for (const type of [
    'text/plain; charset=utf-8',
    'Text/Plain;charset=us-ascii',
    'text/plain; format=flowed',
  ])
    assert.equal(
      await outcome((await host(`200 OK\r\nContent-Type: ${type}`)).port),
      'enforce mx.good.example',
      type,
    );
  for (const type of ['text/html', 'application/octet-stream', 'text/plaintext'])
    assert.equal(
      await outcome((await host(`200 OK\r\nContent-Type: ${type}`)).port),
      'sts-policy-wrong-type',
      type,
    );
  assert.equal(await outcome((await host('200 OK')).port), 'sts-policy-wrong-type');
});

// [8461-3.3-5, 8461-3.3-6]
test('RFC 8461 §3.3: any status but 200 gives no policy, with any body', async () => {
  for (const status of [
    '404 Not Found',
    '201 Created',
    '206 Partial Content',
    '300 Multiple Choices',
    '500 Oops',
  ])
    assert.equal(
      await outcome((await host(`${status}\r\nContent-Type: text/plain`)).port),
      'sts-policy-http-status',
      status,
    );
  const moved = await host(
    '301 Moved\r\nLocation: https://mta-sts.good.example/x\r\nContent-Type: text/plain',
  );
  assert.equal(await outcome(moved.port), 'sts-policy-redirect');
  assert.equal(moved.requests.length, 1);
});

// RFC 9110 §8.4: the request accepts no content coding.
test('an encoded body is refused with its encoding', async () => {
  const type = '200 OK\r\nContent-Type: text/plain\r\nContent-Encoding:';
  for (const coding of ['gzip', 'br', 'Deflate'])
    assert.equal(await outcome((await host(`${type} ${coding}`)).port), 'sts-policy-invalid');
  assert.equal(await outcome((await host(`${type} identity`)).port), 'enforce mx.good.example');
});

test('RFC 8461 §3.3 [8461-3.3-7]: HTTP caching is not used', async () => {
  const { port, requests } = await host(
    '200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=86400, immutable\r\nETag: "1"',
  );
  for (let i = 0; i < 2; i++) assert.equal(await outcome(port), 'enforce mx.good.example');
  assert.equal(requests.length, 2);
});

// [8461-3.3-9, 8461-3.3-1, 8461-3.3-3]
test('a policy beyond 64 KiB or behind an invalid certificate is refused', async () => {
  const large = await host(
    '200 OK\r\nContent-Type: text/plain',
    `${policy}${'x: y\r\n'.repeat(11_000)}`,
  );
  assert.equal(await outcome(large.port), 'sts-policy-invalid');
  const plain = '200 OK\r\nContent-Type: text/plain';
  for (const identity of [
    selfSigned({ names: ['mta-sts.good.example'] }),
    issue(root, { names: ['good.example'] }),
  ])
    assert.equal(
      await outcome((await host(plain, policy, identity)).port),
      'sts-policy-webpki-invalid',
    );
});

test('a policy that ends with a closure alert is complete, one with a FIN is not', async () => {
  const plain = '200 OK\r\nContent-Type: text/plain';
  const served = async (body: string, bareFin: boolean): Promise<string> =>
    outcome((await host(plain, body, good, '', bareFin)).port);
  assert.equal(await served(policy, false), 'enforce mx.good.example');
  assert.equal(await served(policy, true), 'sts-policy-unreachable');
  // A prefix of a host name is the name of another host.
  const cut = policy.slice(0, policy.indexOf('ple\r\nmax_age'));
  assert.equal(await served(`max_age: 1\r\n${cut}`, true), 'sts-policy-unreachable');
  assert.equal(await served('', true), 'sts-policy-unreachable');
});

test('a policy host without an address has no policy', async () => {
  assert.equal(await outcome(1, 'other.example'), 'sts-policy-host-missing');
});

// A date in HTTP has whole seconds.
const now = Math.trunc(Date.now() / 1000) * 1000;
const httpDate = (ms: number): string => new Date(ms).toUTCString();

async function replyOf(port: number, address = '127.0.0.1'): Promise<PolicyHostReply> {
  const { reply } = await visitPolicyHost({
    network: nodeNetwork(),
    ...{ address, port, anchors, validationTime: now, timeoutMs: 5000 },
    domain: Name.of('good.example'),
  });
  return reply;
}

test('a visit reports the reply of the address, with the time in Retry-After', async () => {
  const open = { dial: 'open', secured: true };
  const fields: readonly (readonly [string, number | undefined])[] = [
    ['120', 120_000],
    [httpDate(now + 300_000), 300_000],
    [httpDate(now - 3_600_000), 0],
    ['soon', undefined],
    ['-5', undefined],
  ];
  for (const [field, retryAfterMs] of fields) {
    const { port } = await host(`503 Busy\r\nRetry-After: ${field}`);
    assert.deepEqual(await replyOf(port), { ...open, status: 503, retryAfterMs }, field);
  }
  const { port } = await host('200 OK', policy, selfSigned({ names: ['mta-sts.good.example'] }));
  assert.deepEqual(await replyOf(port), open, 'the certificate is judged, and nothing is sent');
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port: free } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  assert.deepEqual(await replyOf(free), { dial: 'net-refused', secured: false });
});
