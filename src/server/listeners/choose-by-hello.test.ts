import assert from 'node:assert/strict';
import { createServer as createSecure } from 'node:https';
import { connect as connectPlain, type AddressInfo, type Server } from 'node:net';
import test, { type TestContext } from 'node:test';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { createCa, issue } from '../../pki/index.js';
import { chooseByHello } from './choose-by-hello.js';

const ca = createCa({ name: 'test root' });
const contextNamed = (commonName: string): SecureContext => {
  const { chainPem, keyPem } = issue(ca, { names: ['mta-sts.example.com'], commonName });
  return createSecureContext({ cert: chainPem, key: keyPem });
};
const policy = contextNamed('policy');
const challenge = contextNamed('challenge');

async function serving(t: TestContext, pending: () => boolean): Promise<number> {
  const server: Server = createSecure(
    {
      ALPNProtocols: ['http/1.1'],
      SNICallback: (name, done) => done(null, name === 'mta-sts.example.com' ? policy : undefined),
    },
    (_request, response) => response.end('policy'),
  );
  chooseByHello(server, {
    challenges: () =>
      pending() ? (name) => (name === 'mta-sts.example.com' ? challenge : undefined) : undefined,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/**
 * Resolves to the common name of the certificate and the negotiated protocol, or to the
 * code of the error.
 */
function shown(
  port: number,
  alpn: readonly string[],
  servername = 'mta-sts.example.com',
): Promise<string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect(
      { port, host: '127.0.0.1', servername, ALPNProtocols: [...alpn], rejectUnauthorized: false },
      () => {
        resolve(`${String(socket.getPeerCertificate().subject.CN)} ${String(socket.alpnProtocol)}`);
        socket.destroy();
      },
    );
    socket.once('error', (error: Error & { code?: string }) =>
      resolve(error.code ?? error.message),
    );
  });
}

test('a validator gets the challenge, a client the policy certificate [8737-3-2]', async (t) => {
  const port = await serving(t, () => true);
  assert.equal(await shown(port, ['acme-tls/1']), 'challenge acme-tls/1');
  assert.equal(await shown(port, ['http/1.1']), 'policy http/1.1');
  assert.equal(await shown(port, []), 'policy false');
  assert.equal(await shown(port, ['http/1.1', 'acme-tls/1']), 'policy http/1.1');
});

test('the connection of a challenge is closed after the handshake [8737-4-1]', async (t) => {
  const port = await serving(t, () => true);
  const outcome = await new Promise<string>((resolve, reject) => {
    const socket = connect({
      port,
      servername: 'mta-sts.example.com',
      ALPNProtocols: ['acme-tls/1'],
      rejectUnauthorized: false,
    });
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    socket.once('error', reject).once('close', () => resolve(`closed ${text}`));
    socket.once('secureConnect', () =>
      socket.write('GET / HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n'),
    );
  });
  assert.equal(outcome, 'closed ');
});

test('a name without a challenge or a certificate ends the handshake with an alert', async (t) => {
  const port = await serving(t, () => true);
  assert.match(await shown(port, ['acme-tls/1'], 'mta-sts.example.net'), /ALERT_HANDSHAKE_FAILURE/);
  assert.match(await shown(port, ['http/1.1'], 'mta-sts.example.net'), /ALERT_HANDSHAKE_FAILURE/);
});

test('without a pending challenge, no hello is inspected', async (t) => {
  const port = await serving(t, () => false);
  assert.equal(await shown(port, ['http/1.1']), 'policy http/1.1');
  assert.match(await shown(port, ['acme-tls/1']), /NO_APPLICATION_PROTOCOL/);
});

test('requests pass after the inspection, also with a fragmented hello', async (t) => {
  const port = await serving(t, () => true);
  const whole = await new Promise<string>((resolve, reject) => {
    const stream = connectPlain(port, '127.0.0.1');
    const write = stream.write.bind(stream);
    const inTwo = (bytes: Uint8Array): boolean => {
      Object.assign(stream, { write });
      write(bytes.slice(0, 40));
      setTimeout(() => write(bytes.slice(40)), 30);
      return true;
    };
    Object.assign(stream, { write: inTwo });
    const socket = connect({
      socket: stream,
      servername: 'mta-sts.example.com',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    });
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    socket.once('error', reject).once('close', () => resolve(text));
    socket.write('GET / HTTP/1.1\r\nHost: mta-sts.example.com\r\nConnection: close\r\n\r\n');
  });
  assert.match(whole, /\r\n\r\npolicy$/);
});
