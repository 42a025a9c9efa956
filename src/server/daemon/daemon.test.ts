import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, afterEach, before } from 'node:test';
import type { HermeticError } from '../../base/index.js';
import { createCa, issue } from '../../pki/index.js';
import { parseConfig, type Config } from '../config/config.js';
import type { ListenAddress } from '../listen-address.js';
import { startDaemon, type Daemon } from './daemon.js';
import { listenStream, type StreamSettings } from '../listeners/stream-listener.js';
import { listenWeb } from '../listeners/web-listener.js';
import { createLog, type Log } from '../log.js';
import { loadCertificate, readSecret } from '../secrets.js';
import type { SharedPortSite } from '../service.js';
import { waitUntil } from '../../../test/support/wait-until.js';

let folder: string;
let daemon: Daemon | undefined;
let said = '';
const log: Log = createLog({ format: 'plain', write: (line) => (said += line), now: () => 0 });

before(() => (folder = mkdtempSync(join(tmpdir(), 'hermetic-'))));
after(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

function config(more: string): Config {
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.1\n');
  const parsed = parseConfig(
    `store: {file: ":memory:"}\nresolver: {addresses: ["127.0.0.1:1"]}\n${more}`,
  );
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

const postfix = (more = ''): string =>
  `postfix: {version: "3.7", listen: "127.0.0.1:0", resolver: {file: ${join(folder, 'resolv.conf')}}${more}}\n`;

function portOf(what: string): number {
  const at = daemon?.listening.find((one) => one.what === what)?.at;
  assert.ok(at && 'port' in at, what);
  return at.port;
}

/** Returns a connected client, with a function that returns the data received so far. */
async function client(
  at: ListenAddress,
): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> {
  const socket = connect('path' in at ? { path: at.path } : { host: at.address, port: at.port });
  let received = '';
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) =>
    socket.once('connect', () => resolve()).once('close', () => resolve()),
  );
  return { socket, received: () => received, closed };
}

/**
 * Returns many clients, connected in groups. A group is smaller than the queue of the
 * listening socket, because a connection beyond the queue would wait without an error.
 */
async function clients(
  at: ListenAddress,
  count: number,
): Promise<Awaited<ReturnType<typeof client>>[]> {
  const all = [];
  while (all.length < count)
    all.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(100, count - all.length) }, () => client(at)),
      )),
    );
  return all;
}

async function soon(holds: () => boolean, what: string): Promise<void> {
  await waitUntil(what, holds);
}

const negative = '9:NOTFOUND ,';
const ask = '21:hermetic .example.com,';

test('the daemon answers Postfix, shows metrics and warns that DANE is not answered', async () => {
  daemon = await startDaemon(config(`${postfix()}metrics: {listen: "127.0.0.1:0"}\n`), log);
  const { socket, received } = await client({ address: '127.0.0.1', port: portOf('postfix') });
  socket.write(ask);
  await soon(() => received() === negative, 'an answer');
  const base = `http://127.0.0.1:${portOf('metrics')}`;
  const metrics = await (await fetch(`${base}/metrics`)).text();
  assert.match(metrics, /^hermetic_connections_open\{port="postfix"\} 1$/m);
  assert.match(metrics, /^hermetic_postfix_resolver_validates 0$/m);
  assert.equal((await fetch(`${base}/health`)).status, 200);
  for (const path of ['/health', '/ready', '/metrics']) {
    const refused = await fetch(`${base}${path}`, { method: 'DELETE' });
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD']);
  }
  assert.equal((await fetch(`${base}/else`)).status, 404);
  assert.match(said, /postfix-resolver-does-not-validate/);
  socket.destroy();
});

test('a reload keeps the port and reconnects clients; a broken one changes nothing', async () => {
  daemon = await startDaemon(config(postfix()), log);
  const at = { address: '127.0.0.1', port: portOf('postfix') };
  const before = await client(at);
  await daemon.reload(config(postfix(', map: other')));
  assert.equal(portOf('postfix'), at.port);
  await before.closed;
  const second = await client(at);
  second.socket.write(`18:other .example.com,`);
  await soon(() => second.received() === negative, 'the new map answers');

  await assert.rejects(
    daemon.reload(config(`${postfix()}metrics: {listen: "192.0.2.1:1"}\n`)),
    (error: HermeticError) => error.code === 'listen-failed',
  );
  second.socket.write(`18:other .example.com,`);
  await soon(
    () => second.received() === negative + negative,
    'the configuration from before is in force',
  );
  await daemon.reload(config('metrics: {listen: "127.0.0.1:0"}\n'));
  assert.deepEqual(
    daemon.listening.map((l) => l.what),
    ['metrics'],
  );
});

test('an address in use is an error with a fix, and nothing keeps running', async () => {
  daemon = await startDaemon(config(postfix()), log);
  const taken = portOf('postfix');
  await assert.rejects(
    startDaemon(config(`metrics: {listen: ${taken}}\n`), log),
    (error: HermeticError) => {
      assert.match(error.message, /another program listens there/);
      return error.code === 'listen-failed' && error.fix !== undefined;
    },
  );
});

test('a UNIX socket replaces the file of a killed daemon', async () => {
  const path = join(folder, 'map');
  const limits = { connections: 10, idleMs: 60_000 };
  const settings: StreamSettings = { limits, serve: ({ stream }) => void stream.end('hello') };
  for (let i = 0; i < 2; i++) {
    const listener = await listenStream({ path }, settings);
    const { received, closed } = await client({ path });
    await closed;
    assert.equal(received(), 'hello');
    await listener.close(0);
  }
  writeFileSync(path, 'a file of somebody');
  await assert.rejects(
    listenStream({ path }, settings),
    (error: HermeticError) => error.code === 'listen-failed',
  );
});

test('thousands of idle connections do not stop a working one', async () => {
  daemon = await startDaemon(config(postfix(', connections: 1500, idleSeconds: 5')), log);
  const at = { address: '127.0.0.1', port: portOf('postfix') };
  const idle = await clients(at, 1499);
  idle.forEach(({ socket }, i) => {
    if (i % 2) socket.write('21:hermetic .exam');
  });
  const working = await client(at);
  const answered = (): number => working.received().length / negative.length;
  const busy = setInterval(() => void working.socket.write(ask), 50);
  try {
    await soon(() => answered() > 0, 'the working one is served');
    const refused = await clients(at, 500);
    await Promise.all(refused.map(({ closed }) => closed));
    assert.ok(refused.every(({ received }) => received() === ''));
    await Promise.all(idle.map(({ closed }) => closed));
    const before = answered();
    await soon(() => answered() > before, 'the working one is left alone');
  } finally {
    clearInterval(busy);
    working.socket.destroy();
  }
});

test('web: certificate by SNI, site by Host and path, bounded requests', async () => {
  const root = createCa({ name: 'Root' });
  const { keyPem, chainPem } = issue(root, { names: ['a.example', 'b.example'] });
  writeFileSync(join(folder, 'key.pem'), keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'chain.pem'), chainPem);
  const certificate = loadCertificate({
    chain: join(folder, 'chain.pem'),
    key: join(folder, 'key.pem'),
  });
  assert.ok(certificate.covers('a.example') && !certificate.covers('c.example'));
  const site = (host: string): SharedPortSite => ({
    serves: (name, path) => name === host && path !== '/other',
    handle: async (request, peer) => {
      if (request.url.endsWith('/throws')) throw new Error('secret detail');
      return new Response(
        `${host} ${request.method} ${(await request.text()).length} ${peer.address}`,
      );
    },
    maxBody: 1000,
  });
  // The port uses plain HTTP, since `fetch` does not trust the root certificate of the
  // test. The routing is the same over HTTPS.
  const listener = await listenWeb(
    { address: '127.0.0.1', port: 0 },
    { sites: [site('a.example'), site('b.example')], log, limits: { connections: 10 } },
  );
  assert.ok('port' in listener.at);
  const { port } = listener.at;
  const get = async (host: string, path: string, body = ''): Promise<string> => {
    const { socket, received, closed } = await client({ address: '127.0.0.1', port });
    const method = body ? 'POST' : 'GET';
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await closed;
    return received().replace(/\r\n[\s\S]*?\r\n\r\n/, ' ');
  };
  assert.match(await get('a.example', '/x'), /^HTTP\/1\.1 200 OK .*a\.example GET 0 127\.0\.0\.1/);
  assert.match(await get('B.example:443', '/x', 'y'.repeat(1000)), /200 .*b\.example POST 1000/);
  assert.match(await get('a.example', '/x', 'y'.repeat(1001)), /413/);
  assert.match(await get('c.example', '/x'), /404/);
  assert.match(await get('a.example', '/other'), /404/);
  const failed = await get('a.example', '/throws');
  assert.match(failed, /500/);
  assert.doesNotMatch(failed, /secret/);
  await listener.close(0);
});

test('a world-readable secret and a key of another certificate are refused with a fix', () => {
  const exposed = join(folder, 'exposed');
  writeFileSync(exposed, 'x', { mode: 0o644 });
  assert.throws(
    () => readSecret(exposed),
    (error: HermeticError) => error.code === 'secret-exposed' && /chmod/.test(error.fix ?? ''),
  );
  const root = createCa({ name: 'Root' });
  const [one, two] = [issue(root, { names: ['a.example'] }), issue(root, { names: ['a.example'] })];
  writeFileSync(join(folder, 'one.pem'), one.chainPem);
  writeFileSync(join(folder, 'two.key'), two.keyPem, { mode: 0o600 });
  assert.throws(
    () => loadCertificate({ chain: join(folder, 'one.pem'), key: join(folder, 'two.key') }),
    (error: HermeticError) =>
      error.code === 'certificate-unusable' && !/PRIVATE/.test(error.message),
  );
});

test('foreign text cannot break a log line', () => {
  for (const format of ['plain', 'json'] as const) {
    let line = '';
    createLog({ format, write: (text) => (line += text), now: () => 0 }).warn('event', {
      reply: 'a\nb\x1b[31m "c" \u202e',
      n: 1,
    });
    assert.equal(line.split('\n').length, 2);
    assert.doesNotMatch(line, /[^\n -~]/);
    if (format === 'json') assert.equal((JSON.parse(line) as { n: number }).n, 1);
  }
});
