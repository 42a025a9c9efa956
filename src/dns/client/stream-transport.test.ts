/**
 * Tests of a resolver over one TCP connection to servers that close the connection or
 * reorder the answers.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import test from 'node:test';
import { Name } from '../../base/index.js';
import { nodeNetwork, type Network } from '../../net/index.js';
import { decodeMessage, encodeMessage } from '../wire/codec.js';
import { makeRecord } from '../wire/rdata.js';
import { RRType } from '../wire/types-registry.js';
import { createResolver } from './resolver.js';

/**
 * Returns an answer with `192.0.2.1` to a query, or an answer to a different question.
 */
function answerTo(query: Uint8Array, question?: Name): Buffer {
  const decoded = decodeMessage(query);
  assert.ok(decoded.ok);
  const [asked] = decoded.value.questions;
  assert.ok(asked);
  const address = makeRecord(asked.name, RRType.A, 300, Uint8Array.of(192, 0, 2, 1));
  const bytes = encodeMessage({
    ...decoded.value,
    response: true,
    questions: [{ ...asked, name: question ?? asked.name }],
    answers: [address],
  });
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes]);
}

/** The behaviour of a server for the queries in one chunk of the stream. */
type Serve = (socket: Socket, queries: readonly Uint8Array[]) => void;

/**
 * Runs a resolver with a `tcp://` upstream against a server; every zone is treated as
 * unsigned.
 */
async function overTcp(
  serve: Serve,
  use: (ask: (name: string) => Promise<string>, connections: () => number) => Promise<void>,
  timeoutMs = 20_000,
): Promise<void> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece]);
      const queries: Uint8Array[] = [];
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        queries.push(received.subarray(2, end));
        received = received.subarray(end);
      }
      serve(socket, queries);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const node = nodeNetwork();
  const network: Network = {
    dial: (request) => node.dial({ ...request, address: '127.0.0.1', port }),
    exchange: () => Promise.reject(new Error('no datagram is sent')),
  };
  const resolver = createResolver({
    network,
    timeoutMs,
    upstreams: [
      { address: '192.0.2.53', port: 53, label: 'tcp://192.0.2.53:53', transport: 'tcp' },
    ],
    anchors: [{ zone: Name.root, ds: [], keys: [], negative: true }],
  });
  const ask = async (name: string): Promise<string> => {
    const answer = await resolver.ask(Name.of(name), RRType.A);
    return answer.failure?.code ?? answer.status;
  };
  try {
    await use(ask, () => connections);
  } finally {
    server.close();
  }
}

const names = Array.from({ length: 40 }, (_, n) => `h${n}.test`);
const found = names.map(() => 'found');

// [7766-6.2.1.1-1, 7766-6.2.2-1]
test('RFC 7766 §6.2.1: one TCP connection carries all questions to a resolver', async () => {
  await overTcp(
    (socket, queries) => socket.write(Buffer.concat(queries.map((query) => answerTo(query)))),
    async (ask, connections) => {
      assert.deepEqual(await Promise.all(names.map(ask)), found);
      assert.equal(await ask('later.test'), 'found');
      assert.equal(connections(), 1);
    },
  );
});

test('RFC 7766 §7: TCP answers in reverse order, and answers to other questions', async () => {
  const other = Name.of('other.test');
  await overTcp(
    (socket, queries) => {
      const answers = queries.map((query) => answerTo(query)).reverse();
      const forged = queries.map((query) => answerTo(query, other));
      socket.write(Buffer.concat([...forged, ...answers]));
    },
    async (ask, connections) => {
      assert.deepEqual(await Promise.all(names.map(ask)), found);
      assert.equal(connections(), 1);
    },
  );
});

// [7766-6.2.4-1]
test('RFC 7766 §6.2.4: questions without an answer are sent over a new connection', async () => {
  let served = 0;
  await overTcp(
    (socket, queries) => {
      // The server closes the connection after its first answer to a batch.
      const [first] = queries;
      if (first && ++served < 6) socket.end(answerTo(first));
      else socket.write(Buffer.concat(queries.map((query) => answerTo(query))));
    },
    async (ask, connections) => {
      assert.deepEqual(await Promise.all(names.map(ask)), found);
      assert.equal(connections(), 6);
    },
  );
});

test('a server that closes without any answer is asked once', async () => {
  await overTcp(
    (socket) => socket.end(),
    async (ask, connections) => {
      assert.deepEqual(new Set(await Promise.all(names.map(ask))), new Set(['dns-timeout']));
      assert.equal(connections(), 1);
    },
  );
});

test('reconnects are bounded if a server closes after each answer', async () => {
  await overTcp(
    (socket, [first]) => first && socket.end(answerTo(first)),
    async (ask, connections) => {
      const results = await Promise.all(names.map(ask));
      assert.equal(results.filter((result) => result === 'found').length, 10);
      assert.equal(connections(), 10);
    },
  );
});

test('a silent TCP server is a timeout, and the next question connects again', async () => {
  let silent = true;
  await overTcp(
    (socket, queries) => {
      if (!silent) socket.write(Buffer.concat(queries.map((query) => answerTo(query))));
    },
    async (ask, connections) => {
      assert.equal(await ask('a.test'), 'dns-timeout');
      silent = false;
      assert.equal(await ask('b.test'), 'found');
      assert.equal(connections(), 2);
    },
    1_000,
  );
});
