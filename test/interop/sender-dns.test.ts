import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Name } from '../../src/base/index.js';
import {
  dsRecord,
  formatRecord,
  generateZoneKey,
  OnlineZone,
  parseZone,
  respondToQuery,
  serveDnsStream,
  StaticRecords,
  type ResourceRecord,
  type ZoneSigningKey,
} from '../../src/dns/index.js';
import { listenDatagrams } from '../../src/server/listeners/datagram-listener.js';
import { listenStream } from '../../src/server/listeners/stream-listener.js';
import { Bind } from './bind.js';
import { ownNetwork } from './own-network.js';
import { runProgram } from './process.js';
import { Unbound } from './unbound.js';

const apex = 'slots.example';
const [own, parents, resolver] = ['127.40.0.53', '127.40.0.55', '127.40.0.54'];
ownNetwork([own, parents, resolver]);

const folder = mkdtempSync(join(tmpdir(), 'hermetic-sender-dns-'));
const running: { stop(): Promise<void> }[] = [];
let anchorFile = '';

function zone(
  name: string,
  text: string,
  key?: ZoneSigningKey,
  more: ResourceRecord[] = [],
): OnlineZone {
  const head = `@ SOA ns.${apex}. hostmaster.${apex}. 1 3600 600 86400 60\n@ NS ns.${apex}.\n`;
  const parsed = parseZone(`${head}${text}\n`, { origin: Name.of(name), defaultTtl: 60 });
  assert.ok(parsed.ok);
  const content = new StaticRecords(Name.of(name), [...parsed.value, ...more]);
  return new OnlineZone({
    apex: Name.of(name),
    recordSets: (domainName) => content.recordSets(domainName),
    key,
    now: Date.now,
  });
}

before(async () => {
  const key = generateZoneKey(13);
  const wrongDs = dsRecord(Name.of(`bogus.${apex}`), generateZoneKey(13));
  const host = `www A 192.0.2.1\nwww TXT "text"\nalias CNAME www\na.deep.name A 192.0.2.2`;
  const zones = [
    zone(apex, `ns A ${own}\n${host}\ninsecure NS ns\nbogus NS ns\noutside NS ns.example.`, key, [
      wrongDs,
    ]),
    zone(`insecure.${apex}`, host),
    zone(`bogus.${apex}`, host, generateZoneKey(13)),
  ];
  const at = { address: own, port: 53 };
  const udp = await listenDatagrams(at, {
    perSecond: 1000,
    limits: { connections: 1 },
    answer: (query, _peer, truncate) =>
      respondToQuery(query, { zones: () => zones, transport: 'udp', truncate })?.bytes,
  });
  const tcp = await listenStream(at, {
    limits: { connections: 20, idleMs: 5000 },
    serve: (connection) =>
      serveDnsStream(
        connection,
        (query) => respondToQuery(query, { zones: () => zones, transport: 'tcp' })?.bytes,
      ),
  });
  running.push({ stop: () => udp.close(0) }, { stop: () => tcp.close(0) });
  const bind = new Bind(join(folder, 'parents'), 53, parents);
  running.push(bind);
  // dnssec-signzone takes the DS of a child from this file.
  mkdirSync(join(folder, 'parents/zones'), { recursive: true });
  writeFileSync(
    join(folder, `parents/zones/dsset-${apex}.`),
    `${formatRecord(dsRecord(Name.of(apex), key))}\n`,
  );
  await bind.start([
    { name: 'example', records: `ns A ${parents}\nslots NS ns.slots\nns.slots A ${own}` },
    { name: '.', records: `example. NS ns.example.\nns.example. A ${parents}` },
  ]);
  anchorFile = bind.anchorFile;
  const unbound = new Unbound(folder, 53, resolver);
  running.push(unbound);
  await unbound.iterate(parents, anchorFile);
});

after(async () => {
  await Promise.all(running.map((program) => program.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function dig(server: string, ...args: string[]): Promise<string> {
  return (await runProgram('dig', ['+tries=2', '+time=3', `@${server}`, ...args])).out;
}

const statusOf = (out: string): string => /status: (\w+)/.exec(out)?.[1] ?? '';
const isAuthenticated = (out: string): boolean => /flags:[^;]* ad[ ;]/.test(out);

test('unbound validates every answer of the zone from the root of BIND down', async () => {
  for (const [name, type, status, secure] of [
    [`www.${apex}`, 'A', 'NOERROR', true],
    [`alias.${apex}`, 'TXT', 'NOERROR', true],
    [`www.${apex}`, 'AAAA', 'NOERROR', true],
    [`deep.name.${apex}`, 'A', 'NOERROR', true],
    [`${apex}`, 'DNSKEY', 'NOERROR', true],
    [`_25._tcp.www.${apex}`, 'TLSA', 'NOERROR', true],
    [
      `${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'q'.repeat(46)}.${apex}`,
      'A',
      'NOERROR',
      true,
    ],
    [`www.insecure.${apex}`, 'A', 'NOERROR', false],
    [`nothing.insecure.${apex}`, 'A', 'NXDOMAIN', false],
    [`www.bogus.${apex}`, 'A', 'SERVFAIL', false],
    [`nothing.bogus.${apex}`, 'A', 'SERVFAIL', false],
  ] as const) {
    const out = await dig(resolver, '+dnssec', name, type);
    assert.deepEqual([name, type, statusOf(out)], [name, type, status], out);
    assert.equal(isAuthenticated(out), secure, out);
  }
});

test('delv of BIND validates answers, absence and the unsigned child', async () => {
  const line = /DNSKEY\s+257 3 13 (.+)$/m.exec(readFileSync(anchorFile, 'utf8'));
  mkdirSync(join(folder, 'delv'));
  const file = join(folder, 'delv', 'anchor.conf');
  writeFileSync(
    file,
    `trust-anchors { . static-key 257 3 13 "${line?.[1]?.replace(/\s/g, '')}"; };\n`,
  );
  for (const [name, type, expected] of [
    [`www.${apex}`, 'A', /^; fully validated/m],
    [`www.${apex}`, 'TLSA', /negative response, fully validated/],
    [`nothing.${apex}`, 'A', /negative response, fully validated/],
    [`www.insecure.${apex}`, 'A', /unsigned answer/],
    [`www.bogus.${apex}`, 'A', /resolution failed/],
  ] as const) {
    const { out, err } = await runProgram(
      'delv',
      [`@${resolver}`, '-a', file, '+root', name, type],
      {
        anyStatus: true,
      },
    );
    assert.match(out + err, expected, `${name} ${type}: ${out}${err}`);
  }
});

test('dig gets authoritative answers over UDP and TCP, and no recursion', async () => {
  const direct = await dig(own, '+norecurse', '+dnssec', `www.${apex}`, 'A');
  assert.match(direct, /flags: qr aa;/);
  assert.match(direct, /RRSIG\tA 13 3 60/);
  assert.match(
    await dig(own, '+tcp', '+keepopen', `www.${apex}`, 'A', `www.${apex}`, 'TXT'),
    /"text"/,
  );
  assert.equal(statusOf(await dig(own, `nothing.${apex}`, 'A')), 'NXDOMAIN');
  assert.equal(statusOf(await dig(own, 'www.example.com', 'A')), 'REFUSED');
  assert.match(await dig(own, `x.outside.${apex}`, 'A'), /AUTHORITY: 1/);
  assert.match(await dig(own, apex, 'AXFR'), /Transfer failed/);
});

test('dig gets ANY over TCP after a truncated answer', async () => {
  const first = await dig(own, '+ignore', '+notcp', '+dnssec', `www.${apex}`, 'ANY');
  assert.match(first, /flags: qr tc/);
  const complete = await dig(own, '+dnssec', `www.${apex}`, 'ANY');
  assert.match(complete, /ANSWER: 2,/);
});
