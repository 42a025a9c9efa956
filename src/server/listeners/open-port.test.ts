import assert from 'node:assert/strict';
import type { createServer } from 'node:net';
import { connect, Socket } from 'node:net';
import { EventEmitter } from 'node:events';
import test from 'node:test';
import { createLog } from '../log.js';
import { Descriptors, descriptorsNeeded, shareDescriptors } from './descriptors.js';
import { OpenedPort } from './open-port.js';
import type { Connection } from '../../net/index.js';
import { listenStream } from './stream-listener.js';

test('a source that fills a port excludes no other client', async (t) => {
  const limits = { connections: 4, idleMs: 60_000 };
  const port = await listenStream(
    { address: '127.0.0.1', port: 0 },
    { limits, serve: ({ stream }) => void stream.write('hello') },
  );
  const opened: Socket[] = [];
  t.after(async () => {
    for (const socket of opened) socket.destroy();
    await port.close(0);
  });
  const greeted = (localAddress: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: 'port' in port.at ? port.at.port : 0,
        localAddress,
      });
      opened.push(socket);
      socket.on('error', () => undefined).once('close', () => resolve(false));
      // A client may receive a greeting before the port closes its connection.
      socket.once('data', () =>
        setTimeout(() => resolve(!socket.destroyed && !socket.readableEnded), 50),
      );
    });
  const flood = await Promise.all(Array.from({ length: 8 }, () => greeted('127.0.0.2')));
  assert.equal(flood.filter(Boolean).length, 4);
  assert.equal(await greeted('127.0.0.3'), true);
  assert.equal(await greeted('127.0.0.4'), true);
  assert.equal(await greeted('127.0.0.3'), false);
  assert.deepEqual([port.open, port.refused], [4, 7]);
});

/** Milliseconds after which a port again determines its slowest connections. */
const ORDER_MS = 500;

/**
 * Returns a port with a simulated server and clock: a test can accept a connection from
 * any address at any time.
 */
function port(most: number): {
  accept(address: string, octets?: number): Socket;
  later(ms: number): void;
  /** Returns how often the port has read the octet count of a connection. */
  reads(): number;
  opened: OpenedPort;
} {
  let time = 0;
  let reads = 0;
  const server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  const opened = new OpenedPort(
    server as unknown as ReturnType<typeof createServer>,
    { address: '192.0.2.1', port: 25 },
    () => time,
  );
  opened.most = most;
  return {
    opened,
    accept(remoteAddress, bytesRead = 0) {
      const socket = Object.defineProperties(new Socket(), {
        remoteAddress: { value: remoteAddress },
        bytesRead: { get: () => (reads++, bytesRead) },
      });
      server.emit('connection', socket);
      return socket;
    },
    later: (ms) => void (time += ms),
    reads: () => reads,
  };
}

test('a full port closes the slowest connection that is ten seconds old', () => {
  const { accept, later } = port(20);
  const held = Array.from({ length: 20 }, (_, n) => accept(`10.0.${n}.1`, n === 7 ? 3 : 5000));
  later(9000);
  const early = accept('198.51.100.1');
  assert.ok(early.destroyed, 'none is old enough: the newcomer is refused');
  later(1000);
  const next = accept('198.51.100.2');
  assert.deepEqual([next.destroyed, held.findIndex((s) => s.destroyed)], [false, 7]);
});

test('a port of short requests closes the slowest connection after a second', () => {
  const { accept, later, opened } = port(20);
  opened.patienceMs = 1000;
  const held = Array.from({ length: 20 }, (_, n) => accept(`10.0.${n}.1`, n === 7 ? 3 : 5000));
  later(999);
  assert.ok(accept('198.51.100.1').destroyed);
  later(ORDER_MS);
  assert.ok(!accept('198.51.100.2').destroyed);
  assert.deepEqual(
    held.flatMap((socket, n) => (socket.destroyed ? [n] : [])),
    [7],
  );
});

test('a connection without data can be displaced after a second', () => {
  const { accept, later } = port(20);
  const held = Array.from({ length: 20 }, (_, n) => accept(`10.0.${n}.1`, n === 3 ? 0 : 1));
  later(999);
  assert.ok(accept('198.51.100.1', 1).destroyed);
  later(ORDER_MS);
  assert.ok(!accept('198.51.100.2', 1).destroyed);
  assert.ok(held[3]?.destroyed);
});

test('a flood of new connections does not compare all connections for each', () => {
  const { accept, later, reads } = port(20);
  for (let n = 0; n < 20; n++) accept(`10.0.${n}.1`, 5000);
  later(10_000);
  const before = reads();
  for (let n = 0; n < 200; n++) accept(`10.${n}.0.1`, 5000);
  assert.ok(reads() - before <= 21, `${reads() - before} reads`);
});

test('a network that holds most of a port loses its own connections', () => {
  const crowds = [
    (n: number) => `203.0.113.${n}`,
    (n: number) => `::ffff:203.0.113.${n}`,
    (n: number) => `2001:db8:5:${n}::1`,
  ];
  for (const address of crowds) {
    const { accept, later } = port(20);
    const old = accept('198.51.100.1', 1);
    const crowd = Array.from({ length: 19 }, (_, n) => accept(address(n + 1), 1_000_000));
    later(60_000);
    for (let n = 0; n < 10; n++) assert.ok(!accept(`192.0.${n}.1`).destroyed);
    assert.ok(!old.destroyed, 'a slow connection of another network stays');
    assert.equal(crowd.filter((s) => s.destroyed).length, 10);
    assert.ok(accept(address(77)).destroyed || crowd.filter((s) => s.destroyed).length === 11);
  }
});

test('within a network the address with most connections loses one', () => {
  const { accept } = port(10);
  const [one, ...many] = ['1', '2', '2', '2', '2', '2', '2', '2', '2', '3'].map((n) =>
    accept(`203.0.113.${n}`),
  );
  const newcomer = accept('203.0.113.4');
  assert.deepEqual([newcomer.destroyed, one?.destroyed], [false, false]);
  assert.equal(many.filter((s) => s.destroyed).length, 1);
  assert.ok(!many.at(-1)?.destroyed);
});

test('a refused new connection gets a reply in its protocol', async (t) => {
  const limits = { connections: 2, idleMs: 60_000, refusal: '421 4.3.2 Too many\r\n' };
  const settings = {
    limits,
    serve: ({ stream }: Connection) => void stream.write('220 hello\r\n'),
  };
  const listener = await listenStream({ address: '127.0.0.1', port: 0 }, settings);
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await listener.close(0);
  });
  const greeting = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect('port' in listener.at ? listener.at.port : 0, '127.0.0.1');
      sockets.push(socket);
      socket.once('data', (octets) => resolve(octets.toString()));
    });
  for (const expected of ['220', '220', '421', '421'])
    assert.match(await greeting(), new RegExp(`^${expected} `));
});

test('a displaced connection is ended by its job, any other is destroyed', async (t) => {
  for (const evict of [
    ({ stream }: Connection) => void stream.end('421 4.3.2 Later\r\n'),
    undefined,
  ]) {
    const limits = { connections: 4, idleMs: 60_000 };
    const serve = ({ stream }: Connection): void => void stream.write('220 hello\r\n');
    const settings = evict ? { limits, serve, evict } : { limits, serve };
    const listener = await listenStream({ address: '127.0.0.1', port: 0 }, settings);
    const sockets: Socket[] = [];
    t.after(async () => {
      for (const socket of sockets) socket.destroy();
      await listener.close(0);
    });
    const open = (localAddress: string, onText: (text: string) => void): Promise<void> =>
      new Promise((resolve) => {
        const port = 'port' in listener.at ? listener.at.port : 0;
        const socket = connect({ port, host: '127.0.0.1', localAddress });
        sockets.push(socket.on('error', () => undefined));
        socket.on('data', (octets) => (onText(octets.toString()), resolve()));
        socket.on('close', () => (onText('closed'), resolve()));
      });
    // One network holds all connections, so the port closes its newest connection for a
    // client of another network.
    const received = ['', '', '', ''];
    for (const n of received.keys()) await open('127.9.0.1', (text) => (received[n] += text));
    let newcomer = '';
    await open('127.8.0.1', (text) => (newcomer += text));
    assert.equal(newcomer, '220 hello\r\n');
    while (!received.some((text) => text.endsWith('closed')))
      await new Promise((resolve) => setImmediate(resolve));
    const last = received.find((text) => text.endsWith('closed'));
    assert.equal(last, `220 hello\r\n${evict ? '421 4.3.2 Later\r\n' : ''}closed`);
  }
});

test('ports share the available descriptors, and the socketmap comes first', () => {
  const ports = [
    { what: 'postfix', connections: 1000, essential: true },
    { what: 'web', connections: 1000, essential: false },
    { what: 'smtp', connections: 100, essential: false },
  ];
  const needed = descriptorsNeeded(ports);
  assert.deepEqual(shareDescriptors(ports, needed), [1000, 1000, 100]);
  for (const limit of [needed - 1, 1024, 256, 128]) {
    const [postfix = 0, web = 0, smtp = 0] = shareDescriptors(ports, limit);
    assert.ok(postfix + web + smtp < limit, `${limit}: ${postfix} ${web} ${smtp}`);
    assert.ok(postfix >= limit / 3 || postfix === 1000, `${limit}: ${postfix}`);
    assert.ok(web > smtp && smtp >= 4);
  }
  const few = [{ what: 'postfix', connections: 50, essential: true }, ...ports.slice(1)];
  assert.equal(shareDescriptors(few, 512)[0], 50, 'no more than it asks for');
  const web = shareDescriptors([{ what: 'web', connections: 1000, essential: false }], 256);
  assert.ok((web[0] ?? 0) > 150 && (web[0] ?? 0) < 256);
});

test('a low limit is logged with the needed one, each exhaustion once', (t) => {
  let said = '';
  let failure: string | undefined;
  const log = createLog({ format: 'plain', write: (line) => void (said += line), now: () => 0 });
  const descriptors = new Descriptors(
    log,
    () => 256,
    () => {
      if (failure) throw Object.assign(new Error(failure), { code: failure });
    },
  );
  t.after(() => descriptors.stop());
  descriptors.share([{ what: 'web', connections: 1000, essential: false }]);
  assert.match(said, /warn descriptors-few limit=256 needed=1130 .*LimitNOFILE=1130/);
  descriptors.share([{ what: 'web', connections: 100, essential: false }]);
  assert.equal(said.match(/descriptors-few/g)?.length, 1);
  for (const code of ['EMFILE', 'EMFILE', undefined, undefined, 'ENFILE', 'ENFILE', 'EACCES']) {
    failure = code;
    descriptors.look();
  }
  assert.equal(said.match(/error descriptors-exhausted/g)?.length, 2);
  assert.equal(said.match(/info descriptors-available/g)?.length, 1);
});
