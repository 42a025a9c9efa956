import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, createServer, type AddressInfo } from 'node:net';
import test from 'node:test';
import fc from 'fast-check';
import {
  buildClientHello,
  FlightReader,
  groupTable,
  ProtocolVersion,
  readSsl2ServerHello,
  signatureSchemeTable,
  suites,
  suitesWhere,
  type ClientHello,
} from './index.js';

const schemes = signatureSchemeTable.map(([id]) => id);
const groups = groupTable.map((g) => g.codePoint);

function hello(changes: Partial<ClientHello>): Uint8Array {
  return buildClientHello({
    maxVersion: ProtocolVersion['TLSv1.2'],
    suites: suitesWhere((s) => !s.tls13),
    groups,
    signatureSchemes: schemes,
    serverName: 'mx.example',
    random: randomBytes(32),
    ...changes,
  });
}

/**
 * Returns the reader of an answer from a server that sends the given bytes to every
 * client.
 */
async function answeredBy(bytes: Uint8Array, question: Uint8Array): Promise<FlightReader> {
  const server = createServer((socket) => void socket.once('data', () => socket.end(bytes)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reader = new FlightReader();
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () =>
    socket.write(question),
  );
  for await (const piece of socket) reader.push(piece as Uint8Array);
  server.close();
  return reader;
}

const retry = Buffer.from(
  `16030300580200005403 03cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 20${'aa'.repeat(32)} 130200 000c 002b00020304 00330002001d`.replace(
    / /g,
    '',
  ),
  'hex',
);

test('RFC 9846 §4.2.4: HelloRetryRequest names suite, version and group', async () => {
  const { state, flight } = await answeredBy(
    retry,
    hello({ maxVersion: 0x0304, versions: [0x0304] }),
  );
  assert.equal(state, 'complete');
  assert.deepEqual(
    {
      version: flight.hello?.version,
      suite: flight.hello?.suite,
      group: flight.hello?.group,
      retry: flight.hello?.retry,
    },
    { version: 0x0304, suite: 0x1302, group: 29, retry: true },
  );
});

test('RFC 9846 §6: a fatal alert ends the flight, a warning does not', () => {
  const reader = new FlightReader();
  assert.equal(reader.push(Uint8Array.from([21, 3, 3, 0, 2, 1, 112])), 'more');
  assert.equal(reader.push(Uint8Array.from([21, 3, 3, 0, 2, 2, 40])), 'alert');
  assert.deepEqual(reader.flight.alert, { level: 2, description: 40 });
});

test('property: segmentation changes no result', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }), (cuts) => {
      const reader = new FlightReader();
      let at = 0;
      for (const cut of [...cuts, retry.length]) {
        reader.push(retry.subarray(at, at + cut));
        at += cut;
      }
      assert.equal(reader.flight.hello?.suite, 0x1302);
    }),
  );
});

test('property: no bytes make the reader throw or buffer more than its limit', () => {
  const mutated = fc
    .tuple(fc.nat(retry.length - 1), fc.nat(255))
    .map(([at, value]) => retry.map((b, i) => (i === at ? value : b)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
      const reader = new FlightReader();
      reader.push(bytes);
      assert.ok(['more', 'complete', 'alert', 'broken'].includes(reader.state));
      readSsl2ServerHello(bytes);
    }),
    { numRuns: 500 },
  );
});

test('every octet outside TLS ends it at once', () => {
  const reader = new FlightReader();
  assert.equal(reader.push(Buffer.from('220 mx.example ESMTP\r\n')), 'broken');
});

test('suites: properties follow from the names', () => {
  const describe = (name: string): string => {
    const s = [...suites.values()].find((suite) => suite.name === name);
    return s
      ? `${s.keyExchange} ${s.authentication} ${s.cipher} ${s.bits} ${s.mode} ${s.forwardSecrecy ? 'fs' : '-'}${s.export ? ' export' : ''}`
      : 'none';
  };
  assert.equal(describe('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'), 'ECDHE RSA AES 128 GCM fs');
  assert.equal(describe('TLS_ECDH_anon_WITH_AES_256_CBC_SHA'), 'ECDHE none AES 256 CBC fs');
  assert.equal(describe('TLS_RSA_EXPORT_WITH_RC4_40_MD5'), 'RSA RSA RC4 40 stream - export');
  assert.equal(describe('TLS_DH_anon_WITH_3DES_EDE_CBC_SHA'), 'DHE none 3DES 112 CBC fs');
  assert.equal(describe('TLS_ECDH_ECDSA_WITH_NULL_SHA'), 'ECDH ECDSA NULL 0 NULL -');
  assert.equal(
    describe('TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
    'DHE RSA CHACHA20 256 POLY1305 fs',
  );
  assert.equal(describe('TLS_AES_128_CCM_8_SHA256'), '1.3 1.3 AES 128 CCM_8 fs');
  assert.equal(describe('TLS_PSK_DHE_WITH_AES_128_CCM_8'), 'DHE PSK AES 128 CCM_8 fs');
});
