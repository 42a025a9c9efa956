import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { nodeNetwork, type Connection } from '../net/index.js';
import { createCa, createIntermediate, generateKey, issue, selfSigned } from '../pki/index.js';
import { handshake, type HandshakeRequest } from './index.js';

const network = nodeNetwork();
const open: Server[] = [];
const sockets = new Set<Socket>();
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open) server.close();
});

async function listen(server: Server): Promise<Connection> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dialled = await network.dial({
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  assert.ok(dialled.ok);
  return dialled.connection;
}

async function against(server: Server, options: Partial<HandshakeRequest> = {}) {
  const result = await handshake({
    connection: await listen(server),
    serverName: 'mx.example',
    timeoutMs: 5000,
    ...options,
  });
  if (result.ok) result.connection.close();
  return result;
}

const root = createCa({ name: 'Root' });
const middle = createIntermediate(root, { name: 'Middle' });
const mx = issue(middle, { names: ['mx.example'] });

const tlsServer = (options: TlsOptions = {}): Server => {
  const server = createTlsServer({ key: mx.keyPem, cert: mx.chainPem, ...options });
  server.on('tlsClientError', () => undefined);
  return server;
};
const rawServer = (act: (socket: Socket) => void): Server => createServer(act);

async function code(server: Server, options: Partial<HandshakeRequest> = {}): Promise<string> {
  const result = await against(server, options);
  return result.ok ? 'ok' : result.failure.code;
}

test('a handshake shows version, suite, group, SNI and chain, and carries data', async () => {
  const server = tlsServer();
  server.on('secureConnection', (socket: Socket) => socket.write('hello'));
  const result = await handshake({ connection: await listen(server), serverName: 'mx.example.' });
  assert.ok(result.ok);
  const { version, suite, group, serverName, chain } = result.facts;
  assert.deepEqual([version, group, serverName], ['TLSv1.3', 'x25519', 'mx.example']);
  assert.match(suite, /^TLS_(AES_\d+_GCM_SHA\d+|CHACHA20_POLY1305_SHA256)$/);
  assert.deepEqual(chain.map(Buffer.from), mx.chain.map(Buffer.from));
  const data = await new Promise<Buffer>((resolve) =>
    result.connection.stream.once('data', resolve),
  );
  assert.equal(data.toString(), 'hello');
  assert.equal(result.connection.remote.address, '127.0.0.1');
  result.connection.close();
});

test('the chain contains everything that was sent, in order', async () => {
  const junk = createCa({ name: 'Unrelated' });
  for (const sent of [
    [mx, junk, middle],
    [mx, middle, root],
    [mx, middle, middle],
    [mx],
    [selfSigned({ names: ['mx.example'], key: mx.key })],
  ]) {
    const result = await against(tlsServer({ cert: sent.map((c) => c.certPem).join('') }));
    assert.ok(result.ok);
    assert.deepEqual(
      result.facts.chain.map(Buffer.from),
      sent.map((c) => Buffer.from(c.der)),
    );
  }
});

// [7672-8.2-1]
test('old servers are examined: TLS 1.0, 1.1, static RSA, a 1024-bit key, SHA-1', async () => {
  const old = selfSigned({ names: ['mx.example'], key: generateKey('rsa-1024'), hash: 'sha1' });
  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const) {
    const result = await against(
      tlsServer({
        key: old.keyPem,
        cert: old.certPem,
        minVersion: version,
        maxVersion: version,
        ciphers: 'AES128-SHA:@SECLEVEL=0',
      }),
    );
    assert.ok(result.ok, result.ok ? '' : result.failure.detail);
    assert.deepEqual(
      [result.facts.version, result.facts.suite, result.facts.group],
      [version, 'TLS_RSA_WITH_AES_128_CBC_SHA', undefined],
    );
  }
});

test('groups have IANA names, also before TLS 1.3', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const result = await against(tlsServer({ ecdhCurve: 'P-256', maxVersion }));
    assert.equal(result.ok && result.facts.group, 'secp256r1');
  }
});

test('SNI and ALPN reach the server [8461-7.1-2, 7671-3-1]', async () => {
  let received: string | undefined;
  const server = tlsServer({
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, done) => ((received = name), done(null)),
  });
  const result = await against(server, { alpn: ['http/1.1'] });
  assert.equal(result.ok && result.facts.alpn, 'http/1.1');
  assert.equal(received, 'mx.example');
});

test('an alert has a code with its number', async () => {
  assert.equal(
    await code(tlsServer({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })),
    'tls-alert-40',
  );
  assert.equal(
    await code(
      rawServer((socket) =>
        socket.once('data', () => socket.write(Buffer.from('15030300020270', 'hex'))),
      ),
    ),
    'tls-alert-112',
  );
  assert.equal(
    await code(
      rawServer((socket) =>
        socket.once('data', () => socket.write(Buffer.from('1503030002026f', 'hex'))),
      ),
    ),
    'tls-alert-other',
  );
  assert.equal(
    await code(tlsServer({ maxVersion: 'TLSv1.2' }), { minVersion: 'TLSv1.3' }),
    'tls-alert-70',
  );
});

test('plaintext, a closed connection and silence have separate codes', async () => {
  assert.equal(
    await code(rawServer((socket) => socket.write('220 mx.example ESMTP\r\n'))),
    'tls-garbage',
  );
  assert.equal(
    await code(rawServer((socket) => socket.once('data', () => socket.end()))),
    'tls-closed',
  );
  assert.equal(
    await code(rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()))),
    'tls-closed',
  );
  assert.equal(
    await code(
      rawServer(() => undefined),
      { timeoutMs: 100 },
    ),
    'tls-timeout',
  );
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`${maxVersion}: a cut after the ServerHello differs from a cut at the hello`, async () => {
    const behind = (await listen(tlsServer({ maxVersion }))).remote.port;
    const cutting = (octets: number) =>
      rawServer((socket) => {
        const server = connect(behind, '127.0.0.1', () => socket.pipe(server));
        server.on('error', () => undefined);
        server.on('data', (bytes: Buffer) => {
          socket.write(bytes.subarray(0, octets));
          socket.end();
          server.destroy();
        });
      });
    assert.equal(await code(cutting(0)), 'tls-closed');
    assert.equal(await code(cutting(200)), 'tls-cut');
  });

test('a server that chooses SSL 3.0 shares no version', async () => {
  const hello = Buffer.concat([
    Buffer.from('160300002a', 'hex'),
    Buffer.from('02000026', 'hex'),
    Buffer.from('0300', 'hex'),
    Buffer.alloc(32),
    Buffer.from('00002f00', 'hex'),
  ]);
  assert.equal(
    await code(rawServer((socket) => socket.once('data', () => socket.write(hello)))),
    'tls-no-shared-version',
  );
});

test('an abort rejects with its reason and closes the connection', async () => {
  const reason = new Error('enough');
  const abort = new AbortController();
  const connection = await listen(rawServer(() => undefined));
  const running = handshake({ connection, serverName: 'mx.example', signal: abort.signal });
  abort.abort(reason);
  await assert.rejects(running, (error) => error === reason);
  assert.ok(connection.stream.destroyed);
  await assert.rejects(
    handshake({ connection, serverName: 'mx.example', signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
});
