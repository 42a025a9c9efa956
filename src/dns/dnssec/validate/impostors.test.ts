/**
 * Tests with validly signed records of the wrong zone or name, as in published attacks on
 * other validators. The attacker controls `evil.example` and its keys.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Name, concat } from '../../../base/index.js';
import type { DnsAnswer, ResourceRecord } from '../../types.js';
import type { Message } from '../../wire/message.js';
import { makeRecord } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { dnskeyRecord, dsRecord, signRrset, type ZoneSigningKey } from '../sign/index.js';
import {
  nsec3,
  record,
  SignedWorld,
  type Responses,
} from '../../../../test/support/signed-zones.js';

const world = new SignedWorld(['example', 'victim.example', 'evil.example', 'evil.victim.example']);
const { now, window } = world;
const keyOf = world.key.bind(world);
const signed = world.signed.bind(world);
const by = world.by.bind(world);

const tlsa = 'TLSA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3';
const question = '_25._tcp.mx.victim.example TLSA';

/** Validates a question while the attacker forges the answers to some queries. */
function ask(asked: string, forged: Responses): Promise<DnsAnswer> {
  return world.ask(asked, forged, {
    otherwise: (name, type) =>
      type === RRType.TLSA
        ? { answers: by('victim.example', `${name.toString()}. ${tlsa}`) }
        : {
            authorities: by(
              'victim.example',
              'mx.victim.example. NSEC victim.example. A NSEC RRSIG',
            ),
          },
  });
}

const outcome = async (forged: Responses): Promise<string> => {
  const { status, dnssec } = await ask(question, forged);
  return `${status} ${dnssec}`;
};

/**
 * Returns the outcomes of a denial that replaces the TLSA records, with each of the two
 * rcodes.
 */
async function denied(...authorities: readonly ResourceRecord[]): Promise<string[]> {
  return Promise.all([0, 3].map((rcode) => outcome({ [question]: { rcode, authorities } })));
}

const refused = ['failed bogus', 'failed bogus'];

test('without an impostor the record is present and secure', async () => {
  assert.equal(await outcome({}), 'found secure');
  assert.deepEqual(
    await denied(...by('victim.example', `victim.example. NSEC victim.example. A NSEC RRSIG`)),
    ['nxdomain secure', 'nxdomain secure'],
  );
});

test("a sibling's NSEC and NSEC3 deny nothing here, under any owner", async () => {
  assert.deepEqual(
    await denied(...by('evil.example', 'evil.example. NSEC zz.example. A NSEC RRSIG')),
    refused,
  );
  assert.deepEqual(
    await denied(...by('evil.example', 'aa.victim.example. NSEC zz.victim.example. A NSEC RRSIG')),
    refused,
  );
  for (const under of ['evil.example', 'victim.example'])
    assert.deepEqual(
      await denied(
        ...['mx.victim.example', '_tcp.mx.victim.example'].flatMap((n) =>
          signed('evil.example', [nsec3(under, n)]),
        ),
      ),
      refused,
    );
});

test("RFC 6840 §4.1: a parent's NSEC at a delegation denies nothing below it", async () => {
  assert.deepEqual(
    await denied(...by('example', 'victim.example. NSEC zz.example. NS DS NSEC RRSIG')),
    refused,
  );
  assert.deepEqual(await denied(...by('.', 'example. NSEC zz. NS DS NSEC RRSIG')), refused);
});

test('a child’s NSEC denies nothing in its parent', async () => {
  const below = by(
    'evil.victim.example',
    'evil.victim.example. NSEC zz.victim.example. A NSEC RRSIG',
  );
  assert.deepEqual(await denied(...below), refused);
});

test('the NSEC of another name is not a denial, even next to a useless one', async () => {
  const other = by('victim.example', 'www.victim.example. NSEC zz.victim.example. A NSEC RRSIG');
  assert.deepEqual(await denied(...other), refused);
  assert.deepEqual(
    await denied(
      ...other,
      ...by('victim.example', 'zz.victim.example. NSEC victim.example. TXT NSEC RRSIG'),
    ),
    refused,
  );
});

test('RFC 6840 §4.3: a bitmap with the type or with CNAME proves no absence', async () => {
  for (const types of ['TLSA NSEC RRSIG', 'CNAME NSEC RRSIG'])
    assert.deepEqual(
      await denied(
        ...by('victim.example', `_25._tcp.mx.victim.example. NSEC victim.example. ${types}`),
      ),
      refused,
    );
});

test('a wildcard of the parent, replayed for a name of the child, is not an answer', async () => {
  const wildcard = by('example', `*.example. ${tlsa}`);
  const moved = wildcard.map((rr) => ({ ...rr, name: Name.of('_25._tcp.mx.victim.example') }));
  for (const authorities of [
    [],
    by('example', 'victim.example. NSEC zz.example. NS DS NSEC RRSIG'),
  ])
    assert.equal(await outcome({ [question]: { answers: moved, authorities } }), 'failed bogus');
});

test('a wildcard answer without proof that no closer name exists is bogus', async () => {
  const wildcard = by('victim.example', `*.victim.example. ${tlsa}`).map((rr) => ({
    ...rr,
    name: Name.of('_25._tcp.mx.victim.example'),
  }));
  assert.equal(await outcome({ [question]: { answers: wildcard } }), 'failed bogus');
  const closer = by('victim.example', 'aa.victim.example. NSEC victim.example. A NSEC RRSIG');
  assert.equal(
    await outcome({ [question]: { answers: wildcard, authorities: closer } }),
    'found secure',
  );
});

test('RFC 4035 §5.3.1: a signature by a sibling, a child or with extra labels fails', async () => {
  for (const zone of ['evil.example', 'evil.victim.example'])
    assert.equal(
      await outcome({ [question]: { answers: by(zone, `_25._tcp.mx.victim.example. ${tlsa}`) } }),
      'failed bogus',
    );
  const [data, signature] = by('victim.example', `_25._tcp.mx.victim.example. ${tlsa}`) as [
    ResourceRecord,
    ResourceRecord,
  ];
  const rdata = Uint8Array.from(signature.rdata);
  rdata[3] = 9;
  assert.equal(
    await outcome({ [question]: { answers: [data, { ...signature, rdata }] } }),
    'failed bogus',
  );
});

test('a DS record signed by the child or a sibling does not count', async () => {
  const attackers = dsRecord(Name.of('victim.example'), keyOf('evil.example'));
  const dnskey = {
    answers: signed('evil.example', [
      dnskeyRecord(Name.of('victim.example'), keyOf('evil.example')),
    ]),
  };
  for (const zone of ['evil.example', 'victim.example']) {
    const forged = {
      'victim.example DS': { answers: signed(zone, [attackers]) },
      'victim.example DNSKEY': dnskey,
    };
    assert.equal(await outcome(forged), 'failed bogus');
  }
});

test('only the parent can prove an unsigned delegation', async () => {
  for (const zone of ['evil.example', 'victim.example']) {
    const authorities = by(zone, 'victim.example. NSEC zz.example. NS NSEC RRSIG');
    const plain = { answers: [record(`_25._tcp.mx.victim.example. ${tlsa}`)] };
    assert.equal(
      await outcome({ 'victim.example DS': { authorities }, [question]: plain }),
      'failed bogus',
    );
  }
  const proved = by('example', 'victim.example. NSEC zz.example. NS NSEC RRSIG');
  assert.equal(
    await outcome({
      'victim.example DS': { authorities: proved },
      [question]: { answers: [record(`_25._tcp.mx.victim.example. ${tlsa}`)] },
    }),
    'found insecure',
  );
});

/** Returns responses with a changed DNSKEY RRset of the victim. */
function withKeys(
  change: (rdata: Uint8Array) => Uint8Array,
  beside: readonly ResourceRecord[] = [],
): Readonly<Record<string, Partial<Message>>> {
  const zone = Name.of('victim.example');
  const changed: ZoneSigningKey = {
    ...keyOf('victim.example'),
    rdata: change(Uint8Array.from(keyOf('victim.example').rdata)),
  };
  const records = [makeRecord(zone, RRType.DNSKEY, 300, changed.rdata), ...beside];
  return {
    'victim.example DNSKEY': {
      answers: [...records, signRrset(records, keyOf('victim.example'), zone, window)],
    },
  };
}

test('RFC 4034 §2.1: a non-zone key, another protocol or a revoked key proves nothing', async () => {
  const spoil: readonly ((rdata: Uint8Array) => void)[] = [
    (rdata) => (rdata[0] = 0),
    (rdata) => (rdata[2] = 2),
    (rdata) => (rdata[1] = (rdata[1] ?? 0) | 0x80),
  ];
  for (const change of spoil)
    assert.equal(
      await outcome(
        withKeys((rdata) => {
          change(rdata);
          return rdata;
        }),
      ),
      'failed bogus',
    );
});

test('truncated, empty and unknown keys next to a valid one have no effect', async () => {
  const zone = Name.of('victim.example');
  const beside = [
    Uint8Array.of(1, 1, 3, 13),
    Uint8Array.of(1, 1, 3, 13, 1, 2, 3),
    Uint8Array.of(1, 1, 3, 200, 1, 2, 3),
    Uint8Array.of(1),
    concat(Uint8Array.of(1, 1, 3, 13), new Uint8Array(64)),
  ].map((rdata) => makeRecord(zone, RRType.DNSKEY, 300, rdata));
  assert.equal(await outcome(withKeys((rdata) => rdata, beside)), 'found secure');
});

test('expired or foreign signatures have no effect next to a valid one', async () => {
  const data = record(`_25._tcp.mx.victim.example. ${tlsa}`);
  const day = 86_400_000;
  const [, expired] = signed('victim.example', [data], {
    inception: now - 30 * day,
    expiration: now - 10 * day,
  });
  const [, early] = signed('victim.example', [data], {
    inception: now + 10 * day,
    expiration: now + 30 * day,
  });
  const [, foreign] = signed('evil.example', [data]);
  const bad = [expired, early, foreign].filter((rr) => rr !== undefined);
  assert.equal(
    await outcome({ [question]: { answers: [...bad, ...signed('victim.example', [data])] } }),
    'found secure',
  );
  assert.equal(await outcome({ [question]: { answers: [data, ...bad] } }), 'failed bogus');
});

test('RFC 4035 §5.3.3: the cache time is bounded by TTL, signed TTL and signature', async () => {
  const data = record(`_25._tcp.mx.victim.example. ${tlsa}`);
  const ttl = async (answers: readonly ResourceRecord[]): Promise<number> =>
    (await ask(question, { [question]: { answers } })).ttl;
  assert.equal(await ttl(signed('victim.example', [data])), 300);
  assert.equal(
    await ttl(signed('victim.example', [data]).map((rr) => ({ ...rr, ttl: 9_000 }))),
    300,
    'a raised TTL does not count',
  );
  assert.equal(await ttl(signed('victim.example', [data]).map((rr) => ({ ...rr, ttl: 20 }))), 20);
  assert.equal(
    await ttl(
      signed('victim.example', [data], { inception: now - 86_400_000, expiration: now + 60_000 }),
    ),
    60,
  );
});
