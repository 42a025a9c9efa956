import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test from 'node:test';
import type { Message } from '../wire/message.js';
import { MAX_IN_FLIGHT, PipelinedConnection, type StreamQuery } from './pipelined-connection.js';

/** Returns a connection, the octets sent on it, and a function that delivers answers. */
function scene() {
  const sent: number[][] = [];
  let closed = 0;
  const stream = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _encoding, done) => {
      sent.push([...bytes]);
      done();
    },
  });
  const at = { address: '192.0.2.53', port: 853 };
  const conversation = new PipelinedConnection({
    stream,
    local: at,
    remote: at,
    close: () => closed++,
  });
  return {
    conversation,
    sent,
    closed: () => closed,
    ask: async (id: number, timeoutMs = 60_000, signal?: AbortSignal) => {
      const reply = await conversation.ask(() => question(id), timeoutMs, signal);
      return typeof reply === 'string' ? reply : `${reply.id}: ${reply.rcode}`;
    },
    hear: (...octets: number[]) => stream.push(Uint8Array.from(octets)),
    stream,
  };
}

/** The last octet of an answer to a different question. */
const OTHER = 66;

/**
 * Returns a query of three octets. Its `accept` reads the rcode from the third octet of
 * an answer.
 */
function question(id: number): StreamQuery {
  return {
    id,
    bytes: Uint8Array.of(id >> 8, id & 255, 9),
    accept: (bytes) => {
      const [rcode] = bytes.subarray(2);
      return rcode === OTHER ? undefined : ({ id, rcode } as Message);
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// [7766-7-1, 7766-8-1]
test('RFC 7766 §7: answers in any order and segmentation match their questions', async () => {
  const { ask, sent, hear } = scene();
  const both = [ask(1), ask(2)];
  await turn();
  assert.deepEqual(sent, [[0, 3, 0, 1, 9, 0, 3, 0, 2, 9]], 'one write for both');
  hear(0, 3, 0);
  hear(2, 8, 0, 3, 0, 1, 7);
  assert.deepEqual(await Promise.all(both), ['1: 7', '2: 8']);
});

test('an unrelated answer is dropped; one without an id ends the connection', async () => {
  for (const end of [
    ({ hear }: ReturnType<typeof scene>) => hear(0, 1, 0),
    ({ stream }: ReturnType<typeof scene>) => stream.push(null),
  ]) {
    const one = scene();
    const asked = one.ask(1);
    one.hear(0, 3, 0, 5, 7);
    end(one);
    assert.deepEqual([await asked, await one.ask(2), one.closed()], ['ended', 'ended', 1]);
  }
});

// [7766-7-2]
test('RFC 7766 §7: an answer to another question with the same id is dropped', async () => {
  const { ask, hear } = scene();
  const asked = ask(1);
  hear(0, 3, 0, 1, OTHER);
  hear(0, 3, 0, 1, 7);
  assert.equal(await asked, '1: 7');
});

test('a timeout closes a silent connection; an abort affects its own query only', async () => {
  const { conversation, ask, hear, closed } = scene();
  const leaving = new AbortController();
  const left = ask(1, 60_000, leaving.signal);
  const stays = ask(2);
  leaving.abort(new Error('enough'));
  await assert.rejects(left, /enough/);
  hear(0, 3, 0, 2, 7);
  assert.deepEqual([await stays, closed()], ['2: 7', 0]);
  assert.equal(await ask(3, 10), 'timeout');
  assert.deepEqual([conversation.ended, closed()], [true, 1]);
});

test('one slow name does not end the connection of the others', async () => {
  const { ask, hear, closed } = scene();
  const [slow, other] = [ask(1, 100), ask(2)];
  hear(0, 3, 0, 2, 7);
  assert.deepEqual([await other, await slow, closed()], ['2: 7', 'timeout', 0]);
  const next = ask(1);
  hear(0, 3, 0, 1, 5);
  assert.equal(await next, '1: 5');
});

test('queries above the limit wait for an answer, an abort or the end', async () => {
  const { conversation, ask, hear, sent } = scene();
  const first = Array.from({ length: MAX_IN_FLIGHT }, (_, id) => ask(id));
  const leaving = new AbortController();
  const left = ask(500, 60_000, leaving.signal);
  const queued = [ask(501), ask(502)];
  await turn();
  const octets = (): number => sent.flat().length;
  assert.equal(octets(), 5 * MAX_IN_FLIGHT);
  leaving.abort(new Error('enough'));
  await assert.rejects(left, /enough/);
  hear(0, 3, 0, 0, 7);
  await turn();
  assert.equal(octets(), 5 * (MAX_IN_FLIGHT + 1), '501 took the free place');
  hear(0, 3, 501 >> 8, 501 & 255, 7);
  assert.equal(await queued[0], '501: 7');
  conversation.end();
  const ends = await Promise.all([...first, queued[1]]);
  assert.equal(ends.filter((end) => end === 'ended').length, MAX_IN_FLIGHT);
});

// [7766-6.2.3-1]
test('RFC 7766 §6.2.3: an idle connection is closed, and not before its answers', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { ask, hear, closed } = scene();
  t.mock.timers.tick(1_000);
  const asked = ask(1);
  t.mock.timers.tick(30_000);
  assert.equal(closed(), 0);
  hear(0, 3, 0, 1, 7);
  await asked;
  t.mock.timers.tick(1_999);
  assert.equal(closed(), 0);
  t.mock.timers.tick(1);
  assert.equal(closed(), 1);
});
