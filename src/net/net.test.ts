import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import test from 'node:test';
import { guarded, nodeNetwork, specialPurpose, type Network } from './index.js';

test('the guard refuses every special address in every notation', () => {
  const special =
    `0.0.0.0 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1
    192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
    ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::c0a8:101 64:ff9b:1:7f00:0:100:808:808 2002:7f00:1:: 2002:c0a8:101::1 2001::1 2001:db8::1 3fff::1 fc00::1 fdff::1 fe80::1
    fec0::1 ff02::1 100::1 not-an-address 127.1 0x7f.1`.split(/\s+/);
  for (const address of special) assert.notEqual(specialPurpose(address), undefined, address);
  for (const address of [
    '8.8.8.8',
    '100.128.0.1',
    '172.32.0.1',
    '2606:4700::1',
    '64:ff9b::808:808',
    '2002:808:808::1',
    '::ffff:8.8.8.8',
  ]) {
    assert.equal(specialPurpose(address), undefined, address);
  }
});

test('the guard never lets a refused address reach the network', async () => {
  const dialled: string[] = [];
  const inner: Network = {
    dial: (r) => (
      dialled.push(r.address),
      Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } })
    ),
    exchange: () => Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } }),
  };
  const net = guarded(inner);
  const result = await net.dial({ address: '169.254.169.254', port: 80 });
  assert.equal(!result.ok && result.failure.code, 'net-guarded');
  await net.dial({ address: '198.41.0.4', port: 25 });
  assert.deepEqual(dialled, ['198.41.0.4']);
});

test('dial: a connection, a refusal and an abort have different results', async () => {
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const net = nodeNetwork();
  const dialled = await net.dial({ address: '127.0.0.1', port });
  assert.ok(dialled.ok);
  let text = '';
  for await (const piece of dialled.connection.stream) text += String(piece);
  assert.equal(text, 'hello');
  dialled.connection.close();
  await new Promise((resolve) => server.close(resolve));
  const refused = await net.dial({ address: '127.0.0.1', port });
  assert.equal(!refused.ok && refused.failure.code, 'net-refused');
  await assert.rejects(
    nodeNetwork().dial({
      address: '127.0.0.1',
      port,
      signal: AbortSignal.abort(new Error('stop')),
    }),
    /stop/,
  );
});

test('RFC 5452: a datagram that does not answer the query is dropped', async () => {
  const server = createSocket('udp4');
  server.on('message', (query, from) => {
    server.send('forged', from.port, from.address);
    server.send(Buffer.concat([Buffer.from('real:'), query]), from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const to = { address: '127.0.0.1', port: server.address().port };
  const result = await nodeNetwork().exchange({
    to,
    query: Buffer.from('q'),
    accept: (bytes) => bytes.toString().startsWith('real:'),
  });
  assert.equal(result.ok && Buffer.from(result.bytes).toString(), 'real:q');
  const none = await nodeNetwork().exchange({
    to,
    query: Buffer.from('q'),
    accept: () => false,
    timeoutMs: 50,
  });
  assert.equal(!none.ok && none.failure.code, 'net-timeout');
  server.close();
});
