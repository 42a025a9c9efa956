import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { PipelinedConnection } from './pipelined-connection.js';

/** A conversation, the sent octets, and a function that answers. */
function scene() {
  const sent: Buffer[] = [];
  let closed = 0;
  const stream = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _encoding, done) => {
      sent.push(bytes);
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
    hear: (...octets: number[]) => stream.push(Uint8Array.from(octets)),
    stream,
  };
}

const question = (id: number): Uint8Array => Uint8Array.of(0, id, 9);

test('RFC 7766 §7: answers in any order, cut anywhere, find the questions they answer', async () => {
  const { conversation, sent, hear } = scene();
  const both = [conversation.ask(question(1), 1000), conversation.ask(question(2), 1000)];
  assert.deepEqual(
    sent.map((bytes) => [...bytes]),
    [
      [0, 3, 0, 1, 9],
      [0, 3, 0, 2, 9],
    ],
  );
  hear(0, 3, 0);
  hear(2, 8, 0, 3, 0, 1, 7);
  assert.deepEqual(await Promise.all(both), [Uint8Array.of(0, 1, 7), Uint8Array.of(0, 2, 8)]);
});

test('an unrelated answer is dropped; one without an id ends the connection', async () => {
  for (const end of [
    ({ hear }: ReturnType<typeof scene>) => hear(0, 1, 0),
    ({ stream }: ReturnType<typeof scene>) => stream.push(null),
  ]) {
    const one = scene();
    const asked = one.conversation.ask(question(1), 1000);
    one.hear(0, 3, 0, 5, 7);
    end(one);
    assert.deepEqual(
      [await asked, await one.conversation.ask(question(2), 1000), one.closed()],
      ['ended', 'ended', 1],
    );
  }
});

test('a timeout closes the connection; an abort affects its own query only', async () => {
  const { conversation, hear, closed } = scene();
  const leaving = new AbortController();
  const left = conversation.ask(question(1), 1000, leaving.signal);
  const stays = conversation.ask(question(2), 1000);
  leaving.abort(new Error('enough'));
  await assert.rejects(left, /enough/);
  hear(0, 3, 0, 2, 7);
  assert.deepEqual([await stays, closed()], [Uint8Array.of(0, 2, 7), 0]);
  assert.equal(await conversation.ask(question(3), 10), 'timeout');
  assert.deepEqual([conversation.ended, closed()], [true, 1]);
});
