import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../base/index.js';
import {
  createZoneKeyPem,
  decodeMessage,
  dsRecord,
  encodeMessage,
  formatRdata,
  OnlineZone,
  parseZone,
  parseZoneKey,
  respondToQuery,
  responseTo,
  StaticRecords,
  typeNumber,
  validate,
  type Message,
  type ZoneSigningKey,
} from '../../dns/index.js';
import { openedStore } from '../../../test/support/opened-store.js';
import { senderCase, senderCases } from '../index.js';
import { senderTestSection } from '../settings.js';
import { CaseAddresses } from './case-addresses.js';
import { siteRecords, zoneRecords, type SiteData } from './site-records.js';
import { allocateSlot } from './allocate-slot.js';
import { SiteZones } from './site-zones.js';
import { SlotTable } from './slot-table.js';

const now = Date.UTC(2026, 10, 23);
const zone = 'sender.example';
const key = parseZoneKey(createZoneKeyPem()) as ZoneSigningKey;
const digest = (letter: string): string => letter.repeat(64);
const v4 = Array.from({ length: 60 }, (_, index) => `198.51.100.${index + 1}`);
const addresses = new CaseAddresses(senderCases, { v4, v6Network: '2001:db8:25::' });
const site: SiteData = {
  zone,
  nameServers: { [`ns.${zone}`]: ['192.0.2.53'], 'ns.elsewhere.example': ['192.0.2.54'] },
  mailAddresses: (senderCase, slot) => addresses.of(senderCase, slot),
  policyAddresses: ['192.0.2.80'],
  keyDigest: digest('a'),
  issuerDigest: digest('b'),
  reportUri: 'mailto:tls@sender.example',
};

function siteZones(withdrawn = false): SiteZones {
  return new SiteZones({
    site,
    key,
    apexAddresses: ['192.0.2.80'],
    slotState: (slot) => (slot === 'abc' ? { withdrawn } : undefined),
    now: () => now,
  });
}

const parents = parseZone(`@ SOA ns. h. 1 1 1 1 60\n@ NS ns.\n${zone} NS ns.${zone}.\n`, {
  origin: Name.root,
  defaultTtl: 60,
});
const rootContent = new StaticRecords(Name.root, [
  ...(parents.ok ? parents.value : []),
  dsRecord(Name.of(zone), key),
]);
const root = new OnlineZone({
  apex: Name.root,
  recordSets: (name) => rootContent.recordSets(name),
  key,
  now: () => now,
});

function ask(zones: SiteZones, name: Name, type: number): Message {
  const query = encodeMessage(
    responseTo(name, type, {
      response: false,
      edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] },
    }),
  );
  const response = respondToQuery(query, {
    zones: (at) => [root, ...zones.zonesFor(at)],
    transport: 'tcp',
  });
  const decoded = decodeMessage(response?.bytes ?? new Uint8Array(0));
  assert.ok(decoded.ok);
  return decoded.value;
}

async function look(
  question: string,
  zones = siteZones(),
): Promise<readonly [status: string, dnssec: string, data: readonly string[]]> {
  const [name = '', type = ''] = question.split(' ');
  const answer = await validate({
    name: Name.of(name),
    type: typeNumber(type) as number,
    anchors: [
      {
        zone: Name.root,
        ds: [],
        keys: [{ flags: 257, protocol: 3, algorithm: 13, publicKey: key.rdata.subarray(4) }],
      },
    ],
    now,
    fetch: (at, asked) => Promise.resolve({ ok: true, message: ask(zones, at, asked) }),
  });
  return [answer.status, answer.dnssec, answer.records.map(formatRdata)];
}

test('the records of every case have the security that the case describes', async () => {
  for (const { id, zone: caseZone, policy, host } of senderCases) {
    const domain = `${id}.abc.${zone}`;
    const [status, dnssec] = await look(`${domain} MX`);
    const expected = caseZone.dnssec === 'bogus-tlsa' ? 'secure' : caseZone.dnssec;
    assert.deepEqual([id, dnssec], [id, expected]);
    assert.equal(status, expected === 'bogus' ? 'failed' : 'found');
    if (expected === 'bogus') continue;
    const [, tlsaSecurity, tlsa] = await look(`_25._tcp.mx.${domain} TLSA`);
    assert.deepEqual(
      [id, tlsaSecurity, tlsa.length],
      [
        id,
        caseZone.dnssec === 'bogus-tlsa' ? 'bogus' : expected,
        caseZone.dnssec === 'bogus-tlsa' ? 0 : (host.tlsa?.length ?? 0),
      ],
    );
    const [, , texts] = await look(`_mta-sts.${domain} TXT`);
    assert.equal(texts.length, policy ? (policy.records ?? 1) : 0, id);
    const [, , policyHost] = await look(`mta-sts.${domain} A`);
    assert.deepEqual(policyHost, policy ? ['192.0.2.80'] : [], id);
    const [, , mail] = await look(`mx.${domain} ${caseZone.family === 'ipv6' ? 'AAAA' : 'A'}`);
    assert.equal(mail.length, 1, id);
  }
});

test('the dead MX host is preferred, and the IPv6 case has no IPv4 address', async () => {
  const [, , mx] = await look(`second-mx.abc.${zone} MX`);
  assert.deepEqual([...mx].sort(), [
    `10 mx.second-mx.abc.${zone}.`,
    `5 dead.second-mx.abc.${zone}.`,
  ]);
  assert.deepEqual(await look(`mx.v6.abc.${zone} A`), ['nodata', 'insecure', []]);
});

test('the withdrawn policy disappears, and the mail host stays', async () => {
  const withdrawn = siteZones(true);
  const domain = `sts-cached.abc.${zone}`;
  assert.equal((await look(`_mta-sts.${domain} TXT`))[0], 'found');
  assert.equal((await look(`_mta-sts.${domain} TXT`, withdrawn))[0], 'nxdomain');
  assert.equal((await look(`mta-sts.${domain} A`, withdrawn))[0], 'nxdomain');
  assert.equal((await look(`${domain} MX`, withdrawn))[0], 'found');
  assert.equal((await look(`_mta-sts.sts.abc.${zone} TXT`, withdrawn))[0], 'found');
});

test('names of other slots and unknown cases get secure NXDOMAIN answers', async () => {
  const zones = siteZones();
  for (const name of [`plain.other.${zone}`, `other.${zone}`, `nothing.abc.${zone}`]) {
    const [, dnssec, records] = await look(`${name} MX`);
    assert.deepEqual([name, dnssec, records], [name, 'secure', []]);
    assert.equal(zones.isExpected(Name.of(name)), false, name);
  }
  for (const name of [
    zone,
    `abc.${zone}`,
    `ns.${zone}`,
    `x.plain.abc.${zone}`,
    `PLAIN.ABC.${zone}`,
  ])
    assert.equal(zones.isExpected(Name.of(name)), true, name);
  assert.deepEqual(zones.namedCase(Name.of(`_25._tcp.MX.Dane.abc.${zone}`)), {
    caseId: 'dane',
    slot: 'abc',
  });
  assert.equal(zones.namedCase(Name.of(`plain.abc.${zone}.example`)), undefined);
});

test('only the report case has a TLS-RPT record, and only with an address', () => {
  const report = senderCase('report');
  assert.ok(report);
  const texts = (reportUri: string | undefined): string =>
    siteRecords(report, 'abc', { ...site, reportUri })
      .flatMap((one) => zoneRecords(one, site).map(formatRdata))
      .join('\n');
  assert.match(texts('mailto:tls@sender.example'), /v=TLSRPTv1; rua=mailto:tls@sender\.example/);
  assert.doesNotMatch(texts(undefined), /TLSRPT/);
});

test('addresses distinguish as many cases as their number permits', () => {
  assert.equal(addresses.areSeparate, true);
  const every = new CaseAddresses(senderCases, { v4 });
  assert.ok(
    senderCases.every((one) => one.zone.family === 'ipv6' || every.of(one, 'x').length === 1),
  );
  assert.equal(every.areSeparate, true);

  const few = new CaseAddresses(senderCases, { v4: v4.slice(0, 10) });
  assert.equal(few.areSeparate, false);
  for (const address of v4.slice(0, 10)) {
    const behaviours = few
      .casesAt(address)
      .map(({ host, withdrawn }) => withdrawn ?? host.starttls);
    assert.ok(new Set(behaviours.map((one) => one ?? 'offered')).size <= 1, address);
  }
  const one = new CaseAddresses(senderCases, { v4: v4.slice(0, 1) });
  assert.equal(one.casesAt('198.51.100.1').length, senderCases.length);
  assert.equal(new CaseAddresses(senderCases, { v4: [] }).areSeparate, true);
});

test('an IPv6 address belongs to one case and slot', () => {
  const [plain, dane] = [senderCase('plain'), senderCase('dane')];
  assert.ok(plain && dane);
  const all = ['abc', 'abd'].flatMap((slot) =>
    [plain, dane].map((one) => addresses.of(one, slot)[1]),
  );
  assert.equal(new Set(all).size, 4);
  for (const address of all) assert.match(address ?? '', /^2001:db8:25:/);
});

test('slots are allocated within the limits of clients and installation', async (t) => {
  const { store } = await openedStore(t, []);
  const table = new SlotTable(store);
  let time = now;
  const options = {
    table,
    clock: { now: () => time },
    limits: { slots: 3, perClient: 2 },
    hours: 72,
  };
  const allocate = (client: string): ReturnType<typeof allocateSlot> =>
    allocateSlot(client, options);
  const first = await allocate('192.0.2.1');
  assert.ok(first.ok);
  assert.match(first.slot.slot, /^[a-z2-7]{12}$/);
  assert.deepEqual(table.byId(first.slot.id), first.slot);
  time += 3_600_000;
  assert.ok((await allocate('192.0.2.1')).ok);
  assert.deepEqual(await allocate('192.0.2.1'), {
    ok: false,
    code: 'sender-client-limit',
    freeAt: now + 72 * 3_600_000,
  });
  assert.ok((await allocate('2001:db8::1')).ok);
  const full = await allocate('198.51.100.7');
  assert.ok(!full.ok && full.code === 'sender-slots-taken');
  time = now + 72 * 3_600_000;
  assert.ok((await allocate('198.51.100.7')).ok);
  assert.equal(table.allocated(time).length, 3);
});

test('clients of one IPv6 network share their limit', async (t) => {
  const { store } = await openedStore(t, []);
  const table = new SlotTable(store);
  const options = {
    table,
    clock: { now: () => now },
    limits: { slots: 9, perClient: 1 },
    hours: 1,
  };
  assert.ok((await allocateSlot('2001:db8::1', options)).ok);
  assert.ok(!(await allocateSlot('2001:db8::2', options)).ok);
  assert.ok((await allocateSlot('2001:db8:0:1::2', options)).ok);
});

test('observations are saved up to a limit, and deleted with their slot', async (t) => {
  const { store } = await openedStore(t, []);
  const table = new SlotTable(store);
  const options = {
    table,
    clock: { now: () => now },
    limits: { slots: 9, perClient: 9 },
    hours: 1,
  };
  const allocated = await allocateSlot('192.0.2.1', options);
  assert.ok(allocated.ok);
  const { slot, id } = allocated.slot;
  const observation = {
    kind: 'withdrawn' as const,
    at: new Date(now).toISOString(),
    case: 'sts-cached',
    slot,
  };
  await table.add(slot, [observation, observation]);
  await table.add('unknown', [observation]);
  assert.equal(table.byId(id)?.revision, 1);
  assert.deepEqual(table.observations(slot), [observation, observation]);
  for (let batch = 0; batch < 6; batch++)
    await table.add(
      slot,
      Array.from({ length: 1000 }, () => observation),
    );
  assert.equal(table.observations(slot).length, 5000);
  await table.withdraw(slot, now);
  await table.withdraw(slot, now + 5);
  assert.equal(table.bySlot(slot)?.withdrawnAt, now);
  await table.purge(now + 3_600_000);
  assert.equal(table.observations(slot).length, 5000);
  await table.purge(now + 20 * 86_400_000);
  assert.deepEqual([table.bySlot(slot), table.observations(slot)], [undefined, []]);
});

test('the section senderTest refuses unusable addresses and networks', () => {
  const section = {
    zone: 'Sender.Example',
    nameServers: { 'ns1.sender.example': ['192.0.2.53'] },
    policyAddresses: ['192.0.2.80'],
  };
  const parsed = senderTestSection.parse({ ...section, mailNetwork: '2001:db8:25::/64' });
  assert.deepEqual([parsed.zone, parsed.mailNetwork], ['sender.example', '2001:db8:25::']);
  for (const wrong of [
    { nameServers: {} },
    { nameServers: { 'ns1.sender.example': [] } },
    { mailNetwork: '2001:db8:25::1/64' },
    { mailNetwork: '2001:db8:25::' },
    { mailNetwork: '192.0.2.0/64' },
    { policyAddresses: ['localhost'] },
    { reportUri: 'mailto:a;b' },
    { page: 'gopher://x' },
    { zone: '*' },
  ])
    assert.equal(senderTestSection.safeParse({ ...section, ...wrong }).success, false);
});
