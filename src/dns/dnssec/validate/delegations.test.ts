/**
 * Tests of the zones that are treated as signed: DS digests and algorithms at a
 * delegation, and delegations below aliases.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { concat, Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import type { Message } from '../../wire/message.js';
import { makeRecord } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { dsDigest } from '../algorithms.js';
import { canonicalName } from '../canonical.js';
import { dsRecord } from '../sign/index.js';
import {
  nsec3,
  record,
  SignedWorld,
  type Responses,
} from '../../../../test/support/signed-zones.js';

const world = new SignedWorld(['example', 'a.example']);
const zone = Name.of('a.example');
const address = 'mx.a.example A';

/**
 * Returns a DS record for the zone's key, with the given digest type and algorithm and,
 * optionally, a wrong digest.
 */
function ds(digestType: number, how: { stale?: boolean; algorithm?: number } = {}): ResourceRecord {
  const { rdata } = world.key('a.example');
  const hash = { 1: 'sha1', 2: 'sha256', 4: 'sha384' }[digestType];
  const digest =
    hash && !how.stale
      ? dsDigest(hash, canonicalName(zone), rdata)
      : new Uint8Array(digestType === 1 ? 20 : 32).fill(7);
  const head = dsRecord(zone, world.key('a.example')).rdata.slice(0, 4);
  head[2] = how.algorithm ?? 13;
  head[3] = digestType;
  return makeRecord(zone, RRType.DS, 3600, concat(head, digest));
}

/** Denies the DS of every name at or below `a.example`. */
function noDs(name: Name, type: number): Partial<Message> {
  if (type !== RRType.DS) return { rcode: 2 };
  const span = name.equals(Name.of('mx.a.example'))
    ? 'mx.a.example. NSEC a.example. A NSEC RRSIG'
    : 'alias.a.example. NSEC mx.a.example. CNAME NSEC RRSIG';
  return { authorities: world.by('a.example', span) };
}

async function outcome(question: string, responses: Responses): Promise<string> {
  const { status, dnssec, failure } = await world.ask(question, responses, { otherwise: noDs });
  return failure ? `${status} ${dnssec} ${failure.code}` : `${status} ${dnssec}`;
}

for (const [says, set, wanted] of [
  ['SHA-1 alone is honoured', [ds(1)], 'found secure'],
  ['SHA-1 alone and stale is bogus', [ds(1, { stale: true })], 'failed bogus dnssec-ds-mismatch'],
  ['SHA-256', [ds(2)], 'found secure'],
  ['SHA-384', [ds(4)], 'found secure'],
  [
    'SHA-1 is ignored beside SHA-256',
    [ds(1), ds(2, { stale: true })],
    'failed bogus dnssec-ds-mismatch',
  ],
  [
    'SHA-1 is ignored beside SHA-384',
    [ds(1), ds(4, { stale: true })],
    'failed bogus dnssec-ds-mismatch',
  ],
  ['a stale SHA-1 does no harm beside SHA-256', [ds(1, { stale: true }), ds(2)], 'found secure'],
  ['SHA-1 counts beside a retired digest (GOST)', [ds(1), ds(3)], 'found secure'],
  ['SHA-1 counts beside an unknown digest', [ds(1), ds(99)], 'found secure'],
  [
    'SHA-1 counts beside SHA-256 of a retired algorithm',
    [ds(1), ds(2, { algorithm: 5 })],
    'found secure',
  ],
  ['unknown digests alone: as unsigned', [ds(99), ds(3)], 'found insecure'],
  [
    'RSASHA1 alone: as unsigned, whatever the digest',
    [ds(2, { algorithm: 5 }), ds(1, { algorithm: 7 })],
    'found insecure',
  ],
  ['GOST signatures alone: as unsigned', [ds(2, { algorithm: 12 })], 'found insecure'],
] as const)
  test(`RFC 9904 §4, RFC 4509 §3 [9904-4-1, 4509-3-1, 9905-2-1]: DS: ${says}`, async () => {
    const found = await outcome(address, {
      'a.example DS': { answers: world.signed('example', set) },
      [address]: { answers: world.by('a.example', 'mx.a.example. A 192.0.2.1') },
    });
    assert.equal(found, wanted);
  });

test('a zone with retired algorithms only is reported with their names', async () => {
  const unsupported = async (...set: ResourceRecord[]) =>
    (
      await world.ask(
        address,
        {
          'a.example DS': { answers: world.signed('example', set) },
          [address]: { answers: world.by('a.example', 'mx.a.example. A 192.0.2.1') },
        },
        { otherwise: noDs },
      )
    ).unsupported;
  assert.deepEqual(await unsupported(ds(2, { algorithm: 7 }), ds(2, { algorithm: 12 })), {
    zone: 'a.example',
    algorithms: ['RSASHA1-NSEC3-SHA1 (7)', 'ECC-GOST (12)'],
  });
  assert.deepEqual((await unsupported(ds(3)))?.algorithms, ['digest type 3']);
  assert.equal(await unsupported(ds(1), ds(2, { algorithm: 5 })), undefined);
});

/**
 * Returns responses in which `alias.a.example` is an alias and an unsigned zone begins
 * below it.
 */
function belowAlias(alias: Partial<Responses[string]>): Responses {
  return {
    'alias.a.example DS': alias,
    'child.alias.a.example DS': {
      authorities: world.by('a.example', 'child.alias.a.example. NSEC zz.a.example. NS NSEC RRSIG'),
    },
    'mx.child.alias.a.example A': { answers: [record('mx.child.alias.a.example. A 192.0.2.1')] },
  };
}
const cname = 'alias.a.example. CNAME other.a.example.';
const below = 'mx.child.alias.a.example A';

// [4035-5.2-1]
test('RFC 4035 §5.2: an unsigned delegation below a signed alias is insecure', async () => {
  const alias = world.by('a.example', cname);
  assert.equal(await outcome(below, belowAlias({ answers: alias })), 'found insecure');
  assert.equal(
    await outcome(below, belowAlias({ rcode: 3, answers: alias })),
    'found insecure',
    'the target does not exist',
  );
  const target = record('other.a.example. DS 1 13 2 00');
  assert.equal(await outcome(below, belowAlias({ answers: [...alias, target] })), 'found insecure');
});

test("an alias without the parent's signature proves nothing about the cut", async () => {
  const [, signature] = world.by('a.example', cname);
  assert.ok(signature);
  const changed = record('alias.a.example. CNAME elsewhere.example.');
  for (const answers of [[record(cname)], [changed, signature]])
    assert.match(await outcome(below, belowAlias({ answers })), /^failed bogus/);
});

test('a delegation below an alias that a wildcard synthesised', async () => {
  const moved = world
    .by('a.example', '*.a.example. CNAME other.a.example.')
    .map((rr) => ({ ...rr, name: Name.of('alias.a.example') }));
  const noCloser = world.by('a.example', 'a.example. NSEC b.a.example. A NSEC RRSIG');
  assert.equal(
    await outcome(below, belowAlias({ answers: moved, authorities: noCloser })),
    'found insecure',
  );
  assert.match(await outcome(below, belowAlias({ answers: moved })), /^failed bogus/);
});

test('unsigned data below a signed alias without a proved delegation is bogus', async () => {
  const responses = belowAlias({ answers: world.by('a.example', cname) });
  const { 'child.alias.a.example DS': _, ...rest } = responses;
  assert.equal(await outcome(below, rest), 'failed bogus dnssec-signature-missing');
});

test('RFC 9276 §3.2 [9276-3.2-1]: many NSEC3 iterations leave signed data secure', async () => {
  const denial = world.signed('a.example', [
    nsec3('a.example', 'mx.a.example', { matches: true, iterations: 200, types: 'A RRSIG' }),
  ]);
  const responses = {
    'mx.a.example DS': { authorities: denial },
    'mx.a.example AAAA': { authorities: denial },
    [address]: { answers: world.by('a.example', 'mx.a.example. A 192.0.2.1') },
  };
  assert.equal(await outcome(address, responses), 'found secure');
  assert.equal(await outcome('mx.a.example AAAA', responses), 'nodata insecure');
});

test('a refused DNSKEY question proves nothing about the zone', async () => {
  const answers = world.by('a.example', 'mx.a.example. A 192.0.2.1');
  for (const [rcode, wanted] of [
    [5, 'failed indeterminate dns-rcode'],
    [1, 'failed indeterminate dns-rcode'],
    [2, 'failed indeterminate dns-servfail'],
    [0, 'failed bogus dnssec-ds-mismatch'],
  ] as const)
    assert.equal(
      await outcome(address, { [address]: { answers }, 'a.example DNSKEY': { rcode } }),
      wanted,
    );
});
