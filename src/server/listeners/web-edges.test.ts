import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createCa, issue } from '../../pki/index.js';
import { createLog } from '../log.js';
import { loadCertificate, type ServerCertificate } from '../secrets.js';
import { listenWeb, type WebSettings } from './web-listener.js';
import { testSize } from '../../../test/support/test-size.js';

const log = createLog({ format: 'plain', write: () => undefined, now: () => 0 });
const limits = { connections: 100 };

/**
 * Opens a port with one site, which answers with the path and the size of the body. At
 * `/busy` the site answers 503 without reading the body.
 */
async function webPort(t: TestContext, more: Partial<WebSettings> = {}): Promise<number> {
  const site = {
    serves: (host: string) => host === 'a.example',
    handle: async (request: Request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === '/busy') return new Response('busy\n', { status: 503 });
      return new Response(`${pathname}${search} ${(await request.arrayBuffer()).byteLength}\n`);
    },
    maxBody: 10_000_000,
  };
  const listener = await listenWeb(
    { address: '127.0.0.1', port: 0 },
    { sites: [site], log, limits, ...more },
  );
  t.after(() => listener.close(0));
  assert.ok('port' in listener.at);
  return listener.at.port;
}

/**
 * Returns all text that the server sends until it closes the connection, or until
 * `enough` matches.
 */
function ask(port: number, text: string | Buffer, enough = /\r\n\r\n[^]*\n|^$/): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (octets) => {
      received += octets.toString('latin1');
      if (enough.test(received)) socket.destroy();
    });
    socket.on('error', () => undefined).once('close', () => resolve(received));
  });
}

const status = async (port: number, text: string): Promise<string> =>
  (await ask(port, `${text}\r\n\r\n`)).slice(9, 12);

test('RFC 9112 §3.2: exactly one well-formed Host field, except in HTTP/1.0', async (t) => {
  const port = await webPort(t);
  const get = (fields: string, version = '1.1'): Promise<string> =>
    status(port, `GET / HTTP/${version}${fields}`);
  assert.equal(await get('\r\nHost: a.example'), '200');
  for (const host of ['A.Example', 'a.example:8443', 'a.example.', 'a.example:'])
    assert.equal(await get(`\r\nHost: ${host}`), '200', host);
  for (const second of ['a.example', 'b.example', ''])
    assert.equal(await get(`\r\nHost: a.example\r\nX: y\r\nhOST: ${second}`), '400', second);
  for (const host of ['a.example, b.example', 'u@a.example', 'a.example:x', 'a.example:70000', '/'])
    assert.equal(await get(`\r\nHost: ${host}`), '400', host);
  assert.equal(await get(''), '400');
  assert.equal(await get('', '1.0'), '404', 'no host, no site');
  assert.equal(await get('\r\nHost: a.example', '1.0'), '200');
  assert.equal(await get('\r\nHost:'), '404');
});

test('RFC 9112 §3.2.2: absolute-form is accepted, and its authority replaces Host', async (t) => {
  const port = await webPort(t);
  const get = (target: string, host = 'b.example', method = 'GET'): Promise<string> =>
    ask(port, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
  assert.match(await get('http://a.example/x?y'), /^HTTP\/1\.1 200 [^]*\/x\?y 0\n$/);
  assert.match(await get('HTTP://A.example:80', '', 'POST'), /^HTTP\/1\.1 200 [^]*\/ 0\n$/);
  assert.match(await get('http://a.example?q'), /^HTTP\/1\.1 200 [^]*\/\?q 0\n$/);
  assert.match(await get('http://b.example/', 'a.example'), /^HTTP\/1\.1 404 /);
  assert.match(await get('https://a.example/'), /^HTTP\/1\.1 421 /, 'https over plain HTTP');
  for (const target of [
    'ftp://a.example/',
    'http://u@a.example/',
    'http:///',
    'a.example:443',
    'x',
  ])
    assert.match(await get(target, 'a.example'), /^HTTP\/1\.1 400 /, target);
  assert.match(await get('http://a.example/', 'a.example\r\nHost: a.example'), /^HTTP\/1\.1 400 /);
});

test('OPTIONS * is a ping; other requests for * and CONNECT are refused', async (t) => {
  const port = await webPort(t);
  const fields = 'HTTP/1.1\r\nHost: a.example';
  assert.equal((await ask(port, `OPTIONS * ${fields}\r\n\r\n`, /\r\n\r\n/)).slice(9, 12), '204');
  assert.equal(await status(port, `GET * ${fields}`), '400');
  const connected = await ask(port, `CONNECT a.example:443 ${fields}\r\n\r\n`);
  assert.match(connected, /^HTTP\/1\.1 405 [^]*Allow: /);
});

test('a body that could end in two places is refused and ends the connection', async (t) => {
  const port = await webPort(t);
  const fields: readonly (readonly [string, string])[] = [
    ['Transfer-Encoding: chunked\r\nContent-Length: 3', '400'],
    ['Content-Length: 3\r\nContent-Length: 4', '400'],
    ['Transfer-Encoding: gzip', '400'],
    ['Transfer-Encoding: identity', '400'],
    ['Transfer-Encoding: gzip, chunked', '501'],
    ['X: a\r\n b', '400'],
    ['X : a', '400'],
  ];
  for (const [field, expected] of fields) {
    const text = `POST / HTTP/1.1\r\nHost: a.example\r\n${field}\r\n\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: a.example`;
    const received = await ask(port, `${text}\r\n\r\n`, /no end/);
    assert.equal(received.slice(9, 12), expected, field);
    assert.ok(!received.includes('/two'), field);
  }
  const old = 'POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0';
  assert.equal(await status(port, old), '400');
  assert.equal(await status(port, 'GET / HTTP/2.0\r\nHost: a.example'), '505');
});

test('RFC 9110 §10.1.1: a client with Expect: 100-continue is refused before the body', async (t) => {
  const port = await webPort(t);
  const post = (path: string, length: string, host = 'a.example'): Promise<string> =>
    ask(
      port,
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-Continue\r\n${length}\r\n\r\n`,
      /\r\n\r\n/,
    );
  assert.match(await post('/', 'Content-Length: 20000000'), /^HTTP\/1\.1 413 /);
  assert.match(await post('/busy', 'Content-Length: 100'), /^HTTP\/1\.1 503 /);
  assert.match(await post('/', 'Content-Length: 100', 'b.example'), /^HTTP\/1\.1 404 /);
  assert.match(await post('/', 'Content-Length: 100'), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  assert.match(await post('/', 'Transfer-Encoding: chunked'), /^HTTP\/1\.1 100 /);
  const unknown = 'POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 200-maybe\r\nContent-Length: 0';
  assert.equal(await status(port, unknown), '417');
  const whole =
    'POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc';
  assert.match(await ask(port, whole, /\/ 3\n/), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

test('a client that sends its whole body receives the early answer', async (t) => {
  const port = await webPort(t);
  const body = Buffer.alloc(9_000_000, 'x');
  const post = (path: string, length: number, host = 'a.example'): Promise<string> =>
    ask(
      port,
      Buffer.concat([
        Buffer.from(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${length}\r\n\r\n`),
        body,
      ]),
      /no end/,
    );
  const clients = testSize(6, 20);
  const refused = await Promise.all([
    ...Array.from({ length: clients }, () => post('/busy', body.length)),
    post('/', body.length, 'b.example'),
  ]);
  assert.deepEqual(
    refused.map((received) => received.slice(9, 12)),
    [...Array.from({ length: clients }, () => '503'), '404'],
  );
  assert.match(refused[0] ?? '', /\r\nconnection: close\r\n[^]*busy\n$/i);
  // The announced length already exceeds the limit. The connection ends although the
  // client never sends the rest of the body.
  assert.match(await post('/', 20_000_000), /^HTTP\/1\.1 413 /);
});

test('a chunked body over the limit is answered 413, and the answer arrives', async (t) => {
  const port = await webPort(t);
  const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
  const head = 'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n';
  const received = await ask(port, `${head}${chunk.repeat(12)}0\r\n\r\n`, /no end/);
  assert.match(received, /^HTTP\/1\.1 413 [^]*Too large\n$/);
});

test('a client without SNI is shown the first certificate, also after a reload', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-sni-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const certificates = ['first.example', 'second.example'].map((name): ServerCertificate => {
    const { keyPem, chainPem } = issue(createCa({ name: 'Root' }), { names: [name] });
    const files = { chain: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    writeFileSync(files.key, keyPem, { mode: 0o600 });
    writeFileSync(files.chain, chainPem);
    return loadCertificate(files);
  });
  const [first, second] = certificates;
  const certificateFor = (name: string): ServerCertificate['context'] | undefined =>
    certificates.find((one) => one.covers(name))?.context;
  const settings = { sites: [], log, limits, certificateFor };
  const listener = await listenWeb(
    { address: '127.0.0.1', port: 0 },
    { ...settings, fallback: first?.pem },
  );
  t.after(() => listener.close(0));
  const shown = (servername?: string): Promise<string> =>
    new Promise((resolve) => {
      const port = 'port' in listener.at ? listener.at.port : 0;
      const socket = connectTls(
        { port, host: '127.0.0.1', rejectUnauthorized: false, servername: servername ?? '' },
        () => {
          const { subjectaltname } = socket.getPeerCertificate();
          resolve(String(subjectaltname));
          socket.destroy();
        },
      );
      socket.once('error', ({ message }: Error) => resolve(message));
    });
  assert.equal(await shown(), 'DNS:first.example');
  assert.equal(await shown('second.example'), 'DNS:second.example');
  listener.use({ ...settings, fallback: second?.pem });
  assert.equal(await shown(), 'DNS:second.example');
  listener.use(settings);
  assert.match(await shown(), /alert|handshake/i, 'no certificate, no handshake');
});

test('a site may accept larger bodies on some of its paths', async (t) => {
  const site = {
    serves: () => true,
    handle: async (request: Request) => new Response(`${(await request.text()).length}\n`),
    maxBody: (path: string) => ({ '/large': 200_000, '/small': 10 })[path],
  };
  const port = await webPort(t, { sites: [site] });
  const post = (path: string, size: number): Promise<string> =>
    status(
      port,
      `POST ${path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`,
    );
  assert.equal(await post('/large', 200_000), '200');
  assert.equal(await post('/large', 200_001), '413');
  assert.equal(await post('/small', 11), '413');
  assert.equal(await post('/', 65_536), '200');
  assert.equal(await post('/', 65_537), '413');
});
