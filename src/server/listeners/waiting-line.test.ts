import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { Agent, get, request } from 'node:http';
import { connect as connectTls, createSecureContext } from 'node:tls';
import test, { type TestContext } from 'node:test';
import { createCa, issue } from '../../pki/index.js';
import { waitUntil } from '../../../test/support/wait-until.js';
import { createLog } from '../log.js';
import type { SharedPortSite } from '../service.js';
import { listenWeb } from './web-listener.js';
import { WaitingLine } from './waiting-line.js';

/**
 * Returns the server's sockets of new connections, which show the given remote addresses.
 */
async function accepted(t: TestContext, addresses: readonly string[]): Promise<Socket[]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  for (const address of addresses) {
    const client = connect(port, '127.0.0.1').on('error', () => undefined);
    const [socket] = (await once(server, 'connection')) as [Socket];
    Object.defineProperty(socket, 'remoteAddress', { value: address });
    sockets.push(socket);
    t.after(() => client.destroy());
  }
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  t.after(() => server.close());
  return sockets;
}

test('networks with many and few connections take equal turns', async (t) => {
  const sockets = await accepted(t, ['192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.1']);
  let isOpen = false;
  const line = new WaitingLine(() => isOpen, 1);
  const order: number[] = [];
  sockets.forEach((socket, index) => line.hold(socket, () => order.push(index)));
  assert.equal(line.length, 4);
  isOpen = true;
  await waitUntil('the line is empty', () => line.length === 0);
  assert.deepEqual(order, [0, 3, 1, 2]);
});

test('no connection leaves the line while the site is overloaded', async (t) => {
  const [socket] = await accepted(t, ['192.0.2.1']);
  let asked = 0;
  const line = new WaitingLine(() => ++asked > 5, 1);
  let wentAt = 0;
  line.hold(socket as Socket, () => (wentAt = asked));
  await waitUntil('the connection leaves', () => wentAt > 0);
  assert.equal(wentAt, 6);
});

test('a closed connection leaves the line without a turn', async (t) => {
  const [gone, next] = await accepted(t, ['192.0.2.1', '192.0.2.1']);
  let isOpen = false;
  const line = new WaitingLine(() => isOpen, 1);
  const order: string[] = [];
  line.hold(gone as Socket, () => order.push('gone'));
  line.hold(next as Socket, () => order.push('next'));
  (gone as Socket).destroy();
  await waitUntil('the connection is forgotten', () => line.length === 1);
  isOpen = true;
  await waitUntil('the line is empty', () => line.length === 0);
  assert.deepEqual(order, ['next']);
});

test('a network with 128 waiting connections loses the next one', async (t) => {
  const [socket, other] = await accepted(t, ['192.0.2.1', '198.51.100.1']);
  const line = new WaitingLine(() => false, 1000);
  // Each object counts as a separate connection, because the line identifies connections
  // by object.
  (socket as Socket).setMaxListeners(0);
  for (let n = 0; n < 128; n++) line.hold(Object.create(socket as Socket) as Socket, () => 0);
  line.hold(socket as Socket, () => 0);
  assert.ok((socket as Socket).destroyed);
  line.hold(other as Socket, () => 0);
  assert.ok(!(other as Socket).destroyed);
});

/** Opens a port with the sites, whose log fails the test at every line. */
async function listening(
  t: TestContext,
  sites: readonly SharedPortSite[],
  tls: Pick<Parameters<typeof listenWeb>[1], 'certificateFor'> = {},
): Promise<number> {
  const log = createLog({ format: 'plain', write: (line) => assert.fail(line), now: () => 0 });
  const at = { address: '127.0.0.1', port: 0 };
  const listener = await listenWeb(at, {
    sites,
    log,
    limits: { connections: 50 },
    ...tls,
  });
  t.after(() => listener.close(0));
  return 'port' in listener.at ? listener.at.port : 0;
}

/**
 * Returns a site that refuses requests while it is busy, with the numbers of refused and
 * answered requests.
 */
function busySite(): { site: SharedPortSite; isBusy: boolean; refused: number; answered: number } {
  const state = {
    isBusy: true,
    refused: 0,
    answered: 0,
    site: undefined as unknown as SharedPortSite,
  };
  state.site = {
    serves: (hostName) => hostName === 'check.example',
    isBusy: () => state.isBusy,
    answer: () => {
      if (!state.isBusy) return undefined;
      state.refused++;
      return { status: 503, headers: {}, body: '' };
    },
    async handle(received) {
      await received.text();
      state.answered++;
      return new Response('page');
    },
  };
  return state;
}

const headers = { host: 'check.example' };

test('an overloaded site reads no further request, and answers it later', async (t) => {
  const state = busySite();
  state.isBusy = false;
  const port = await listening(t, [state.site]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const statuses: (number | undefined)[] = [];
  const ask = (): void =>
    void get({ port, host: '127.0.0.1', headers, agent }, (answer) =>
      answer.resume().once('end', () => statuses.push(answer.statusCode)),
    );
  ask();
  await waitUntil('the page arrives', () => statuses.length === 1);
  state.isBusy = true;
  for (let n = 0; n < 4; n++) ask();
  await waitUntil('one refusal arrives', () => statuses.length === 2);
  // The server also accepts a new connection without reading from it.
  let other: number | undefined;
  get({ port, host: '127.0.0.1', headers, agent: false }, (answer) => {
    other = answer.statusCode;
    answer.resume();
  });
  // Another site of the process answers a request in the meantime.
  const quick = await listening(t, [{ serves: () => true, handle: () => new Response('ok') }]);
  const [answer] = (await once(get({ port: quick, host: '127.0.0.1' }), 'response')) as [
    { statusCode: number; resume(): void },
  ];
  answer.resume();
  assert.equal(answer.statusCode, 200);
  assert.deepEqual([statuses, other, state.refused], [[200, 503], undefined, 1]);
  state.isBusy = false;
  await waitUntil('all are answered', () => statuses.length === 5 && other !== undefined);
  assert.deepEqual([statuses, other], [[200, 503, 200, 200, 200], 200]);
});

test('an overloaded site does not delay another site of the same port', async (t) => {
  const state = busySite();
  const policy: SharedPortSite = { serves: () => true, handle: () => new Response('policy') };
  const port = await listening(t, [state.site, policy]);
  const [answer] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [
    { statusCode: number; resume(): void },
  ];
  answer.resume();
  assert.equal(answer.statusCode, 200);
});

test('a TLS connection to an overloaded site waits before its handshake', async (t) => {
  const { chainPem, keyPem } = issue(createCa({ name: 'Root' }), {
    names: ['check.example', 'mta-sts.example'],
  });
  const context = createSecureContext({ cert: chainPem, key: keyPem });
  const state = busySite();
  const policy: SharedPortSite = { serves: () => true, handle: () => new Response('policy') };
  const port = await listening(t, [state.site, policy], { certificateFor: () => context });
  const settings = { port, host: '127.0.0.1', rejectUnauthorized: false };
  let isSecure = false;
  const waiting = connectTls({ ...settings, servername: 'check.example' }, () => {
    isSecure = true;
  });
  t.after(() => waiting.destroy());
  const policyClient = connectTls({ ...settings, servername: 'mta-sts.example' });
  t.after(() => policyClient.destroy());
  await once(policyClient, 'secureConnect');
  assert.equal(isSecure, false);
  state.isBusy = false;
  await waitUntil('the handshake is complete', () => isSecure);
});

test('the body of a refused form does not become the next request', async (t) => {
  const state = busySite();
  state.isBusy = false;
  const port = await listening(t, [state.site]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const post = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', headers, agent, method: 'POST' };
      request(options, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode));
      })
        .on('error', reject)
        .end('GET / HTTP/1.1\r\nHost: check.example\r\n\r\n');
    });
  assert.equal(await post(), 200);
  state.isBusy = true;
  assert.equal(await post(), 503);
  state.isBusy = false;
  assert.equal(await post(), 200);
  assert.deepEqual([state.refused, state.answered], [1, 2]);
});
