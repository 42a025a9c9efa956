import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../base/index.js';
import type { DnsAnswer, Resolver } from '../types.js';
import { parseRecord } from '../wire/presentation.js';
import { typeNumber } from '../wire/types-registry.js';
import { lookupAddresses } from './lookup-addresses.js';
import { lookupMailRoute } from './lookup-mail-route.js';
import { lookupTexts } from './lookup-texts.js';

const domain = Name.of('example.com');

/**
 * Returns a resolver with these answers by type for one domain. Other names do not exist.
 */
function resolverOf(
  answers: Readonly<Record<string, Partial<DnsAnswer> & { lines?: readonly string[] }>>,
): Resolver {
  const byType = new Map(
    Object.entries(answers).map(([type, answer]) => [typeNumber(type), answer]),
  );
  return {
    ask(name, type) {
      const { lines = [], ...rest } = byType.get(type) ?? {};
      const records = lines.map((line) => {
        const parsed = parseRecord(`${name.toString()}. 300 IN ${line}`);
        assert.ok(parsed.ok, line);
        return parsed.value;
      });
      const status = records.length > 0 ? 'found' : 'nodata';
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
}

test('RFC 5321 §5.1, RFC 7672 §2.2.1 [7672-2.2.1-1]: hosts by preference', async () => {
  const route = await lookupMailRoute(
    resolverOf({ MX: { lines: ['MX 20 b.example.', 'MX 10 a.example.'], dnssec: 'insecure' } }),
    domain,
  );
  assert.deepEqual(
    [route.kind, route.dnssec, route.hosts.map((h) => h.name.toString())],
    ['mx', 'insecure', ['a.example', 'b.example']],
  );
});

test('RFC 7505 §3: a single MX to the root accepts no mail, next to others is invalid', async () => {
  assert.equal(
    (await lookupMailRoute(resolverOf({ MX: { lines: ['MX 0 .'] } }), domain)).kind,
    'null-mx',
  );
  const mixed = await lookupMailRoute(
    resolverOf({ MX: { lines: ['MX 0 .', 'MX 5 a.example.'] } }),
    domain,
  );
  assert.deepEqual([mixed.kind, mixed.hosts.length], ['mx', 1]);
  assert.equal(
    (await lookupMailRoute(resolverOf({ MX: { lines: ['MX 0 .', 'MX 10 .'] } }), domain)).kind,
    'null-mx',
  );
});

test('a host in two MX records is one host with its better preference', async () => {
  const route = await lookupMailRoute(
    resolverOf({ MX: { lines: ['MX 20 a.example.', 'MX 5 b.example.', 'MX 10 A.example.'] } }),
    domain,
  );
  assert.deepEqual(
    route.hosts.map((h) => [h.name.toLower(), h.preference]),
    [
      ['b.example', 5],
      ['a.example', 10],
    ],
  );
});

test('unreadable MX records are an error, never a null MX', async () => {
  const route = await lookupMailRoute(resolverOf({ MX: { lines: ['TYPE15 \\# 1 00'] } }), domain);
  assert.deepEqual(
    [route.kind, route.hosts.length, route.failure?.code],
    ['error', 0, 'dns-malformed'],
  );
});

test('RFC 5321 §5.1: without MX the domain itself serves, if it has an address', async () => {
  const route = await lookupMailRoute(
    resolverOf({ AAAA: { lines: ['AAAA 2001:db8::1'] } }),
    domain,
  );
  assert.deepEqual([route.kind, route.hosts[0]?.name.toString()], ['implicit', 'example.com']);
  assert.equal((await lookupMailRoute(resolverOf({}), domain)).kind, 'none');
  assert.equal(
    (await lookupMailRoute(resolverOf({ MX: { status: 'nxdomain' } }), domain)).kind,
    'none',
  );
});

test('a failed lookup is an error, never an absence', async () => {
  for (const dnssec of ['bogus', 'indeterminate'] as const) {
    const failed = { status: 'failed', dnssec } as const;
    const mx = await lookupMailRoute(
      resolverOf({ MX: failed, A: { lines: ['A 192.0.2.1'] } }),
      domain,
    );
    assert.deepEqual([mx.kind, mx.dnssec, mx.hosts.length], ['error', dnssec, 0]);
    assert.equal((await lookupMailRoute(resolverOf({ A: failed }), domain)).kind, 'error');
    assert.equal((await lookupAddresses(resolverOf({ A: failed }), domain)).status, 'failed');
    assert.equal((await lookupTexts(resolverOf({ TXT: failed }), domain)).lookup, 'failed');
  }
});

const v4 = { lines: ['A 192.0.2.1'] };
const v6 = { lines: ['AAAA 2001:db8::1'] };
const lost = { status: 'failed', dnssec: 'indeterminate' } as const;
const bogus = { status: 'failed', dnssec: 'bogus' } as const;
const unsigned = { ...lost, unsigned: true } as const;

for (const [says, A, AAAA, wanted] of [
  ['a family denied insecurely', v4, { dnssec: 'insecure' }, 'found secure'],
  ['a family denied without proof', v4, { dnssec: 'indeterminate' }, 'found secure'],
  ['AAAA that fails', v4, lost, 'found secure'],
  ['A that fails', lost, v6, 'found secure'],
  ['a bogus AAAA', v4, bogus, 'found secure'],
  ['a bogus A beside an insecure AAAA', bogus, { ...v6, dnssec: 'insecure' }, 'found insecure'],
  ['an insecure A beside AAAA that fails', { ...v4, dnssec: 'insecure' }, lost, 'found insecure'],
  ['both found', v4, v6, 'found secure'],
  ['a secure and an insecure family', v4, { ...v6, dnssec: 'insecure' }, 'found secure'],
  ['an insecure and a secure family', { ...v4, dnssec: 'insecure' }, v6, 'found secure'],
  ['both insecure', { ...v4, dnssec: 'insecure' }, { ...v6, dnssec: 'insecure' }, 'found insecure'],
  ['both denied', {}, {}, 'absent secure'],
  ['both denied, one insecurely', {}, { dnssec: 'insecure' }, 'absent insecure'],
  ['one denied, one failed', {}, lost, 'failed indeterminate'],
  ['one bogus, one denied', bogus, {}, 'failed bogus'],
  ['one bogus, one failed', lost, bogus, 'failed bogus'],
  ['both failed in an unsigned zone', unsigned, unsigned, 'failed insecure'],
  [
    'one failed in an unsigned zone, one denied',
    unsigned,
    { dnssec: 'insecure' },
    'failed insecure',
  ],
  ['an address of the wrong size', { lines: ['TYPE1 \\# 3 c00002'] }, {}, 'absent secure'],
] as const)
  test(`RFC 7672 §2.2.2 [7672-2.2.2-3]: addresses: ${says}: ${wanted}`, async () => {
    const { status, dnssec } = await lookupAddresses(resolverOf({ A, AAAA }), domain);
    assert.equal(`${status} ${dnssec}`, wanted);
  });

test('a family with a failed lookup is reported and looked up again soon', async () => {
  const failure = {
    code: 'dns-servfail',
    detail: 'x',
    blame: 'publisher',
    temporary: true,
  } as const;
  const found = await lookupAddresses(
    resolverOf({ A: v4, AAAA: { ...lost, ttl: 0, failure } }),
    domain,
  );
  assert.deepEqual(
    [found.failure?.code, found.failure?.detail, found.ttl],
    ['dns-servfail', 'AAAA: x', 30],
  );
});

test('a domain accepts no mail only with proof', async () => {
  const unproved = { dnssec: 'indeterminate' } as const;
  for (const MX of [
    { ...unproved, status: 'nxdomain' as const },
    { ...unproved, lines: ['MX 0 .'] },
    unproved,
  ]) {
    const world = resolverOf({ MX, A: unproved, AAAA: unproved });
    const strict = await lookupMailRoute(world, domain);
    assert.deepEqual([strict.kind, strict.status], ['error', 'failed']);
    const lenient = await lookupMailRoute(world, domain, { unprovedAbsence: true });
    assert.match(lenient.kind, /^(none|null-mx)$/);
  }
});

test('a thousand addresses or hosts are cut to a bounded number', async () => {
  const many = Array.from({ length: 1000 }, (_, i) => i);
  const found = await lookupAddresses(
    resolverOf({ A: { lines: many.map((i) => `A 192.0.${i >> 8}.${i & 255}`) } }),
    domain,
  );
  assert.equal(found.v4.length, 32);
  const route = await lookupMailRoute(
    resolverOf({ MX: { lines: many.map((i) => `MX ${i} h${i}.example.`) } }),
    domain,
  );
  assert.deepEqual([route.hosts.length, route.hosts[0]?.preference], [100, 0]);
});

// [8461-3.1-11, 8460-3-11]
test('RFC 8461 §3.1: the strings of one TXT record are joined without blanks', async () => {
  const texts = await lookupTexts(
    resolverOf({ TXT: { lines: ['TXT "v=STSv1; " "id=1;"', 'TXT "other"'] } }),
    domain,
  );
  assert.deepEqual([texts.lookup, texts.texts], ['found', ['v=STSv1; id=1;', 'other']]);
  assert.equal((await lookupTexts(resolverOf({}), domain)).lookup, 'absent');
});
