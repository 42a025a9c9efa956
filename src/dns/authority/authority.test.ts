import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../base/index.js';
import {
  compareNames,
  createZoneKeyPem,
  decodeMessage,
  dsRecord,
  encodeMessage,
  formatRdata,
  OnlineZone,
  parseZone,
  parseZoneKey,
  readNsec,
  respondToQuery,
  responseTo,
  RRType,
  StaticRecords,
  typeNumber,
  validate,
  type AuthorityOptions,
  type DnsAnswer,
  type Message,
  type ResourceRecord,
  type ZoneSigningKey,
} from '../index.js';
import { firstAfter } from './compact-denial.js';

const now = Date.UTC(2026, 10, 23);
const MAIN = 'slots.example';
const content = `@ SOA ns.slots.example. hostmaster.slots.example. 1 3600 600 86400 60
@ NS ns.slots.example.
ns A 192.0.2.53
www A 192.0.2.1
www TXT "text"
alias CNAME www
lost CNAME nowhere
away CNAME www.other.example.
a.deep.name A 192.0.2.2
outside NS ns.outside
ns.outside A 192.0.2.54
`;

function newKey(): ZoneSigningKey {
  return parseZoneKey(createZoneKeyPem()) as ZoneSigningKey;
}

function records(text: string, apex: string): ResourceRecord[] {
  const parsed = parseZone(text, { origin: Name.of(apex), defaultTtl: 60 });
  assert.ok(parsed.ok);
  return [...parsed.value];
}

function zone(apex: string, all: readonly ResourceRecord[], key?: ZoneSigningKey): OnlineZone {
  const content = new StaticRecords(Name.of(apex), all);
  return new OnlineZone({
    apex: Name.of(apex),
    recordSets: (name) => content.recordSets(name),
    key,
    now: () => now,
  });
}

const child = (apex: string): ResourceRecord[] =>
  records(`@ SOA ns.${MAIN}. h.${MAIN}. 1 1 1 1 60\n@ NS ns.${MAIN}.\nwww A 192.0.2.3\n`, apex);

const rootKey = newKey();
const mainKey = newKey();
const bogusKey = newKey();
const main = zone(
  MAIN,
  [
    ...records(content, MAIN),
    ...records(`insecure NS ns\nbogus NS ns\n`, MAIN),
    dsRecord(Name.of(`bogus.${MAIN}`), newKey()),
  ],
  mainKey,
);
const zones = [
  main,
  zone(`insecure.${MAIN}`, child(`insecure.${MAIN}`)),
  zone(`bogus.${MAIN}`, child(`bogus.${MAIN}`), bogusKey),
];
const root = zone(
  '.',
  [
    ...records(`@ SOA ns. h. 1 1 1 1 60\n@ NS ns.\n${MAIN} NS ns.${MAIN}.\n`, '.'),
    dsRecord(Name.of(MAIN), mainKey),
  ],
  rootKey,
);

interface Query extends Partial<Omit<AuthorityOptions, 'zones'>> {
  readonly zones?: readonly OnlineZone[];
  readonly udpSize?: number | undefined;
  readonly dnssecOk?: boolean;
  readonly version?: number;
  readonly change?: Partial<Message>;
}

function queryFor(question: string, query: Query = {}): Uint8Array {
  const [name = '', type = ''] = question.split(' ');
  const { udpSize = 1232, dnssecOk = true, version = 0 } = query;
  return encodeMessage(
    responseTo(Name.of(name), typeNumber(type) as number, {
      id: 7,
      response: false,
      edns:
        'udpSize' in query && !query.udpSize
          ? undefined
          : { version, udpSize, dnssecOk, options: [] },
      ...query.change,
    }),
  );
}

function ask(question: string, query: Query = {}): Message & { readonly size: number } {
  const response = respondToQuery(queryFor(question, query), {
    transport: 'udp',
    ...query,
    zones: () => query.zones ?? zones,
  });
  assert.ok(response);
  const decoded = decodeMessage(response.bytes);
  assert.ok(decoded.ok);
  return { ...decoded.value, size: response.bytes.length };
}

function validated(question: string): Promise<DnsAnswer> {
  const [name = '', type = ''] = question.split(' ');
  return validate({
    name: Name.of(name),
    type: typeNumber(type) as number,
    anchors: [{ zone: Name.root, ds: [], keys: [keyOf(rootKey)] }],
    now,
    fetch: (name, type) =>
      Promise.resolve({
        ok: true,
        message: ask(`${name.toString()} TYPE${type}`, { zones: [root, ...zones] }),
      }),
  });
}

function keyOf({ rdata }: ZoneSigningKey): {
  flags: number;
  protocol: number;
  algorithm: number;
  publicKey: Uint8Array;
} {
  return { flags: 257, protocol: 3, algorithm: 13, publicKey: rdata.subarray(4) };
}

test('every kind of answer of a zone signed online validates', async () => {
  for (const [question, status, dnssec] of [
    [`www.${MAIN} A`, 'found', 'secure'],
    [`WwW.${MAIN} TXT`, 'found', 'secure'],
    [`alias.${MAIN} A`, 'found', 'secure'],
    [`${MAIN} DNSKEY`, 'found', 'secure'],
    [`${MAIN} MX`, 'nodata', 'secure'],
    [`www.${MAIN} AAAA`, 'nodata', 'secure'],
    [`deep.name.${MAIN} A`, 'nodata', 'secure'],
    [`insecure.${MAIN} DS`, 'nodata', 'secure'],
    [`www.insecure.${MAIN} A`, 'found', 'insecure'],
    [`nothing.insecure.${MAIN} A`, 'nxdomain', 'insecure'],
    [`www.bogus.${MAIN} A`, 'failed', 'bogus'],
  ] as const) {
    const answer = await validated(question);
    assert.deepEqual([question, answer.status, answer.dnssec], [question, status, dnssec]);
  }
});

test('RFC 9824 §3.1: a missing name is NODATA with NXNAME, and validates', async () => {
  for (const name of ['nothing', 'a.b.nothing', 'x.www', 'x.name', 'lost']) {
    const question = `${name}.${MAIN} A`;
    assert.equal((await validated(question)).dnssec, 'secure', question);
    const { rcode, authorities } = ask(question);
    assert.equal(rcode, 0);
    const nsec = authorities.find(({ type }) => type === RRType.NSEC);
    assert.match(formatRdata(nsec as ResourceRecord), /^\\000\.\S+ RRSIG NSEC NXNAME$/);
  }
});

test('without the DO bit a missing name is NXDOMAIN, and no DNSSEC record is sent', () => {
  for (const query of [{ dnssecOk: false }, { udpSize: undefined }]) {
    const { rcode, authorities } = ask(`nothing.${MAIN} A`, query);
    assert.deepEqual([rcode, authorities.map(({ type }) => type)], [3, [RRType.SOA]]);
    const found = ask(`www.${MAIN} A`, query);
    assert.deepEqual(
      found.answers.map(({ type }) => type),
      [RRType.A],
    );
  }
  assert.equal(ask(`nothing.${MAIN} A`, { udpSize: undefined }).edns, undefined);
});

test('the proof for a name of maximal length covers no name before it', () => {
  const longest = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(46)].join('.');
  const octets = (text: string): Name => {
    const parsed = Name.parse(text);
    assert.ok(parsed.ok);
    return parsed.value;
  };
  for (const text of [
    `${longest}.${MAIN}`,
    `${'\\255'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(46)}.${MAIN}`,
    `${'a'.repeat(62)}@.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(46)}.${MAIN}`,
    `${'Z'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(46)}.${MAIN}`,
  ]) {
    const name = octets(text);
    const next = firstAfter(name, Name.of(MAIN));
    assert.ok(compareNames(name, next) < 0, next.toString());
    const [nsec] = ask(`${text} A`).authorities.filter(({ type }) => type === RRType.NSEC);
    const read = readNsec(nsec as ResourceRecord);
    assert.ok(read.ok && compareNames(name, read.value.next) < 0);
  }
  const everything = octets(`${'\\255'.repeat(63)}.${MAIN}`);
  assert.ok(firstAfter(everything, Name.of(MAIN)).equals(Name.of(MAIN)));
});

test('a delegation gives a referral with glue, and its NS records are not signed', () => {
  const referral = ask(`mx.outside.${MAIN} MX`);
  assert.equal(referral.authoritative, false);
  assert.deepEqual(referral.answers, []);
  assert.deepEqual(
    referral.authorities.map(({ type }) => type),
    [RRType.NS, RRType.NSEC, RRType.RRSIG],
  );
  assert.deepEqual(referral.additionals.map(formatRdata), ['192.0.2.54']);
  const nsec = referral.authorities[1] as ResourceRecord;
  // Names below the zone cut belong to the child zone.
  assert.match(formatRdata(nsec), /^outside\\000\.slots\.example\. NS RRSIG NSEC$/);
  const ds = ask(`outside.${MAIN} DS`);
  assert.deepEqual([ds.authoritative, ds.rcode, ds.answers.length], [true, 0, 0]);
});

test('an alias to a name outside the zones ends the answer', () => {
  const { rcode, answers } = ask(`away.${MAIN} A`);
  assert.deepEqual([rcode, answers.map(({ type }) => type)], [0, [RRType.CNAME, RRType.RRSIG]]);
});

test('names outside the zones, other classes and zone transfers are refused', () => {
  for (const [question, query] of [
    ['www.other.example A', {}],
    ['example A', {}],
    [`${MAIN} AXFR`, { transport: 'tcp' }],
    [`${MAIN} TYPE200`, {}],
  ] as const) {
    const { rcode, authoritative, recursionAvailable } = ask(question, query);
    assert.deepEqual(
      [question, rcode, authoritative, recursionAvailable],
      [question, 5, false, false],
    );
  }
  const chaos = ask(`${MAIN} TXT`, {
    change: { questions: [{ name: Name.of(MAIN), type: RRType.TXT, class: 3 }] },
  });
  assert.equal(chaos.rcode, 5);
});

test('malformed messages, other opcodes and EDNS versions get an error', () => {
  assert.equal(ask(`${MAIN} A`, { change: { opcode: 5 } }).rcode, 4);
  assert.equal(ask(`${MAIN} A`, { change: { opcode: 4 } }).rcode, 4);
  assert.equal(ask(`${MAIN} A`, { change: { questions: [] } }).rcode, 1);
  assert.equal(ask(`${MAIN} A`, { version: 1 }).rcode, 16);
  // [9824-3.5-1]
  assert.equal(ask(`${MAIN} TYPE128`).rcode, 1);
  const query = queryFor(`${MAIN} A`);
  const cut = respondToQuery(query.subarray(0, 20), { zones: () => zones, transport: 'udp' });
  assert.deepEqual([...(cut?.bytes.subarray(0, 4) ?? [])], [0, 7, 0x80, 1]);
});

test('a response and an incomplete header are never answered', () => {
  const answer = ask(`${MAIN} A`);
  for (const bytes of [encodeMessage(answer), new Uint8Array(11), new Uint8Array(0)])
    assert.equal(respondToQuery(bytes, { zones: () => zones, transport: 'udp' }), undefined);
});

test("UDP answers fit the client's limit and 1232 octets", () => {
  for (const [udpSize, most] of [
    [undefined, 512],
    [100, 512],
    [4096, 1232],
  ] as const) {
    const large = Array.from({ length: 60 }, (_, index) => `big TXT "${'x'.repeat(20)}${index}"`);
    const bulky = zone(MAIN, [...records(content, MAIN), ...records(large.join('\n'), MAIN)]);
    const query = { udpSize, zones: [bulky] };
    const answer = ask(`big.${MAIN} TXT`, query);
    assert.ok(answer.truncated && answer.size <= most && answer.answers.length === 0);
    const complete = ask(`big.${MAIN} TXT`, { ...query, transport: 'tcp' });
    assert.deepEqual([complete.truncated, complete.answers.length], [false, 60]);
  }
});

test('RFC 8482 §4.1: ANY returns one record set, over UDP at most three times its size', () => {
  const complete = ask(`www.${MAIN} ANY`, { transport: 'tcp' });
  assert.deepEqual(
    complete.answers.map(({ type }) => type),
    [RRType.A, RRType.RRSIG],
  );
  assert.equal(ask(`nothing.${MAIN} ANY`, { dnssecOk: false, transport: 'tcp' }).rcode, 3);
  for (const dnssecOk of [true, false])
    for (const name of [MAIN, `www.${MAIN}`, `nothing.${MAIN}`, `insecure.${MAIN}`]) {
      const query = { dnssecOk };
      const { size } = ask(`${name} ANY`, query);
      assert.ok(size <= 3 * queryFor(`${name} ANY`, query).length, `${name} ${size}`);
    }
});

test('an unexpected name gains at most three times its size over UDP', () => {
  const isExpected = (name: Name): boolean => name.isAtOrBelow(Name.of(`www.${MAIN}`));
  for (const dnssecOk of [true, false])
    for (const name of ['other', 'ns', 'a.deep.name', 'x.outside', 'y.insecure', '']) {
      const question = `${name}${name && '.'}${MAIN} TXT`;
      const { size } = ask(question, { dnssecOk, isExpected });
      assert.ok(size <= 3 * queryFor(question, { dnssecOk }).length, `${question} ${size}`);
    }
  assert.equal(ask(`x.www.${MAIN} TXT`, { isExpected }).truncated, false);
  assert.equal(ask(`other.${MAIN} TXT`, { isExpected, transport: 'tcp' }).truncated, false);
});

test('the owner of an answer has the spelling of the question', () => {
  const [found] = ask(`wWw.${MAIN} A`).answers;
  assert.equal(found?.name.toString(), `wWw.${MAIN}`);
});

test('a signature is renewed before it expires', () => {
  let time = now;
  const content = new StaticRecords(Name.of(MAIN), records('@ A 192.0.2.1', MAIN));
  const changing = new OnlineZone({
    apex: Name.of(MAIN),
    recordSets: (name) => content.recordSets(name),
    key: mainKey,
    now: () => time,
  });
  const signature = (): string => {
    const set = changing.recordSets(Name.of(MAIN))?.get(RRType.A) ?? [];
    return formatRdata(changing.withSignature(set)[1] as ResourceRecord);
  };
  const first = signature();
  assert.equal(signature(), first);
  time += 24 * 3_600_000;
  assert.notEqual(signature(), first);
});

test('a zone key is read from PEM, other keys are refused', () => {
  const pem = createZoneKeyPem();
  assert.deepEqual(parseZoneKey(pem)?.rdata, parseZoneKey(pem)?.rdata);
  assert.equal(parseZoneKey('no key'), undefined);
  assert.equal(parseZoneKey(pem.replace(/A/g, 'B')), undefined);
});
