import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, type Lab } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';
import { createCa, issue, selfSigned, type Issued } from '../../src/pki/index.js';
import { parsePem, trustStore } from '../../src/x509/index.js';

const root = createCa({ name: 'Resolver Root' });
const open: { server: Server; lab: Lab }[] = [];
after(async () => {
  for (const { server, lab } of open) {
    server.close();
    await lab.close();
  }
});

/**
 * Starts the lab with a TLS port that relays all data to the lab's resolver. The result
 * records plaintext connections and questions.
 */
async function behindTls(identity: Issued, closes = false) {
  const lab = await createLab();
  const [plain] = lab.upstreams;
  assert.ok(plain);
  const server = createServer(
    { key: identity.keyPem, cert: identity.chainPem, ALPNProtocols: ['dot'] },
    (socket) => {
      socket.on('error', () => undefined);
      void lab.network
        .dial({ address: plain.address, port: plain.port, timeoutMs: 10_000 })
        .then((dialled) => {
          if (!dialled.ok) return socket.destroy();
          dialled.connection.stream.on('error', () => socket.destroy());
          if (closes)
            dialled.connection.stream.once('data', (answer: Buffer) => socket.end(answer));
          return closes
            ? socket.pipe(dialled.connection.stream)
            : dialled.connection.stream.pipe(socket).pipe(dialled.connection.stream);
        });
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ server, lab });
  lab.attach(plain.address, 853, {
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  const inClear: string[] = [];
  let handshakes = 0;
  server.on('secureConnection', () => handshakes++);
  const network: Network = {
    dial: (request) => {
      if (request.port === 53) inClear.push('dial');
      return lab.network.dial(request);
    },
    exchange: (request) => {
      inClear.push('exchange');
      return lab.network.exchange(request);
    },
  };
  const roots = [lab.rootPem, root.certPem].map((pem) => parsePem(pem));
  const options = {
    ...labOptions(lab),
    network,
    depth: 'triage' as const,
    upstreams: [
      { address: plain.address, port: 853, tlsName: 'dns.lab.example', label: 'tls://dns' },
    ],
    trustStore: trustStore(roots.flatMap((r) => (r.ok ? r.value : []))),
  };
  return { options, inClear, handshakes: () => handshakes };
}

test('RFC 7858 §3.4: a whole check uses one authenticated TLS connection', async () => {
  const { options, inClear, handshakes } = await behindTls(
    issue(root, { names: ['dns.lab.example'] }),
  );
  const result = await check('good.example', options);
  assert.deepEqual(
    [result.verdict, result.route.dnssec, result.exposure.dane.none],
    ['pass', 'secure', 'verified'],
  );
  assert.deepEqual([inClear, handshakes()], [[], 1]);
});

test('a resolver that closes after each answer gets new connections', async () => {
  const { options, handshakes } = await behindTls(
    issue(root, { names: ['dns.lab.example'] }),
    true,
  );
  const result = await check('good.example', options);
  assert.deepEqual([result.verdict, result.route.dnssec], ['pass', 'secure']);
  assert.ok(handshakes() > 1);
});

for (const [what, identity] of [
  ['for another name', issue(root, { names: ['other.lab.example'] })],
  ['self-signed', selfSigned({ names: ['dns.lab.example'] })],
  ['out of date', issue(root, { names: ['dns.lab.example'], notAfter: Date.now() - 3_600_000 })],
] as const)
  test(`a resolver with a certificate ${what} is reported and gets no question`, async () => {
    const { options, inClear } = await behindTls(identity);
    const result = await check('good.example', options);
    assert.deepEqual(
      [result.verdict, result.route.dnssec, result.exposure.dane.none],
      ['inconclusive', 'indeterminate', 'unknown'],
    );
    const named = result.findings.find((f) => f.id === 'resolver-no-dnssec');
    assert.match(named?.title ?? '', /tls:\/\/dns could not be reached over TLS under that name/);
    assert.deepEqual(inClear, []);
  });
