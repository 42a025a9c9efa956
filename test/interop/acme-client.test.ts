import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { nodeNetwork } from '../../src/net/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import {
  Issuer,
  KeyRing,
  openAcmeStore,
  WebSolver,
  type IssuerOptions,
} from '../../src/publish/index.js';
import { openStore } from '../../src/store/index.js';
import { parseCertificate, trustStore } from '../../src/x509/index.js';
import { freePort } from '../support/free-port.js';
import { Daemon, until } from './process.js';

const root = createCa({ name: 'Web Root' });
const external = { keyId: 'customer-1', macKey: Buffer.alloc(32, 7).toString('base64url') };

/**
 * Starts pebble as a CA with external accounts and three roots, which refuses one nonce
 * of ten.
 */
async function world(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-acme-client-'));
  const [api, management, http, alpn, dns, unused] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const own = issue(root, { names: ['localhost'] });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const pebble = {
    listenAddress: `127.0.0.1:${api}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: file('web.pem', own.chainPem),
    privateKey: file('web.key', own.keyPem),
    httpPort: http,
    tlsPort: alpn,
    externalAccountBindingRequired: true,
    externalAccountMACKeys: { [external.keyId]: external.macKey },
  };
  const names = new Daemon(
    'pebble-challtestsrv',
    [
      '-dns01',
      `127.0.0.1:${dns}`,
      '-http01',
      '',
      '-https01',
      '',
      '-tlsalpn01',
      '',
      '-management',
      `127.0.0.1:${unused}`,
      '-defaultIPv6',
      '',
    ],
    folder,
  );
  // One nonce of ten is refused. At one in five, an order would fail once in fifty runs,
  // after five consecutive refusals.
  const settings = ['PEBBLE_VA_NOSLEEP=1', 'PEBBLE_WFE_NONCEREJECT=10', 'PEBBLE_ALTERNATE_ROOTS=2'];
  const config = file('pebble.json', JSON.stringify({ pebble }));
  const daemon = new Daemon(
    'env',
    [...settings, 'pebble', '-config', config, '-dnsserver', `127.0.0.1:${dns}`],
    folder,
  );
  const answers = new WebSolver('http-01');
  const web = createServer((asked, response) => {
    const text = answers.textFor(
      (asked.headers.host ?? '').replace(/:\d+$/, ''),
      asked.url?.split('/').at(-1) ?? '',
    );
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((resolve) => web.listen(http, '127.0.0.1', resolve));
  const store = await openStore(':memory:');
  t.after(async () => {
    await daemon.stop();
    await names.stop();
    web.close();
    store.close();
    rmSync(folder, { recursive: true });
  });
  await until(
    'pebble',
    async () => (await rootOf(management, 0)).includes('Pebble'),
    () => daemon.log,
  );
  const [ring, book, anchor] = [
    new KeyRing(join(folder, 'keys')),
    openAcmeStore(store),
    parseCertificate(root.der),
  ];
  assert.ok(anchor.ok);
  const server = {
    directory: `https://localhost:${api}/dir`,
    network: nodeNetwork(),
    clock: systemClock,
    anchors: trustStore([anchor.value]),
    addressesOf: () => Promise.resolve(['127.0.0.1']),
  };
  const certifier = (options: Partial<IssuerOptions> = {}) =>
    new Issuer({
      server,
      store: book,
      ring,
      solvers: [answers],
      contact: [],
      external,
      random: () => 0.5,
      poll: { every: 100, atMost: 30_000 },
      ...options,
    });
  return { ring, certifier, management, book, account: () => book.account(server.directory) };
}

/** Returns the name of one root of pebble. */
function rootOf(port: number, n: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', servername: 'localhost', port, path: `/roots/${n}`, ca: root.certPem },
      (response) => {
        let text = '';
        response
          .on('data', (bytes: Buffer) => (text += bytes.toString()))
          .on('end', () => resolve(new X509Certificate(text).subject.slice(3)));
      },
    );
    asked.on('error', reject).end();
  });
}

test('pebble: external account, several names, three chains, key change, lost order', async (t) => {
  const { ring, book, certifier, management, account } = await world(t);
  const done = { status: 'done' };
  const made = (host: string) => {
    ring.make(host, 'ecdsa-1', 'ecdsa');
    return { host, key: 'ecdsa-1' };
  };
  const stranger = await certifier({ external: { ...external, macKey: 'AAAA' } }).certify(
    made('mx0.example'),
  );
  assert.ok(
    stranger.status === 'failed' && stranger.code === 'acme-refused',
    JSON.stringify(stranger),
  );

  assert.deepEqual(
    await certifier({ additionalNames: () => ['mail.example', 'imap.example'] }).certify(
      made('mx1.example'),
    ),
    done,
  );
  const leaf = new X509Certificate(ring.chain('mx1.example', 'ecdsa-1') ?? '');
  assert.equal(
    leaf.subjectAltName?.split(', ').sort().join(),
    'DNS:imap.example,DNS:mail.example,DNS:mx1.example',
  );

  for (const n of [0, 1, 2]) {
    const preferredChain = await rootOf(management, n);
    const one = made(`chain-${n}.example`);
    assert.deepEqual(await certifier({ preferredChain }).certify(one), done);
    const chain = (ring.chain(one.host, one.key) ?? '')
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .filter((pem) => pem.includes('BEGIN'));
    assert.equal(new X509Certificate(chain.at(-1) ?? '').issuer, `CN=${preferredChain}`);
  }

  const before = account()?.key;
  assert.deepEqual(await certifier().changeAccountKey(), done);
  assert.notEqual(account()?.key, before);
  assert.deepEqual(await certifier().certify(made('mx2.example')), done);

  const lost = made('mx3.example');
  const failingSolver = {
    type: 'http-01' as const,
    show: () => Promise.resolve({ status: 'manual', text: 'x' } as const),
    hide: () => Promise.resolve(),
  };
  await certifier({ solvers: [failingSolver] }).certify(lost);
  const open = book.order(lost.host, lost.key);
  assert.ok(open?.url !== undefined);
  await book.saveOrder(lost.host, lost.key, { directory: open.directory, names: open.names });
  await certifier({ solvers: [failingSolver] }).certify(lost);
  assert.equal(book.order(lost.host, lost.key)?.url, open.url);
  assert.deepEqual(await certifier().certify(lost), done);
});
