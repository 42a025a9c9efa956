import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { waitUntil } from '../../../test/support/wait-until.js';
import { createLog } from '../log.js';
import { listenWeb } from './web-listener.js';

/** A port that counts the chunks of its streams, and the cancelled streams. */
class StreamingPort {
  chunks = 0;
  cancelled = 0;

  private constructor(readonly close: (graceMs: number) => Promise<void>) {}
  port = 0;

  static async open(t: TestContext, chunk: Uint8Array, connections = 10): Promise<StreamingPort> {
    const log = createLog({ format: 'plain', write: () => undefined, now: () => 0 });
    const body = (): ReadableStream<Uint8Array> =>
      new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            streaming.chunks++;
            controller.enqueue(chunk);
            // A small chunk is sent once. A large chunk is repeated as fast as the client
            // reads.
            if (chunk.length < 1000) await new Promise(() => undefined);
          },
          cancel: () => void streaming.cancelled++,
        },
        { highWaterMark: 0 },
      );
    const handle = (): Response =>
      new Response(body(), { headers: { 'content-type': 'text/event-stream' } });
    const listener = await listenWeb(
      { address: '127.0.0.1', port: 0 },
      { sites: [{ serves: () => true, handle }], log, limits: { connections } },
    );
    const streaming = new StreamingPort((graceMs) => listener.close(graceMs));
    streaming.port = 'port' in listener.at ? listener.at.port : 0;
    t.after(() => listener.close(0));
    return streaming;
  }

  /** Opens a connection and asks for a stream. */
  ask(): ReturnType<typeof connect> {
    const socket = connect(this.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    return socket;
  }
}

test('the first octets of a stream arrive before its end, and a lost client ends it', async (t) => {
  const streaming = await StreamingPort.open(t, Buffer.from('data: 1\n\n'));
  const socket = streaming.ask();
  let text = '';
  socket.on('data', (octets: Buffer) => (text += octets.toString()));
  await waitUntil('the first event', () => text.includes('data: 1'));
  assert.match(text, /transfer-encoding: chunked/i);
  assert.doesNotMatch(text, /content-length/i);
  socket.destroy();
  await waitUntil('the end of the body', () => streaming.cancelled === 1);
});

test('a client that reads nothing slows its own stream', async (t) => {
  const streaming = await StreamingPort.open(t, Buffer.alloc(256 * 1024, 'x'));
  const socket = streaming.ask();
  socket.pause();
  await waitUntil('a first chunk', () => streaming.chunks > 0);
  let before = -1;
  await waitUntil('a full connection', async () => {
    const now = streaming.chunks;
    const settled = now === before;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return settled;
  });
  // Chunks that the client does not read only fill the buffers of the kernel: a few
  // megabytes at most.
  assert.ok(streaming.chunks < 100, String(streaming.chunks));
  socket.destroy();
  await waitUntil('the end of the body', () => streaming.cancelled === 1);
});

test('streams have half of the connections; one more is refused', async (t) => {
  const streaming = await StreamingPort.open(t, Buffer.from('data: 1\n\n'), 4);
  const sockets = [streaming.ask(), streaming.ask()];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await waitUntil('two streams', () => streaming.chunks === 2);
  const third = streaming.ask();
  const [octets] = (await once(third, 'data')) as [Buffer];
  assert.match(octets.toString(), /^HTTP\/1\.1 503 [\s\S]*retry-after: 30/i);
  third.destroy();
});

test('the port ends its streams when it closes', async (t) => {
  const streaming = await StreamingPort.open(t, Buffer.from('data: 1\n\n'));
  const socket = streaming.ask();
  socket.resume();
  await waitUntil('a stream', () => streaming.chunks === 1);
  const closed = once(socket, 'close');
  // With a grace of a minute the test would hang if the stream stayed open.
  await streaming.close(60_000);
  await closed;
});
