/**
 * The reverse proxy of docs/web.md: nginx in front of the public pages, with the
 * configuration from that page.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { createLog } from '../../src/server/index.js';
import { listenWeb } from '../../src/server/listeners/web-listener.js';
import { openStore } from '../../src/store/index.js';
import { builtinTrustStore } from '../../src/tls/index.js';
import { AccountTable, hashPassword, openPages, pagesSection } from '../../src/web/index.js';
import { silentNetwork, zoneResolver } from '../support/testing-pages.js';
import { freePort } from '../support/free-port.js';
import { accepts, Daemon, until } from './process.js';

const name = 'check.example.com';
const folder = mkdtempSync(join(tmpdir(), 'hermetic-nginx-'));
const root = createCa({ name: 'Root' });
let openGate: () => void = () => undefined;
let nginx: Daemon;
let stopPages = (): Promise<unknown> => Promise.resolve();
let [proxyPort, pagesPort] = [0, 0];

/**
 * Returns the configuration in the documentation, with the ports and files of this test.
 */
function documented(ports: { readonly proxy: number; readonly pages: number }): string {
  const [, block = ''] = /```nginx\n([\s\S]*?)```/.exec(readFileSync('docs/web.md', 'utf8')) ?? [];
  assert.match(block, /proxy_pass/);
  return block
    .replace(/listen \[::\]:443[^;]*;\n/, '')
    .replace('listen 443', `listen 127.0.0.1:${ports.proxy}`)
    .replace('127.0.0.1:8082', `127.0.0.1:${ports.pages}`)
    .replaceAll('/etc/ssl/check.example.com', join(folder, 'check'));
}

before(async () => {
  const { keyPem, chainPem } = issue(root, { names: [name] });
  writeFileSync(join(folder, 'check.pem'), chainPem);
  writeFileSync(join(folder, 'check.key'), keyPem);
  const gate = new Promise<void>((resolve) => (openGate = resolve));
  const store = await openStore(':memory:');
  const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
  const settings = pagesSection.parse({ proxies: ['127.0.0.1'], signIn: {} });
  const context = {
    network: silentNetwork(),
    resolver: zoneResolver([], () => gate),
    trustStore: builtinTrustStore(),
    store,
    clock: systemClock,
    log,
  };
  const pages = await openPages(settings, context, { hasOperatorPages: true });
  const by = { at: Date.now(), actor: 'test', way: 'command', network: '' };
  const hash = await hashPassword('password of alice', { log2N: 4, r: 8, p: 1 });
  const account = { name: 'alice', role: 'viewer', customers: undefined } as const;
  await new AccountTable(store).add(account, hash, by);
  const sites = [{ serves: () => true, handle: pages.handler(false), answer: pages.refusal }];
  const listener = await listenWeb(
    { address: '127.0.0.1', port: 0 },
    { sites, log, limits: { connections: 100 } },
  );
  pagesPort = 'port' in listener.at ? listener.at.port : 0;
  stopPages = () => (pages.stop(), listener.close(0));
  proxyPort = await freePort();
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ');
  writeFileSync(
    file,
    `daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log stderr error;
events { worker_connections 256; }
http { access_log off; ${temporary}
${documented({ proxy: proxyPort, pages: pagesPort })}
}\n`,
  );
  nginx = new Daemon('/usr/sbin/nginx', ['-c', file, '-p', folder], folder);
  await until(
    'nginx listens',
    () => accepts('127.0.0.1', proxyPort),
    () => nginx.log,
  );
});

after(async () => {
  await nginx.stop();
  await stopPages();
  rmSync(folder, { recursive: true });
});

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Address of the client. */
  readonly from?: string;
}

/** Sends a request through nginx; resolves when the header of the answer arrives. */
function ask(path: string, { from, body, ...sent }: Sent = {}): Promise<IncomingMessage> {
  const options = { host: '127.0.0.1', port: proxyPort, localAddress: from, path, ...sent };
  const headers = { host: name, ...sent.headers };
  return new Promise((resolve, reject) => {
    const tls = { servername: name, ca: root.certPem };
    request({ ...options, ...tls, headers }, resolve)
      .on('error', reject)
      .end(body);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += String(part);
  return text;
}

const form = { 'content-type': 'application/x-www-form-urlencoded', origin: `https://${name}` };

function check(domain: string, from: string, forwarded: string): Promise<IncomingMessage> {
  const headers = { ...form, 'x-forwarded-for': forwarded };
  return ask('/check', { method: 'POST', headers, body: `domain=${domain}`, from });
}

test('pages arrive through the proxy with HSTS, also those of an error', async () => {
  for (const [path, status] of [
    ['/', 200],
    ['/nothing', 404],
    ['/o', 303],
  ] as const) {
    const answer = await ask(path);
    answer.resume();
    assert.equal(answer.statusCode, status, path);
    assert.match(String(answer.headers['strict-transport-security']), /^max-age=\d{7,}/, path);
    assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/, path);
  }
});

test('the address of a client is that of its connection to the proxy', async () => {
  const statuses: (number | undefined)[] = [];
  // The client sends a forged address in each request.
  for (let n = 1; n <= 4; n++) {
    const answer = await check(`a${n}.test${n}.com`, '127.0.0.5', `203.0.113.${n}`);
    answer.resume();
    statuses.push(answer.statusCode);
  }
  assert.deepEqual(statuses, [303, 303, 429, 429]);
  const other = await check('b.test9.com', '127.0.0.6', '127.0.0.5');
  other.resume();
  assert.equal(other.statusCode, 303);
});

test('a client that bypasses the proxy cannot set its address', async () => {
  const direct = (n: number): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = { host: name, 'x-forwarded-for': `203.0.113.${n}`, ...form };
      const options = {
        host: '127.0.0.1',
        port: pagesPort,
        localAddress: '127.0.0.7',
        path: '/check',
      };
      plainRequest({ ...options, method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end(`domain=c${n}.direct${n}.com`);
    });
  assert.deepEqual([await direct(1), await direct(2), await direct(3)], [303, 303, 429]);
});

test('the events of a check pass the proxy while the check runs', async () => {
  const started = await check('live.test10.com', '127.0.0.8', '');
  started.resume();
  const path = started.headers.location ?? '';
  const events = await ask(`${path}/events`);
  assert.match(events.headers['content-type'] ?? '', /^text\/event-stream/);
  const parts = events.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
  let early = '';
  while (!early.includes('event: progress')) early += (await parts.next()).value as string;
  // The resolver answers only now, so nginx has not buffered the stream until its end.
  openGate();
  let rest = '';
  for (let part = await parts.next(); !part.done; part = await parts.next()) rest += part.value;
  assert.match(rest, /event: (done|progress)/);
});

test('an account signs in through the proxy, and its session works', async () => {
  const body = 'name=alice&password=password%20of%20alice&next=';
  const signedIn = await ask('/sign-in', { method: 'POST', headers: form, body });
  signedIn.resume();
  assert.equal(signedIn.statusCode, 303);
  const [cookie = ''] = signedIn.headers['set-cookie'] ?? [];
  assert.match(cookie, /^__Host-hermetic=[^;]+;.* Secure/);
  const headers = { cookie: cookie.split(';')[0] ?? '' };
  assert.match(await textOf(await ask('/o', { headers })), /Signed in as alice/);
  // A form submitted from another site.
  const foreign = { ...form, origin: 'https://attacker.example' };
  const refused = await ask('/sign-in', { method: 'POST', headers: foreign, body });
  refused.resume();
  assert.equal(refused.statusCode, 403);
});
