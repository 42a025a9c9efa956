import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { listenStream } from './stream-listener.js';

test('one source that takes every place of a port keeps nobody else out', async (t) => {
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
      // Who is turned away may be greeted first.
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
