import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { collect, collectOptions, grade } from '../../src/check/index.js';
import { Name } from '../../src/base/index.js';
import { mailServer } from '../../src/lab/index.js';
import { createCa, createIntermediate, issue } from '../../src/pki/index.js';
import type { Applied, DnsWriter } from '../../src/publish/index.js';
import {
  createLog,
  openHouse,
  openPublishing,
  parseConfig,
  publishSettings,
  startDaemon,
  type Publishing,
} from '../../src/server/index.js';
import { Bind } from './bind.js';
import { freePort, runProgram } from './process.js';

const domain = 'life.example';
const hosts = ['mx1', 'mx2'].map((label, i) => ({ name: `${label}.${domain}`, address: `127.0.0.${31 + i}` }));
const root = createCa({ name: 'Life Root' });
const authority = createIntermediate(root, { name: 'Life CA' });

/** RRsets of a zone, and how long whoever fetched one before may hold it. */
class LifeZone {
  readonly sets = new Map<string, { readonly rdata: readonly string[]; readonly ttl: number }>();

  text(): string {
    const fixed = [...hosts.map(({ name, address }) => `${name}. 60 A ${address}`), `policy.${domain}. 60 A 127.0.0.1`];
    const moving = [...this.sets].flatMap(([key, { rdata, ttl }]) => {
      const [name = '', type = ''] = key.split(' ');
      return rdata.map((data) => `${name}. ${ttl} ${type} ${data}`);
    });
    return [...fixed, ...moving].join('\n');
  }
}

/** A CA, a name server, two mail servers and the daemon, on loopback and the real clock; records live for a second. */
async function world(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-life-'));
  const [auth, smtp, https] = [await freePort(), await freePort(), await freePort()];
  const bind = new Bind(folder, auth);
  const zone = new LifeZone();
  zone.sets.set(`${domain} MX`, { rdata: [`10 ${hosts[0]?.name ?? ''}.`], ttl: 1 });
  const spec = () => ({ name: domain, records: zone.text(), minimum: 1 });
  await bind.start([
    spec(),
    { name: 'example', records: 'ns A 127.0.0.1\nlife NS ns.example.' },
    { name: '.', records: 'example NS ns.example.\nns.example A 127.0.0.1' },
  ]);
  writeFileSync(join(folder, 'ca.pem'), root.certPem);
  const files = (name: string) => ({
    chain: join(folder, `${name}.chain`),
    key: join(folder, `${name}.key`),
    installed: join(folder, name),
  });
  const servers = hosts.map(({ name, address }) => {
    const { chain, key, installed } = files(name);
    const both = join(installed, 'ecdsa', 'both.pem');
    const first = issue(authority, { names: [name] });
    writeFileSync(chain, first.chainPem);
    writeFileSync(key, first.keyPem);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // Like a server that was told to read its certificate again.
      const [chainPem, keyPem] = (existsSync(both) ? [both, both] : [chain, key]).map((file) => readFileSync(file, 'utf8'));
      mailServer({ name, certificates: [{ ...first, chainPem: chainPem ?? '', keyPem: keyPem ?? '' }] })(socket);
    });
    server.listen(smtp, address);
    return server;
  });
  const config = (mode: string, mx: readonly string[]) => {
    const host = (name: string): string =>
      `    ${name}: {dns: bind, ttl: 1, adopt: [${files(name).key}], install: {folder: ${files(name).installed}}}`;
    const parsed = parseConfig(`store: {file: ${join(folder, 'h.db')}}
resolver: {addresses: ['127.0.0.1:${auth}'], trustAnchor: ${bind.anchorFile}}
roots: {replace: ${join(folder, 'ca.pem')}}
network: {privateAddresses: allow}
web: {listen: '127.0.0.1:${https}'}
publish:
  keys: ${join(folder, 'keys')}
  everyMinutes: 0
  rehearsal: true
  days: 0
  leastReports: 0
  ports: {smtp: ${smtp}, https: ${https}}
  dns: {bind: {kind: print, servers: ['127.0.0.1:${auth}']}}
  hosts:
${hosts.map(({ name }) => host(name)).join('\n')}
  domains:
    ${domain}: {mode: ${mode}, mx: [${mx.join(', ')}], maxAges: [4, 8], policyHost: policy.${domain}, ttl: 1, reports: ['mailto:tls@${domain}'], dns: bind}
`);
    assert.deepEqual(parsed.ok ? [] : parsed.failure, []);
    assert.ok(parsed.ok);
    return parsed.value;
  };
  const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
  const daemon = await startDaemon(config('enforce', [hosts[0]?.name ?? '']), log);
  t.after(async () => {
    await daemon.stop();
    await bind.stop();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const writer: DnsWriter = async ({ name, type, from, to, ttl }) => {
    const key = `${name} ${type}`;
    const now = [...(zone.sets.get(key)?.rdata ?? [])].sort();
    if (now.join() === [...to].sort().join()) return { status: 'done' };
    if (now.join() !== [...from].sort().join()) return { status: 'failed', code: 'prerequisite', detail: `${key} is ${now.join()}` };
    if (to.length > 0) zone.sets.set(key, { rdata: to, ttl });
    else zone.sets.delete(key);
    await bind.change(spec());
    return { status: 'done' };
  };
  /** Rounds until it holds; between them a sender looks, and another program verifies the server by every set of TLSA records it could hold. */
  const until = async (
    what: string,
    mode: string,
    mx: readonly string[],
    holds: (publishing: Publishing) => boolean,
    confirm = false,
  ): Promise<void> => {
    const settings = config(mode, mx);
    const section = publishSettings(settings);
    assert.ok(section);
    let last: readonly Applied[] = [];
    for (const end = Date.now() + 60_000; Date.now() < end;) {
      const house = await openHouse(settings, log);
      try {
        const publishing = openPublishing(section, house, {
          writers: new Map([['bind', writer]]),
          certify: async ({ host, key }) => {
            const pair = { privateKey: publishing.ring.privateKey(host, key), publicKey: publishing.ring.publicKey(host, key) };
            writeFileSync(publishing.ring.chainFile(host, key), issue(authority, { names: [host], key: pair }).chainPem);
            return { status: 'done' };
          },
        });
        last = await publishing.apply();
        for (const { outcomes } of last)
          for (const { says, outcome } of outcomes) assert.equal(outcome.status, 'done', `${says}: ${JSON.stringify(outcome)}`);
        if (confirm) for (const { proposals } of last) for (const { token } of proposals) publishing.ledger.confirm(token, Date.now());
        await look(house);
        if (holds(publishing)) return;
      } finally {
        house.close();
      }
    }
    assert.fail(`${what} did not come about: ${JSON.stringify(last, null, 1)}`);
  };
  const held = new Map<string, number>();
  const look = async (house: Awaited<ReturnType<typeof openHouse>>): Promise<void> => {
    const { network, resolver, trustStore } = house;
    const result = grade(
      await collect(Name.of(domain), collectOptions({ network, resolver, trustStore, smtpPort: smtp, httpsPort: https, depth: 'triage' })),
    );
    const bad = result.findings.filter(({ severity }) => severity === 'fail');
    assert.deepEqual(bad, [], 'a check fails in the midst of a change');
    for (const { name, address } of hosts) {
      const records = zone.sets.get(`_25._tcp.${name} TLSA`)?.rdata ?? [];
      if (records.length > 0) held.set(`${name} ${address}|${records.join('|')}`, Date.now());
    }
    for (const [key, at] of held) {
      if (Date.now() - at > 1000) held.delete(key);
      else await verifyWithOpenssl(key, smtp);
    }
  };
  return { zone, until };
}

/** OpenSSL's own DANE, given the records a sender may hold. */
async function verifyWithOpenssl(held: string, port: number): Promise<void> {
  const [where = '', ...records] = held.split('|');
  const [name = '', address = ''] = where.split(' ');
  const rrdata = records.flatMap((record) => ['-dane_tlsa_rrdata', record]);
  const args = ['s_client', '-starttls', 'smtp', '-connect', `${address}:${port}`, '-dane_tlsa_domain', name, ...rrdata, '-brief'];
  const { out, err } = await runProgram('sh', ['-c', 'exec openssl "$@" </dev/null', 'openssl', ...args], {
    anyStatus: true,
    timeoutMs: 20_000,
  });
  assert.match(out + err, /Verification: OK/, `${held}\n${out}${err}`);
}

test('a domain’s whole life over BIND: from nothing to enforced and DANE, a key rollover, an MX migration, and out again', async (t) => {
  const { zone, until } = await world(t);
  const [mx1 = '', mx2 = ''] = hosts.map(({ name }) => name);
  const tlsa = (name: string): readonly string[] => zone.sets.get(`_25._tcp.${name} TLSA`)?.rdata ?? [];
  const mode = (publishing: Publishing): string => /mode: (\w+)/.exec(publishing.ledger.body(domain) ?? '')?.[1] ?? 'absent';
  await until('enforced with both records', 'enforce', [mx1], (p) => mode(p) === 'enforce' && tlsa(mx1).length === 2);
  const before = tlsa(mx1);
  await until('another key', 'enforce', [mx1], (publishing) => {
    const current = publishing.ledger.host(mx1).slots.ecdsa?.current;
    if (current && before.includes(`3 1 1 ${current.sha256}`) && current.name.startsWith('adopted'))
      publishing.ledger.confirm(`leave:${mx1}:${current.sha256}`, Date.now());
    return tlsa(mx1).length === 2 && before.filter((record) => tlsa(mx1).includes(record)).length === 1;
  });
  await until(
    'the MX hosts moved',
    'enforce',
    [mx2],
    (p) => zone.sets.get(`${domain} MX`)?.rdata.join() === `10 ${mx2}.` && !/mx1/.test(p.ledger.body(domain) ?? ''),
  );
  await until('removed', 'none', [mx2], (p) => mode(p) === 'absent' && !zone.sets.has(`_mta-sts.${domain} TXT`), true);
});
