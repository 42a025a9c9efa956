import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../base/index.js';
import { parseRecord, RRType, type DnsAnswer, type Dnssec, type Resolver } from '../dns/index.js';
import { lookupTlsa, type LookupTlsaOptions, type TlsaLookup } from './index.js';

const host = Name.of('mx.example.com');
const target = Name.of('mail.provider.example');
const record = `3 1 1 ${'ab'.repeat(32)}`;

type Told = Partial<Pick<DnsAnswer, 'status' | 'dnssec' | 'failure'>> & {
  readonly tlsa?: readonly string[];
};

/**
 * Queries a resolver that answers by owner and proves the absence of all other records;
 * resolves to the found records and the questions.
 */
async function lookUp(
  told: Readonly<Record<string, Told>>,
  changes: Partial<LookupTlsaOptions> = {},
): Promise<TlsaLookup & { asked: string[] }> {
  const asked: string[] = [];
  const resolver: Resolver = {
    ask(name, type) {
      assert.equal(type, RRType.TLSA);
      asked.push(name.toString());
      const { tlsa = [], ...rest } = told[name.toString()] ?? {};
      const records = tlsa.map((text) => {
        const parsed = parseRecord(`${name.toString()}. 300 IN TLSA ${text}`);
        assert.ok(parsed.ok);
        return parsed.value;
      });
      const status = records.length > 0 ? 'found' : 'nxdomain';
      return Promise.resolve({
        question: { name, type },
        status,
        dnssec: 'secure',
        records,
        canonicalName: name,
        aliases: [],
        ttl: 300,
        ...rest,
      });
    },
    health: () => ({ upstreams: [] }),
  };
  const found = await lookupTlsa({
    resolver,
    host,
    addresses: addresses('secure'),
    port: 25,
    ...changes,
  });
  return { ...found, asked };
}

function addresses(dnssec: Dnssec, aliased = false): LookupTlsaOptions['addresses'] {
  const middle = Name.of('between.example');
  const aliases = aliased
    ? [
        { from: host, to: middle, dnssec },
        { from: middle, to: target, dnssec },
      ]
    : [];
  return { dnssec, canonicalName: aliased ? target : host, aliases, ttl: 300 };
}

test('RFC 7672 §2.2.3 [7672-2.2.3-4]: the owner contains the port of the connection', async () => {
  assert.deepEqual((await lookUp({})).asked, ['_25._tcp.mx.example.com']);
  assert.deepEqual((await lookUp({}, { port: 2525 })).asked, ['_2525._tcp.mx.example.com']);
});

// [7672-2.2.3-1, 7671-7-1]
test('RFC 7672 §2.2.2: the target of secure aliases is tried first and is the base', async () => {
  const found = await lookUp(
    { '_25._tcp.mail.provider.example': { tlsa: [record] } },
    { addresses: addresses('secure', true) },
  );
  assert.deepEqual(
    [found.status, found.base, found.records],
    ['usable', 'mail.provider.example', [record]],
  );
  assert.equal(found.asked.length, 1);
});

// [7672-2.2.3-2, 7672-2.2.3-3]
test('RFC 7672 §2.2.3: without a secure target only the name itself is tried', async () => {
  for (const first of [{}, { tlsa: [record], dnssec: 'insecure' as const }]) {
    const told = {
      '_25._tcp.mail.provider.example': first,
      '_25._tcp.mx.example.com': { tlsa: [record] },
    };
    const found = await lookUp(told, { addresses: addresses('secure', true) });
    assert.deepEqual([found.status, found.base], ['usable', 'mx.example.com']);
    assert.deepEqual(found.asked, ['_25._tcp.mail.provider.example', '_25._tcp.mx.example.com']);
  }
});

test('insecure aliases lead to no other base', async () => {
  const told = { '_25._tcp.mail.provider.example': { tlsa: [record] } };
  const found = await lookUp(told, { addresses: addresses('insecure', true), inert: true });
  assert.deepEqual([found.status, found.asked], ['absent', ['_25._tcp.mx.example.com']]);
});

// [7672-2.2.2-1]
test('RFC 7672 §2.2.2: a secure alias into an unsigned zone is the only base', async () => {
  const insecure = addresses('insecure', true);
  const aliases = insecure.aliases.map((step, i) =>
    i === 0 ? { ...step, dnssec: 'secure' as const } : step,
  );
  const told = {
    '_25._tcp.mx.example.com': { tlsa: [record] },
    '_25._tcp.mail.provider.example': { tlsa: [record] },
  };
  const found = await lookUp(told, { addresses: { ...insecure, aliases } });
  assert.deepEqual(
    [found.status, found.base, found.asked],
    ['usable', 'mx.example.com', ['_25._tcp.mx.example.com']],
  );
});

test('RFC 7672 §2.2.2 [7672-2.2.2-2]: insecure addresses cause no TLSA lookup', async () => {
  const found = await lookUp(
    { '_25._tcp.mx.example.com': { tlsa: [record] } },
    { addresses: addresses('insecure') },
  );
  assert.deepEqual([found.status, found.asked], ['absent', []]);
});

test('addresses with failed validation do not make TLSA records insecure', async () => {
  const told = { '_25._tcp.mx.example.com': { tlsa: [record] } };
  for (const [dnssec, status] of [
    ['indeterminate', 'tempfail'],
    ['bogus', 'bogus'],
  ] as const) {
    const found = await lookUp(told, { addresses: addresses(dnssec), inert: true });
    assert.deepEqual([found.status, found.dnssec, found.records], [status, dnssec, [record]]);
  }
});

// [7672-2.1.2-3]
test('RFC 7672 §2.1.2: a failure at the first candidate ends the search', async () => {
  for (const [dnssec, status] of [
    ['bogus', 'bogus'],
    ['indeterminate', 'tempfail'],
  ] as const) {
    const told = {
      '_25._tcp.mail.provider.example': { status: 'failed' as const, dnssec },
      '_25._tcp.mx.example.com': { tlsa: [record] },
    };
    const found = await lookUp(told, { addresses: addresses('secure', true) });
    assert.deepEqual([found.status, found.asked.length], [status, 1]);
  }
});

// [7672-2.2-2, 7672-2.2.3-5]
test('RFC 7672 §2.2: records without DNSSEC on the whole alias chain are insecure', async () => {
  const found = await lookUp({ '_25._tcp.mx.example.com': { tlsa: [record], dnssec: 'insecure' } });
  assert.deepEqual([found.status, found.dnssec], ['insecure', 'insecure']);
});

// [7672-2.2.2-1]
test('RFC 7672 §2.2.2: with insecure addresses no TLSA record counts', async () => {
  const inert = await lookUp(
    { '_25._tcp.mx.example.com': { tlsa: [record] } },
    { addresses: addresses('insecure'), inert: true },
  );
  assert.equal(inert.status, 'insecure');
  const failing = await lookUp(
    { '_25._tcp.mx.example.com': { status: 'failed', dnssec: 'indeterminate' } },
    { addresses: addresses('insecure'), inert: true },
  );
  assert.equal(failing.status, 'absent');
});

test('unusable records differ from absent records', async () => {
  assert.equal(
    (await lookUp({ '_25._tcp.mx.example.com': { tlsa: [`1 1 1 ${'ab'.repeat(32)}`] } })).status,
    'unusable',
  );
  assert.equal((await lookUp({})).status, 'absent');
});
