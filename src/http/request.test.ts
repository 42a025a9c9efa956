import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { nodeNetwork } from '../net/index.js';
import { createCa, createIntermediate, issue, selfSigned, type Issued } from '../pki/index.js';
import { parsePem, trustStore } from '../x509/index.js';
import { request, type HttpRequest } from './index.js';

const day = 86_400_000;
const root = createCa({ name: 'Root' });
const host = 'mta-sts.good.example';
const good = issue(root, { names: [host] });
const parsed = parsePem(root.certPem);
assert.ok(parsed.ok);
const anchors = trustStore(parsed.value);

const open: Server[] = [];
const sockets = new Set<Socket>();
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open) server.close();
});

/** Starts a server with one fixed answer, and records the octets that it receives. */
async function serve(
  answer: string | ((socket: TLSSocket) => void),
  identity: Issued = good,
  maxVersion: SecureVersion = 'TLSv1.3',
) {
  const received: string[] = [];
  const server = createTlsServer(
    {
      key: identity.keyPem,
      cert: identity.chainPem,
      ciphers: 'DEFAULT:@SECLEVEL=0',
      maxVersion,
    },
    (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        received.push(data.toString('latin1'));
        if (received.length > 1) return;
        if (typeof answer === 'function') answer(socket);
        else socket.end(answer);
      });
    },
  );
  server.on('tlsClientError', () => undefined);
  return { port: await listen(server), received };
}

async function listen(server: Server): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.add(socket));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const get = (port: number, options: Partial<HttpRequest> = {}) =>
  request({
    network: nodeNetwork(),
    addresses: ['127.0.0.1'],
    port,
    host,
    path: '/.well-known/mta-sts.txt',
    anchors,
    validationTime: Date.now(),
    timeoutMs: 5000,
    ...options,
  });

async function outcome(port: number, options: Partial<HttpRequest> = {}): Promise<string> {
  const got = await get(port, options);
  return got.ok
    ? `${got.value.status} ${Buffer.from(got.value.body).toString()}`
    : got.failure.code;
}

test('a response has status, headers and body; the request asks for no encoding', async () => {
  const { port, received } = await serve(
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nhello',
  );
  const got = await get(port);
  assert.ok(got.ok);
  assert.deepEqual(
    [got.value.status, got.value.headers['content-type'], got.value.headers['x-a']],
    [200, 'text/plain', '1, 2'],
  );
  assert.equal(Buffer.from(got.value.body).toString(), 'hello');
  assert.equal(got.value.chainVerdict.chain, 'trusted');
  assert.match(received[0] ?? '', /^GET \/\.well-known\/mta-sts\.txt HTTP\/1\.1\r\n/);
  assert.match(received[0] ?? '', new RegExp(`host: ${host}:${port}\r\n`, 'i'));
  assert.match(received[0] ?? '', /accept-encoding: identity/i);
});

test('bodies in chunks, and bodies that end with the connection', async () => {
  assert.equal(
    await outcome(
      (
        await serve(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
        )
      ).port,
    ),
    '200 abcde',
  );
  assert.equal(await outcome((await serve('HTTP/1.0 200 OK\r\n\r\nabc')).port), '200 abc');
});

test('a body is complete only with a marked end, not at the end of the connection', async () => {
  const whole = async (answer: string): Promise<boolean | undefined> => {
    const got = await get((await serve(`HTTP/1.1 200 OK\r\n${answer}`)).port);
    return got.ok ? got.value.whole : undefined;
  };
  assert.equal(await whole('Content-Length: 3\r\n\r\nabc'), true);
  assert.equal(await whole('Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'), true);
});

/** Ends the transport below TLS, without a closure alert. */
const cut = (socket: TLSSocket, answer: string): void => {
  const below = (socket as unknown as { _parent: Socket })._parent;
  socket.write(answer, () => below.end());
};

// [9112-9.8-1]
test('a body until the end of the connection needs a closure alert, not a FIN', async () => {
  const whole = async (answer: string, bare: boolean, version?: SecureVersion): Promise<string> => {
    const text = `HTTP/1.1 ${answer}`;
    const { port } = await serve(bare ? (socket) => cut(socket, text) : text, good, version);
    const got = await get(port);
    return got.ok
      ? `${got.value.whole} ${Buffer.from(got.value.body).toString()}`
      : got.failure.code;
  };
  assert.equal(await whole('200 OK\r\n\r\nabc', false), 'true abc');
  assert.equal(await whole('200 OK\r\n\r\nabc', true), 'false abc');
  assert.equal(await whole('200 OK\r\n\r\nabc', false, 'TLSv1.2'), 'true abc');
  assert.equal(await whole('200 OK\r\n\r\nabc', true, 'TLSv1.2'), 'false abc');
  assert.equal(await whole('200 OK\r\n\r\n', false), 'true ');
  assert.equal(await whole('200 OK\r\n\r\n', true), 'false ');
  assert.equal(await whole('200 OK\r\nContent-Length: 3\r\n\r\nabc', true), 'true abc');
  assert.equal(await whole('200 OK\r\nContent-Length: 4\r\n\r\nabc', false), 'http-closed');
  const chunks = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
  assert.equal(await whole(`200 OK\r\n${chunks}0\r\n\r\n`, true), 'true abc');
  assert.equal(await whole(`200 OK\r\n${chunks}`, false), 'http-closed');
  const other = 'Transfer-Encoding: gzip\r\n\r\nabc';
  assert.equal(await whole(`200 OK\r\n${other}`, true), 'false abc');
  assert.equal(await whole(`200 OK\r\n${other}`, false), 'true abc');
  assert.equal(await whole('304 Not Modified\r\n\r\n', true), 'true ');
  const long = 'x'.repeat(60_000);
  assert.equal(await whole(`200 OK\r\n\r\n${long}`, false), `true ${long}`);
  assert.equal(await whole(`200 OK\r\n\r\n${long}`, true), `false ${long}`);
});

test('RFC 8461 §3.3 [8461-3.3-6]: a redirect is an answer, never followed', async () => {
  const { port, received } = await serve(
    'HTTP/1.1 302 Found\r\nLocation: https://mta-sts.good.example/other\r\nContent-Length: 0\r\n\r\n',
  );
  assert.equal(await outcome(port), '302 ');
  assert.equal(received.length, 1);
});

test('[8461-3.3-1, 8461-3.3-3] a bad certificate is a failure, and nothing was sent', async () => {
  const untrusted = 'http-certificate-untrusted';
  const clientOnly = issue(root, { names: [host], extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] });
  const bad: readonly (readonly [Issued, code: string, says: RegExp])[] = [
    [selfSigned({ names: [host] }), untrusted, /self-signed/],
    [issue(createCa({ name: 'Other' }), { names: [host] }), untrusted, /issued by CN=Other/],
    [
      { ...good, ...missingIntermediate() },
      untrusted,
      /issued by CN=Middle, which the server did not send/,
    ],
    [issue(root, { names: [host], hash: 'sha1' }), untrusted, /ecdsa-with-SHA1/],
    [clientOnly, untrusted, /extendedKeyUsage is clientAuth/],
    [
      issue(root, { names: [host], notAfter: Date.now() - day / 2 }),
      'http-certificate-expired',
      /expired/,
    ],
    [issue(root, { names: ['a.example'] }), 'http-certificate-name', /^it names a\.example$/],
    [issue(root, { commonName: host }), 'http-certificate-name', /no DNS name in subjectAltName/],
  ];
  for (const [identity, code, says] of bad) {
    const { port, received } = await serve(
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      identity,
    );
    const got = await get(port);
    assert.equal(got.ok || got.failure.code, code);
    assert.match(got.ok ? '' : got.failure.detail, says);
    assert.deepEqual(received, []);
  }
});

function missingIntermediate(): Pick<Issued, 'keyPem' | 'chainPem'> {
  const leaf = issue(createIntermediate(root, { name: 'Middle' }), { names: [host] });
  return { keyPem: leaf.keyPem, chainPem: leaf.certPem };
}

test('limits [8461-3.3-9]: body, header, time', async () => {
  const large = await serve(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2000)}`);
  assert.equal(await outcome(large.port, { maxBytes: 1999 }), 'http-too-large');
  assert.equal(
    await outcome((await serve(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`)).port),
    'http-too-large',
  );
  const endless = await serve((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const drip = setInterval(() => socket.write('1\r\nx\r\n'), 20);
    socket.on('close', () => clearInterval(drip));
  });
  assert.equal(await outcome(endless.port, { timeoutMs: 400 }), 'http-timeout');
  assert.equal(
    await outcome((await serve(() => undefined)).port, { timeoutMs: 400 }),
    'http-timeout',
  );
});

test('truncated body, garbage and an unrequested upgrade are failures', async () => {
  assert.equal(
    await outcome((await serve('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')).port),
    'http-closed',
  );
  assert.equal(await outcome((await serve((socket) => socket.end())).port), 'http-closed');
  assert.equal(await outcome((await serve('220 mx.example ESMTP\r\n')).port), 'http-malformed');
  assert.equal(
    await outcome(
      (await serve('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab')).port,
    ),
    'http-malformed',
  );
  assert.equal(
    await outcome(
      (await serve('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'))
        .port,
    ),
    'http-malformed',
  );
});

test('the number of interim responses is bounded', async () => {
  const early = await serve(
    `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(8)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  );
  assert.equal(await outcome(early.port), '200 ok');
  const endless = await serve((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(9)));
  assert.equal(await outcome(endless.port), 'http-malformed');
});

test('addresses are tried in turn; none that answers is a failure with the reason', async () => {
  const { port } = await serve('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal(await outcome(port, { addresses: ['127.0.0.9', '127.0.0.1'] }), '200 ok');
  assert.equal(await outcome(port, { addresses: ['127.0.0.9'] }), 'http-unreachable');
  assert.equal(await outcome(port, { addresses: [] }), 'http-unreachable');
  assert.equal(
    await outcome(await listen(createServer((socket) => socket.end('220 hello\r\n')))),
    'http-tls-failed',
  );
});

test('an abort rejects with its reason', async () => {
  const { port } = await serve(() => undefined);
  const abort = new AbortController();
  const reason = new Error('enough');
  const running = get(port, { signal: abort.signal });
  setTimeout(() => abort.abort(reason), 50);
  await assert.rejects(running, (error) => error === reason);
});
