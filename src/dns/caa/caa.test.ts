import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../base/index.js';
import { LabDns, type ZoneSpec } from '../../lab/index.js';
import {
  createResolver,
  decodeMessage,
  formatCaa,
  judgeCaa,
  lookupCaa,
  parseIssueValue,
  parseRecord,
  type CaaDecision,
  type CaaRequest,
  type Resolver,
} from '../index.js';
import { readCaa } from './parse-caa.js';
import { FakeClock } from '../../../test/support/fake-clock.js';

/** Returns the CAA decision for records in zone file format. */
function decide(records: readonly string[], request: Partial<CaaRequest> = {}): CaaDecision {
  const properties = records.map((record) => {
    const parsed = parseRecord(`mx.example. 60 IN CAA ${record}`);
    assert.ok(parsed.ok);
    const read = readCaa(parsed.value);
    assert.ok(read);
    return read;
  });
  return judgeCaa(properties, { issuers: ['ca.example'], wildcard: false, ...request });
}

const answers = (records: readonly string[], request?: Partial<CaaRequest>): string =>
  decide(records, request).answer;

test('without a property that restricts the issuer, every CA may issue', () => {
  assert.equal(answers([]), 'permitted');
  assert.equal(answers(['0 iodef "mailto:a@b.example"']), 'permitted');
  assert.equal(answers(['0 issuewild "other.example"']), 'permitted');
  assert.equal(answers(['0 somenewtag "x"']), 'permitted');
});

test('RFC 8659 §4.2: one property that names the CA is enough', () => {
  assert.equal(answers(['0 issue "ca.example"']), 'permitted');
  assert.equal(answers(['0 ISSUE "ca.example"']), 'permitted');
  assert.equal(answers(['0 issue "other.example"', '0 issue "ca.example; x=y"']), 'permitted');
  assert.equal(answers(['0 issue ";"', '0 issue "ca.example"']), 'permitted');
  assert.equal(answers(['0 issue "other.example"']), 'refused');
  assert.equal(answers(['0 issue "sub.ca.example"']), 'refused');
});

// [8659-4.2-1]
test('RFC 8659 §4.2: an empty or malformed issuer permits no CA', () => {
  for (const value of ['', ';', ' ; ', '%%%%', 'ca_example', 'ca.example x', '-ca.example'])
    assert.equal(answers([`0 issue "${value}"`]), 'refused', value);
  assert.equal(parseIssueValue('ca.example; a'), undefined);
  assert.equal(parseIssueValue('ca.example; a=b;'), undefined);
  assert.deepEqual(parseIssueValue(' ca.example ;'), { issuer: 'ca.example', parameters: [] });
});

// [8659-4.1-1]
test('RFC 8659 §4.1: an unknown critical property stops every CA', () => {
  assert.equal(answers(['128 somenewtag "x"', '0 issue "ca.example"']), 'refused');
  assert.equal(answers(['128 issue "ca.example"']), 'permitted');
  assert.equal(answers(['1 somenewtag "x"', '0 issue "ca.example"']), 'permitted');
});

test('an issuer in capital letters leaves the answer open', () => {
  assert.equal(answers(['0 issue "CA.Example"']), 'unknown');
  assert.equal(answers(['0 issue "Ca.example; x=y"']), 'unknown');
  assert.equal(answers(['0 issue "CA.example"', '0 issue "ca.example"']), 'permitted');
  assert.equal(answers(['0 issue "OTHER.example"']), 'refused');
});

test('a critical property that some CAs do not understand leaves the answer open', () => {
  for (const tag of ['contactemail', 'contactphone', 'issuemail', 'issuevmc']) {
    assert.equal(answers([`128 ${tag} "x"`, '0 issue "ca.example"']), 'unknown', tag);
    assert.equal(answers([`0 ${tag} "x"`, '0 issue "ca.example"']), 'permitted', tag);
    assert.equal(answers([`128 ${tag} "x"`, '0 issue "other.example"']), 'refused', tag);
    assert.equal(answers([`128 ${tag} "x"`]), 'unknown', tag);
  }
  assert.equal(answers(['128 iodef "mailto:a@b.example"', '0 issue "ca.example"']), 'permitted');
});

// [8659-4.3-1, 8659-4.3-2]
test('RFC 8659 §4.3: issuewild replaces issue for wildcard names only', () => {
  const records = ['0 issue "ca.example"', '0 issuewild ";"'];
  assert.equal(answers(records), 'permitted');
  assert.equal(answers(records, { wildcard: true }), 'refused');
  assert.equal(answers(['0 issue "ca.example"'], { wildcard: true }), 'permitted');
  assert.equal(
    answers(['0 issue ";"', '0 issuewild "ca.example"'], { wildcard: true }),
    'permitted',
  );
});

// [8657-3-1]
test('RFC 8657 §3: accounturi permits one account', () => {
  const uri = 'https://ca.example/acct/1';
  const record = [`0 issue "ca.example; accounturi=${uri}"`];
  assert.equal(answers(record), 'conditional');
  assert.equal(answers(record, { accountUri: uri }), 'permitted');
  assert.equal(answers(record, { accountUri: `${uri}2` }), 'refused');
  const twice = [`0 issue "ca.example; accounturi=${uri}; accounturi=${uri}"`];
  assert.equal(answers(twice, { accountUri: uri }), 'refused');
  assert.deepEqual(decide(record, { accountUri: uri }).bound, ['accounturi']);
});

// [8657-4-1]
test('RFC 8657 §4: validationmethods permits the methods it lists', () => {
  const record = ['0 issue "ca.example; validationmethods=dns-01,http-01"'];
  assert.equal(answers(record), 'conditional');
  assert.equal(answers(record, { methods: ['http-01'] }), 'permitted');
  assert.equal(answers(record, { methods: ['tls-alpn-01'] }), 'refused');
  assert.equal(answers(['0 issue "ca.example; validationmethods="']), 'refused');
  // A label that violates the grammar invalidates the whole list.
  for (const list of ['dns_01,http-01', 'http-01,', ',http-01', 'http-01,,dns-01'])
    assert.equal(
      answers([`0 issue "ca.example; validationmethods=${list}"`], { methods: ['http-01'] }),
      'refused',
      list,
    );
  const twice = ['0 issue "ca.example; validationmethods=a; validationmethods=http-01"'];
  assert.equal(answers(twice, { methods: ['http-01'] }), 'refused');
});

test('a CA without a known identifier is unknown unless no CA may issue', () => {
  assert.equal(answers(['0 issue "ca.example"'], { issuers: undefined }), 'unknown');
  assert.equal(answers(['0 issue ";"'], { issuers: undefined }), 'refused');
});

test('an unreadable record is not a property', () => {
  const base = { name: Name.of('a.example'), class: 1, ttl: 60 };
  for (const rdata of [[], [0], [0, 0], [0, 9, 97], [0, 1, 0x2d]])
    assert.equal(readCaa({ ...base, type: 257, rdata: Uint8Array.from(rdata) }), undefined);
  assert.equal(formatCaa({ critical: true, tag: 'issue', value: 'a"b' }), '128 issue "a\\"b"');
});

const now = Date.UTC(2026, 10, 23);
const zones: readonly ZoneSpec[] = [
  { apex: '.', signed: {} },
  { apex: 'example', signed: {} },
  {
    apex: 'own.example',
    records: `@ CAA 0 issue "parent.example"
mx A 192.0.2.1
exact CAA 0 issue "exact.example"
alias CNAME target.other.example.
bare CNAME bare.other.example.`,
  },
  {
    apex: 'other.example',
    records: `@ CAA 0 issue "wrong.example"
target CAA 0 issue "target.example"
bare A 192.0.2.2`,
  },
  { apex: 'bogus.example', signed: {}, fault: 'expired', records: 'mx A 192.0.2.3' },
];

/** Looks up the CAA records for a name in the zones, and counts the questions. */
async function relevant(name: string): Promise<string> {
  const dns = new LabDns(zones, now);
  const resolver = createResolver({
    network: {
      dial: () => assert.fail('each answer fits into a datagram'),
      exchange({ query, accept, to }) {
        assert.ok(decodeMessage(query).ok);
        const bytes = dns.serve(query);
        assert.ok(bytes && accept(bytes, to));
        return Promise.resolve({ ok: true, bytes });
      },
    },
    upstreams: [{ address: '192.0.2.53', port: 53, label: 'lab' }],
    anchors: dns.anchors,
    clock: new FakeClock(now),
  });
  const { status, at, properties, dnssec } = await lookupCaa(resolver, Name.of(name));
  return `${status} ${at.toLower()} ${dnssec} ${properties.map(({ value }) => value).join(' ')}`;
}

// [8659-3-1]
test('RFC 8659 §3: the search ends at the first ancestor with records', async () => {
  assert.equal(
    await relevant('exact.own.example'),
    'found exact.own.example insecure exact.example',
  );
  assert.equal(await relevant('mx.own.example'), 'found own.example insecure parent.example');
  assert.equal(await relevant('a.b.mx.own.example'), 'found own.example insecure parent.example');
  assert.match(await relevant('mx.none.example'), /^absent /);
});

test('RFC 8659 §3: an alias counts for its name; ancestors of its target do not', async () => {
  assert.equal(
    await relevant('alias.own.example'),
    'found alias.own.example insecure target.example',
  );
  assert.equal(await relevant('bare.own.example'), 'found own.example insecure parent.example');
});

test('a bogus lookup is a failure and not an absence', async () => {
  assert.match(await relevant('mx.bogus.example'), /^failed mx\.bogus\.example bogus/);
});

test('every CAA record of a name counts, however many there are', async () => {
  const records = Array.from({ length: 80 }, (_, n) => {
    const parsed = parseRecord(`mx.example. 60 IN CAA 0 issue "ca${n}.example"`);
    assert.ok(parsed.ok);
    return parsed.value;
  });
  const canonicalName = Name.of('mx.example');
  const answer = {
    status: 'found',
    dnssec: 'secure',
    records,
    canonicalName,
    aliases: [],
    ttl: 60,
  };
  const resolver = { ask: () => Promise.resolve(answer) } as unknown as Resolver;
  const { properties } = await lookupCaa(resolver, canonicalName);
  for (const [issuer, wanted] of [
    ['ca0.example', 'permitted'],
    ['ca79.example', 'permitted'],
    ['ca80.example', 'refused'],
  ] as const)
    assert.equal(judgeCaa(properties, { issuers: [issuer], wildcard: false }).answer, wanted);
});
