import assert from 'node:assert/strict';
import test from 'node:test';
import { duplexPair } from '../../test/support/stream-pair.js';
import { handshake, readFirstHello, strictTls, suites } from './index.js';
import { isStrictSession, strictSuites } from './settings.js';

// RFC 10015: the prediction of `check` depends on this list, and the handshake of `send`
// depends on OpenSSL.
test('the strict suites are those of the ClientHello that OpenSSL sends', async () => {
  const [client, server] = duplexPair();
  const hello = new Promise<readonly number[]>((resolve) => {
    readFirstHello(server, (received) => resolve(received?.suites ?? []));
  });
  const connection = {
    stream: client,
    local: { address: '192.0.2.1', port: 1 },
    remote: { address: '192.0.2.2', port: 25 },
    close: () => client.destroy(),
  };
  const ended = handshake({ connection, serverName: 'mx.example', ...strictTls });
  const offered = (await hello).filter((id) => suites.get(id)?.tls13 === false);
  assert.deepEqual(
    offered.toSorted((left, right) => left - right),
    strictSuites.toSorted((left, right) => left - right),
  );
  server.destroy();
  client.destroy();
  await ended;
});

test('a session is strict by version and suite', () => {
  const ecdhe = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
  for (const [version, suite, strict] of [
    ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', true],
    ['TLSv1.2', ecdhe, true],
    ['TLSv1.1', ecdhe, false],
    ['TLSv1.2', 'TLS_RSA_WITH_AES_128_GCM_SHA256', false],
    ['TLSv1.2', 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', false],
    ['TLSv1.2', 'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256', false],
    ['TLSv1.2', 'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA', false],
  ] as const)
    assert.equal(isStrictSession(version, suite), strict, `${version} ${suite}`);
});
