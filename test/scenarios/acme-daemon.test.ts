import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect } from 'node:tls';
import {
  AcmeCa,
  LabDns,
  LabNetwork,
  validateOver,
  type AcmeCaHabits,
  type ValidateChallenge,
} from '../../src/lab/index.js';
import { createCa, createIntermediate, issue } from '../../src/pki/index.js';
import {
  createLog,
  openJobContext,
  openPublishing,
  parseConfig,
  publishSettings,
  startDaemon,
  type Daemon,
} from '../../src/server/index.js';
import { freePort } from '../support/free-port.js';
import { waitUntil } from '../support/wait-until.js';

const domain = 'customer.example';
const host = `mta-sts.${domain}`;
const [caAddress, ourAddress] = ['192.0.2.40', '192.0.2.41'];
const root = createCa({ name: 'Lab Root' });
const issuer = createIntermediate(root, { name: 'Lab Issuer', pathLength: 0 });

/** A resolver that answers as the zone's own server. */
class OwnServer extends LabDns {
  override serve(query: Uint8Array, limit?: number): Uint8Array | undefined {
    const reply = super.serve(query, limit);
    if (reply) reply[2] = (reply[2] ?? 0) | 4;
    return reply;
  }
}

/**
 * Starts a CA and a name server on loopback sockets, and returns the configuration of a
 * daemon that has neither key nor certificate yet.
 */
async function world(
  t: TestContext,
  { habits, validate }: { habits?: Partial<AcmeCaHabits>; validate?: ValidateChallenge } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-acme-daemon-'));
  const network = new LabNetwork();
  const [https, http, dnsPort] = [await freePort(), await freePort(), await freePort()];
  const metrics = await freePort();
  network.attach(ourAddress, 443, { address: '127.0.0.1', port: https });
  network.attach(ourAddress, 80, { address: '127.0.0.1', port: http });
  const dns = new OwnServer(
    [
      { apex: '.', signed: {} },
      {
        apex: 'example',
        records:
          'ns.lab A 127.0.0.1\nca.lab A 127.0.0.1\nmta-sts.customer A 127.0.0.1\nmx.customer A 127.0.0.1',
        signed: {},
      },
    ],
    Date.now(),
  );
  await dns.serveAt(network, '192.0.2.53', { address: '127.0.0.1', port: dnsPort });
  await network.listenTcp(caAddress, 443, (socket) => ca.serve(socket));
  const reached = validateOver(
    network,
    () => ourAddress,
    () => [],
  );
  const ca = new AcmeCa({
    issuer,
    host: `ca.lab.example:${network.targetOf(caAddress, 443)?.port ?? 0}`,
    certificate: issue(root, { names: ['ca.lab.example'] }),
    validate: validate ?? reached,
    now: Date.now,
    ...(habits ? { habits } : {}),
  });
  writeFileSync(join(folder, 'ca.pem'), root.certPem);
  writeFileSync(join(folder, 'anchor'), dns.anchorLine);
  const config = (acme = '', minutes = 0.01) => {
    const parsed = parseConfig(`store: {file: ${join(folder, 'h.db')}}
resolver: {addresses: ['127.0.0.1:${dnsPort}'], trustAnchor: ${join(folder, 'anchor')}}
roots: {replace: ${join(folder, 'ca.pem')}}
network: {privateAddresses: allow}
web: {listen: '127.0.0.1:${https}', http: '127.0.0.1:${http}'}
metrics: {listen: '127.0.0.1:${metrics}'}
publish:
  keys: ${join(folder, 'keys')}
  everyMinutes: ${minutes}
  rehearsal: true
  ports: {smtp: 9, https: ${https}}
  acme: {directory: '${ca.directory}', agreed: true${acme}}
  dns: {own: {kind: print, servers: ['127.0.0.1:${dnsPort}']}}
  domains: {${domain}: {mx: [mx.${domain}], dns: own}}
`);
    assert.deepEqual(parsed.ok ? [] : parsed.failure, []);
    assert.ok(parsed.ok);
    return parsed.value;
  };
  const running = new Set<Daemon>();
  t.after(async () => {
    await Promise.all([...running].map((daemon) => daemon.stop()));
    await network.close();
    rmSync(folder, { recursive: true });
  });
  const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
  return {
    ca,
    config,
    log,
    https,
    http,
    metrics,
    folder,
    network,
    async start(acme?: string, minutes?: number): Promise<Daemon> {
      const daemon = await startDaemon(config(acme, minutes), log);
      running.add(daemon);
      return daemon;
    },
    async stop(daemon: Daemon): Promise<void> {
      running.delete(daemon);
      await daemon.stop();
    },
  };
}

/**
 * Returns the certificate that the port presents for the policy host; undefined if the
 * server refuses the handshake.
 */
function shown(port: number): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect(
      { port, host: '127.0.0.1', servername: host, rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerX509Certificate());
        socket.destroy();
      },
    );
    socket.once('error', () => resolve(undefined));
  });
}

test('a daemon without state gets a certificate, serves it, and serves its successor', async (t) => {
  const { ca, start, https } = await world(t, { habits: { profiles: { '': 12_000 } } });
  assert.equal(await shown(https), undefined);
  await start();
  const first = await waitUntil('the first certificate', () => shown(https));
  assert.equal(first.subjectAltName, `DNS:${host}`);
  const second = await waitUntil('its successor', async () => {
    const now = await shown(https);
    return now && now.serialNumber !== first.serialNumber ? now : undefined;
  });
  assert.ok(second.publicKey.equals(first.publicKey));
  assert.ok(
    ca.orders.size <= ca.certificates.size + 1,
    `${ca.orders.size} orders for ${ca.certificates.size} certificates`,
  );
});

test('http-01: the plain HTTP port answers only the CA, for that name and token', async (t) => {
  const { ca, start, https, http } = await world(t, { habits: { challenges: ['http-01'] } });
  await start(', challenge: http-01');
  await waitUntil('the certificate', () => shown(https));
  const [order] = [...ca.orders.values()];
  const status = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http}${path}`)).status;
  for (const path of [
    '/',
    `/.well-known/acme-challenge/${order?.token ?? ''}`,
    '/.well-known/mta-sts.txt',
    '/.well-known/acme-challenge/../x',
  ])
    assert.equal(await status(path), 404, path);
});

test('http-01 uses the folder of an existing web server, also by hand', async (t) => {
  const { config, log, start, folder, ca, network } = await world(t, {
    habits: { challenges: ['http-01'] },
  });
  const webroot = join(folder, 'www');
  await start('', 0);
  const settings = config(`, challenge: http-01, webroot: ${webroot}`);
  const jobContext = await openJobContext(settings, log);
  const section = publishSettings(settings);
  assert.ok(section);
  const server = createHttp((request, response) => {
    const file = join(webroot, request.url ?? '');
    response
      .writeHead(existsSync(file) ? 200 : 404)
      .end(existsSync(file) ? readFileSync(file) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    void jobContext.close();
  });
  network.attach(ourAddress, 80, {
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  const outcomes = (await (await openPublishing(section, jobContext)).apply()).flatMap(
    (one) => one.outcomes,
  );
  assert.deepEqual(outcomes.find(({ action }) => action.kind === 'certify')?.outcome, {
    status: 'done',
  });
  assert.equal(ca.certificates.size, 1);
  assert.deepEqual(readdirSync(join(webroot, '.well-known', 'acme-challenge')), []);
});

test('a daemon stops at once during a CA request, and the next start continues', async (t) => {
  let answers = false;
  const never = new Promise<undefined>(() => undefined);
  const { ca, start, stop, https } = await world(t, {
    validate: () => (answers ? Promise.resolve(undefined) : never),
  });
  const daemon = await start();
  await waitUntil('an order', () => (ca.orders.size > 0 ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const asked = Date.now();
  await stop(daemon);
  assert.ok(Date.now() - asked < 20_000, `${Date.now() - asked} ms`);
  answers = true;
  await start();
  await waitUntil('the certificate', () => shown(https));
  assert.equal(ca.orders.size, 1);
});

test('the health of the daemon shows a failed publishing action with its domain', async (t) => {
  const { start, metrics } = await world(t, { validate: () => Promise.resolve('no route') });
  await start();
  const health = await waitUntil('the failure', async () => {
    const text = await (await fetch(`http://127.0.0.1:${metrics}/health`)).text();
    return text === 'ok\n' ? undefined : text;
  });
  assert.equal(health, `degraded: publish acme-challenge-failed ${domain}\n`);
});

test('a manual round without a port names the answering service and orders nothing', async (t) => {
  const { ca, config, log, start } = await world(t);
  await start('', 0);
  const settings = config();
  const jobContext = await openJobContext(settings, log);
  t.after(() => jobContext.close());
  const section = publishSettings(settings);
  assert.ok(section);
  const outcomes = (await (await openPublishing(section, jobContext)).apply()).flatMap(
    (one) => one.outcomes,
  );
  const certified = outcomes.find(({ action }) => action.kind === 'certify')?.outcome;
  assert.ok(certified?.status === 'manual', JSON.stringify(outcomes));
  assert.match(
    certified.text,
    /port 443 of mta-sts\.customer\.example.*hermetic serve answers there/,
  );
  assert.equal(ca.orders.size, 0);
});

test('an account key changed by hand is used by the running daemon', async (t) => {
  const { ca, config, log, start, https } = await world(t, { habits: { profiles: { '': 6_000 } } });
  await start();
  await waitUntil('the first certificate', () => shown(https));
  const [first] = [...ca.accounts.values()];
  const settings = config();
  const jobContext = await openJobContext(settings, log);
  t.after(() => jobContext.close());
  const section = publishSettings(settings);
  assert.ok(section);
  assert.deepEqual(await (await openPublishing(section, jobContext)).changeAccountKey?.(), {
    status: 'done',
  });
  assert.ok(first && ![...ca.accounts.values()][0]?.equals(first));
  const before = ca.certificates.size;
  await waitUntil('a renewal', () => (ca.certificates.size > before ? true : undefined));
  assert.equal(ca.accounts.size, 1);
});
