import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { askHello } from './ask-hello.js';

test('an SSLv2 answer in single octets costs no more than its length', async () => {
  const stream = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() });
  const at = { address: '192.0.2.25', port: 25 };
  const connection = { stream, local: at, remote: at, close: () => void stream.destroy() };
  const answer = askHello({ connection, question: { kind: 'ssl2' }, serverName: 'mx.example' });
  const began = process.cpuUsage();
  stream.emit('data', Uint8Array.of(0xff, 0xff));
  for (let i = 0; i < 16_000; i++) stream.emit('data', Uint8Array.of(4));
  assert.ok(process.cpuUsage(began).user < 500_000);
  stream.emit('end');
  assert.deepEqual(await answer, { kind: 'refused' });
});
