import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createCa, issue } from '../../pki/index.js';
import { createLog } from '../log.js';
import { loadCertificate } from '../secrets.js';
import { listenWeb } from './web-listener.js';

/**
 * Opens an HTTPS and an HTTP port, with a site that answers with the size of the body.
 */
async function bothPorts(t: TestContext): Promise<readonly (readonly ['tls' | 'plain', number])[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-web-'));
  const { chainPem, keyPem } = issue(createCa({ name: 'Web CA' }), { names: ['a.example'] });
  const pair = { chain: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };
  writeFileSync(pair.chain, chainPem);
  writeFileSync(pair.key, keyPem, { mode: 0o600 });
  const { context } = loadCertificate(pair);
  rmSync(folder, { recursive: true });
  const site = {
    serves: () => true,
    handle: async (request: Request) =>
      new Response(`${(await request.arrayBuffer()).byteLength} octets\n`),
  };
  const log = createLog({ format: 'plain', write: () => undefined, now: () => 0 });
  const settings = { sites: [site], log, limits: { connections: 100 } };
  const ports = [];
  for (const kind of ['tls', 'plain'] as const) {
    const secure = kind === 'tls' ? { certificateFor: () => context } : {};
    const listener = await listenWeb({ address: '127.0.0.1', port: 0 }, { ...settings, ...secure });
    t.after(() => listener.close(0));
    assert.ok('port' in listener.at);
    ports.push([kind, listener.at.port] as const);
  }
  return ports;
}

/**
 * Sends the text, and resolves to all received octets when the connection has closed.
 */
function answerTo(kind: 'tls' | 'plain', port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const at = { port, host: '127.0.0.1' };
    const socket =
      kind === 'tls'
        ? connectTls({ ...at, rejectUnauthorized: false, servername: 'a.example' })
        : connect(at);
    socket.once(kind === 'tls' ? 'secureConnect' : 'connect', () => socket.write(text));
    socket.on('data', (octets: Buffer) => (received += octets.toString('latin1')));
    socket.on('error', () => undefined).once('close', () => resolve(received));
  });
}

const head = 'POST / HTTP/1.1\r\nHost: a.example\r\n';
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;

test('the answer to an unreadable request reaches its client', async (t) => {
  for (const [kind, port] of await bothPorts(t))
    for (const [text, status] of [
      [`${head}X: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
      [`${head}X: ${'a'.repeat(500_000)}\r\n\r\n`, 431],
      [`POST /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`, 431],
      [`${chunked}3;${'x'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`, 413],
      [`${chunked}zz\r\n${'a'.repeat(200_000)}`, 400],
      [`${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${head}\r\n`, 400],
    ] as const) {
      const received = await answerTo(kind, port, text);
      assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `), `${kind} ${text.slice(0, 80)}`);
      assert.equal(received.match(/HTTP\/1\.1/g)?.length, 1);
    }
});
