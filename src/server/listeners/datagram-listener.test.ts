import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import test from 'node:test';
import { Name } from '../../base/index.js';
import {
  decodeMessage,
  encodeMessage,
  OnlineZone,
  parseZone,
  respondToQuery,
  responseTo,
  RRType,
  serveDnsStream,
  StaticRecords,
} from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import type { Connection } from '../../net/index.js';
import { listenDatagrams } from './datagram-listener.js';
import { ResponseRate } from './response-rate.js';
import { listenStream } from './stream-listener.js';

const apex = Name.of('slots.example');
const parsed = parseZone('@ SOA ns. h. 1 1 1 1 1\n@ NS ns.\nwww A 192.0.2.1\n', {
  origin: apex,
  defaultTtl: 60,
});
const content = new StaticRecords(apex, parsed.ok ? parsed.value : []);
const zones = [
  new OnlineZone({ apex, recordSets: (name) => content.recordSets(name), now: Date.now }),
];
const question = (id: number): Uint8Array =>
  encodeMessage(responseTo(Name.of('www.slots.example'), RRType.A, { id, response: false }));
const anywhere = { address: '127.0.0.1', port: 0 };

async function onUdp(
  perSecond: number,
  run: (
    ask: (id: number, signal?: AbortSignal) => Promise<Uint8Array | undefined>,
  ) => Promise<void>,
): Promise<{ accepted: number; refused: number }> {
  const port = await listenDatagrams(anywhere, {
    perSecond,
    limits: { connections: 1 },
    answer: (query, _peer, truncate) =>
      respondToQuery(query, { zones: () => zones, transport: 'udp', truncate })?.bytes,
  });
  const to = port.at as { address: string; port: number };
  try {
    await run(async (id, signal) => {
      const query = question(id);
      const accept = ([high, low]: Uint8Array): boolean => high === id >> 8 && low === (id & 255);
      const reply = await nodeNetwork().exchange({ to, query, accept, timeoutMs: 20_000, signal });
      return reply.ok ? reply.bytes : undefined;
    });
  } finally {
    await port.close(0);
  }
  return port;
}

test('a UDP port answers, and rejects an address in use with a fix', async () => {
  await onUdp(1000, async (ask) => {
    const decoded = decodeMessage((await ask(300)) ?? new Uint8Array(0));
    assert.ok(decoded.ok && decoded.value.answers.length === 1);
  });
  const port = await listenDatagrams(anywhere, {
    perSecond: 1,
    limits: { connections: 1 },
    answer: () => undefined,
  });
  const again = listenDatagrams(port.at, {
    perSecond: 1,
    limits: { connections: 1 },
    answer: () => undefined,
  });
  await assert.rejects(again, { code: 'listen-failed' });
  await port.close(0);
});

test('a network over its rate gets every second answer, truncated', () => {
  let time = 0;
  const rate = new ResponseRate(10, () => time);
  const decide = (address: string, count: number): string[] =>
    Array.from({ length: count }, () => rate.decide(address));
  assert.deepEqual(decide('192.0.2.1', 40), Array<string>(40).fill('answer'));
  assert.deepEqual(decide('192.0.2.200', 4), ['drop', 'truncate', 'drop', 'truncate']);
  assert.deepEqual(decide('198.51.100.1', 1), ['answer']);
  assert.deepEqual(decide('2001:db8:1::1', 41).at(-1), 'drop');
  assert.deepEqual(decide('2001:db8:1:ffff::1', 1), ['truncate']);
  time += 1000;
  assert.deepEqual(decide('192.0.2.1', 11), [...Array<string>(10).fill('answer'), 'drop']);
});

test('a truncated answer of an abused network fits the size of the question', async () => {
  const counts = await onUdp(0, async (ask) => {
    const dropped = new AbortController();
    const first = ask(1, dropped.signal);
    const reply = (await ask(2)) ?? new Uint8Array(0);
    const decoded = decodeMessage(reply);
    assert.ok(decoded.ok && decoded.value.truncated);
    assert.ok(reply.length <= question(2).length);
    dropped.abort(new Error('dropped'));
    await assert.rejects(first, /dropped/);
  });
  assert.deepEqual([counts.accepted, counts.refused], [1, 1]);
});

async function onTcp(
  run: (client: ReturnType<typeof connect>, served: Connection[]) => Promise<void>,
  idleMs = 60_000,
): Promise<void> {
  const served: Connection[] = [];
  const port = await listenStream(anywhere, {
    limits: { connections: 10, idleMs },
    serve(connection) {
      served.push(connection);
      serveDnsStream(
        connection,
        (query) => respondToQuery(query, { zones: () => zones, transport: 'tcp' })?.bytes,
      );
    },
  });
  const client = connect((port.at as { port: number }).port, '127.0.0.1');
  client.on('error', () => undefined);
  try {
    await run(client, served);
  } finally {
    client.destroy();
    await port.close(0);
  }
}

function framed(query: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(query.length >> 8, query.length & 255), query]);
}

/** Reads answers until the connection has delivered `count`, or has ended. */
async function readAnswers(client: ReturnType<typeof connect>, count: number): Promise<number[]> {
  const ids: number[] = [];
  let pending = Buffer.alloc(0);
  for await (const octets of client as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, octets]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      ids.push(pending.readUInt16BE(2));
      pending = pending.subarray(2 + pending.readUInt16BE(0));
    }
    if (ids.length >= count) break;
  }
  return ids;
}

test('TCP answers pipelined questions, also in single octets', async () => {
  await onTcp(async (client) => {
    const stream = Buffer.concat([1, 2, 3].map((id) => framed(question(id))));
    for (const octet of stream) client.write(Uint8Array.of(octet));
    assert.deepEqual(await readAnswers(client, 3), [1, 2, 3]);
  });
});

test('a TCP connection ends after 500 questions', async () => {
  await onTcp(async (client) => {
    client.write(Buffer.concat(Array.from({ length: 600 }, (_, id) => framed(question(id)))));
    assert.equal((await readAnswers(client, 600)).length, 500);
  });
});

test('a TCP connection ends at a question of more than 4096 octets', async () => {
  await onTcp(async (client) => {
    client.write(Uint8Array.of(0x10, 0x01));
    await once(client, 'close');
  });
});

test('a TCP client that sends nothing is closed', async () => {
  await onTcp(async (client) => {
    client.write(Uint8Array.of(0));
    await once(client, 'close');
  }, 50);
});

test('a TCP client that reads no answers is closed', async () => {
  const large = Buffer.alloc(60_000);
  const port = await listenStream(anywhere, {
    limits: { connections: 10, idleMs: 60_000 },
    serve: (connection) => serveDnsStream(connection, () => large),
  });
  const client = connect((port.at as { port: number }).port, '127.0.0.1').pause();
  client.on('error', () => undefined);
  client.write(Buffer.concat(Array.from({ length: 400 }, (_, id) => framed(question(id)))));
  await once(client.resume(), 'close');
  assert.ok(client.bytesRead < 400 * large.length);
  await port.close(0);
});
