import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { createCa, generateKey, issue } from '../../pki/index.js';
import { createLog } from '../log.js';
import { loadCertificate } from '../secrets.js';
import { listenWeb } from './web-listener.js';

/**
 * Returns the negotiated cipher suite of a TLS 1.2 client, or the error if the server
 * refuses the handshake.
 */
function agreed(port: number, ciphers: string): Promise<string> {
  return new Promise((resolve) => {
    const settings = {
      host: '127.0.0.1',
      port,
      servername: 'a.example',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
      ciphers,
    } as const;
    const socket = connect(settings, () => {
      resolve(socket.getCipher().name);
      socket.destroy();
    });
    socket.once('error', (error: Error & { code?: string }) =>
      resolve(error.code ?? error.message),
    );
  });
}

test('suites without forward secrecy or AEAD are refused [9325-4.1-1, 9325-4.2-1]', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-web-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [algorithm, kind] of [
    ['p256', 'ECDSA'],
    ['rsa-2048', 'RSA'],
  ] as const) {
    const { keyPem, chainPem } = issue(createCa({ name: 'Root' }), {
      names: ['a.example'],
      key: generateKey(algorithm),
    });
    const files = { chain: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };
    writeFileSync(files.key, keyPem, { mode: 0o600 });
    writeFileSync(files.chain, chainPem);
    const { context } = loadCertificate(files);
    const log = createLog({ format: 'plain', write: () => undefined, now: () => 0 });
    const listener = await listenWeb(
      { address: '127.0.0.1', port: 0 },
      { sites: [], log, limits: { connections: 10 }, certificateFor: () => context },
    );
    assert.ok('port' in listener.at);
    const { port } = listener.at;
    assert.equal(
      await agreed(port, `ECDHE-${kind}-AES128-GCM-SHA256`),
      `ECDHE-${kind}-AES128-GCM-SHA256`,
    );
    for (const weak of [
      `ECDHE-${kind}-AES128-SHA`,
      `ECDHE-${kind}-AES256-SHA384`,
      'AES128-GCM-SHA256',
      'DHE-RSA-AES128-GCM-SHA256',
    ])
      assert.match(await agreed(port, weak), /ALERT_HANDSHAKE_FAILURE/, `${algorithm} ${weak}`);
    await listener.close(0);
  }
});

/** Returns the first name of the certificate that a client receives. */
function nameShown(port: number, version: 'TLSv1.2' | 'TLSv1.3', name: string): Promise<string> {
  return new Promise((resolve) => {
    const versions = { minVersion: version, maxVersion: version } as const;
    const socket = connect(
      { host: '127.0.0.1', port, servername: name, rejectUnauthorized: false, ...versions },
      () => {
        resolve(String(socket.getPeerCertificate().subjectaltname));
        socket.destroy();
      },
    );
    socket.once('error', ({ message }: Error) => resolve(message));
  });
}

test('SNI selects its certificate next to a fallback of another key type', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-web-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const log = createLog({ format: 'plain', write: () => undefined, now: () => 0 });
  for (const [own, fallback] of [
    ['rsa-2048', 'p256'],
    ['p256', 'rsa-2048'],
    ['p256', 'p256'],
  ] as const) {
    const loaded = [own, fallback].map((algorithm, n) => {
      const names = [n === 0 ? 'own.example' : 'fallback.example'];
      const made = issue(createCa({ name: 'Root' }), { names, key: generateKey(algorithm) });
      const files = { chain: join(folder, `${n}.pem`), key: join(folder, `${n}.key`) };
      writeFileSync(files.key, made.keyPem, { mode: 0o600 });
      writeFileSync(files.chain, made.chainPem);
      return loadCertificate(files);
    });
    const listener = await listenWeb(
      { address: '127.0.0.1', port: 0 },
      {
        sites: [],
        log,
        limits: { connections: 10 },
        certificateFor: (name) => loaded.find((one) => one.covers(name))?.context,
        fallback: loaded[1]?.pem,
      },
    );
    assert.ok('port' in listener.at);
    const { port } = listener.at;
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const what = `${own} beside ${fallback}, ${version}`;
      assert.equal(await nameShown(port, version, 'own.example'), 'DNS:own.example', what);
      assert.equal(await nameShown(port, version, ''), 'DNS:fallback.example', what);
      assert.equal(await nameShown(port, version, 'other.example'), 'DNS:fallback.example', what);
    }
    await listener.close(0);
  }
});

test('malformed requests and truncated bodies log no errors', async (t) => {
  let logged = '';
  const log = createLog({ format: 'json', write: (line) => void (logged += line), now: () => 0 });
  const site = {
    serves: () => true,
    handle: async (request: Request) => new Response(await request.text()),
  };
  const listener = await listenWeb(
    { address: '127.0.0.1', port: 0 },
    { sites: [site], log, limits: { connections: 10 } },
  );
  t.after(() => listener.close(0));
  const ask = (text: string, breakOff = false): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectPlain('port' in listener.at ? listener.at.port : 0, '127.0.0.1', () =>
        socket.write(text, () => breakOff && socket.destroy()),
      );
      let answer = '';
      socket
        .on('data', (octets) => {
          answer += octets.toString('latin1');
          if (answer.includes('\r\n\r\n')) socket.destroy();
        })
        .on('error', () => undefined);
      socket.once('close', () => resolve(answer));
    });
  assert.match(await ask('TRACE / HTTP/1.1\r\nHost: a.example\r\n\r\n'), /^HTTP\/1.1 400 /);
  assert.match(await ask('GET / HTTP/1.1\r\nHost: a.example:99999999\r\n\r\n'), /^HTTP\/1.1 400 /);
  assert.equal(
    await ask('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 20\r\n\r\n{}', true),
    '',
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(logged, '');
});
