/**
 * Tests of the zones that a validation takes from the cache: only proved statuses, only
 * while the proof is valid, and only for the same name and anchor.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import { makeRecord, readDnskey } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { dnskeyRecord, dsRecord } from '../sign/index.js';
import type { CachedZone, TrustAnchor } from './types.js';
import {
  nsec3,
  record,
  SignedWorld,
  type Responses,
} from '../../../../test/support/signed-zones.js';

const world = new SignedWorld(['example', 'a.example']);
/**
 * Offset that lies just before the expiry of a denial without SOA (RFC 2308 §5: 60 s),
 * milliseconds.
 */
const CURRENT = 59_000;
const EXPIRED = 61_000;
/** The two statuses of an untrusted answer. */
const REFUSED = /^failed (bogus|indeterminate)$/;

/** Returns functions that ask questions of one resolver with one cache. */
function memory() {
  const cache = new Map<string, CachedZone>();
  const asked: string[] = [];
  return {
    cache,
    /** Returns how often a question was sent upstream. */
    times: (question: string) => asked.filter((one) => one === question).length,
    ask: async (question: string, responses: Responses, later = 0, anchors?: TrustAnchor[]) => {
      const onQuestion = (one: string): void => void asked.push(one);
      const answer = await world.ask(question, responses, { cache, later, anchors, onQuestion });
      return `${answer.status} ${answer.dnssec}`;
    },
  };
}

const address = (owner: string): ResourceRecord => record(`${owner}. A 192.0.2.1`);
/** Responses in which `a.example` is delegated without DS. */
const unsigned: Responses = {
  'a.example DS': { authorities: world.by('example', 'a.example. NSEC z.example. NS NSEC RRSIG') },
  'mx.a.example A': { answers: [address('mx.a.example')] },
  'ns.a.example A': { answers: [address('ns.a.example')] },
};

/**
 * Responses from which the attacker removed the proof that `a.example` is unsigned or
 * signed.
 */
const stripped: Responses = { ...unsigned, 'a.example DS': {} };

test('an insecure cut is proved once until its proof expires', async () => {
  const { ask, times } = memory();
  assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
  assert.equal(await ask('ns.a.example A', unsigned, CURRENT), 'found insecure');
  assert.deepEqual([times('a.example DS'), times('example DS'), times('. DNSKEY')], [1, 1, 1]);
  assert.equal(await ask('mx.a.example A', unsigned, EXPIRED), 'found insecure');
  assert.equal(times('a.example DS'), 2);
});

test('without its proof, an expired insecure cut is bogus', async () => {
  for (const later of [EXPIRED, 86_000_000]) {
    const { ask } = memory();
    assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
    assert.equal(await ask('mx.a.example A', stripped, CURRENT), 'found insecure');
    assert.equal(await ask('mx.a.example A', stripped, later), 'failed bogus');
  }
});

test('expired keys of a signed zone are proved again, not trusted', async () => {
  const { ask, times } = memory();
  const signed = {
    'mx.a.example A': { answers: world.by('a.example', 'mx.a.example. A 192.0.2.1') },
  };
  assert.equal(await ask('mx.a.example A', signed), 'found secure');
  assert.match(await ask('mx.a.example A', { ...signed, ...stripped }, 3_000_000), REFUSED);
  assert.equal(times('a.example DS'), 1);
  const forged = { ...stripped, 'a.example DNSKEY': {} };
  assert.match(await ask('mx.a.example A', forged, 3_700_000), REFUSED);
  assert.equal(times('a.example DS'), 2);
});

test('a bogus answer is not remembered', async () => {
  const { ask, cache, times } = memory();
  for (const responses of [stripped, { ...unsigned, 'a.example DS': unsignedDenial() }]) {
    assert.equal(await ask('mx.a.example A', responses), 'failed bogus');
    assert.equal(cache.has(Name.of('a.example').key), false);
  }
  assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
  assert.equal(times('a.example DS'), 3);
});

/** Returns the proof of the unsigned delegation without its signature. */
function unsignedDenial(): Responses[string] {
  return { authorities: [record('a.example. NSEC z.example. NS NSEC RRSIG')] };
}

test('a DS that appears later counts once the remembered cut expires', async () => {
  const { ask } = memory();
  assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
  const { 'a.example DS': _, ...now } = unsigned;
  assert.match(await ask('mx.a.example A', now, EXPIRED), REFUSED);
  const signed = {
    'mx.a.example A': { answers: world.by('a.example', 'mx.a.example. A 192.0.2.1') },
  };
  assert.equal(await ask('mx.a.example A', signed, EXPIRED), 'found secure');
});

test('records of an unsigned zone do not extend its remembered status', async () => {
  // The attacker claims zones below the zone cut, with a high TTL in an unsigned SOA.
  const soa = makeRecord(
    Name.of('a.example'),
    RRType.SOA,
    86_400,
    record('a.example. SOA ns.a.example. host.a.example. 1 1 1 1 86400').rdata,
  );
  const claimed = (owner: string): Responses[string] => ({
    answers: world.signed('a.example', [address(owner)]).map((rr) => {
      if (rr.type !== RRType.RRSIG) return rr;
      const signer = Name.of('sub.a.example').wire;
      return {
        ...rr,
        rdata: Buffer.concat([rr.rdata.subarray(0, 18), signer, rr.rdata.subarray(-64)]),
      };
    }),
  });
  const attack: Responses = {
    ...unsigned,
    'sub.a.example DS': { authorities: [soa] },
    'mx.sub.a.example A': claimed('mx.sub.a.example'),
  };
  const { ask, times } = memory();
  assert.equal(await ask('mx.sub.a.example A', attack), 'found insecure');
  assert.equal(await ask('mx.sub.a.example A', attack), 'found insecure');
  assert.ok(times('sub.a.example DS') <= 1);
  const { 'a.example DS': _, ...afterSigning } = attack;
  assert.match(await ask('mx.sub.a.example A', afterSigning, EXPIRED), REFUSED);
});

test('a remembered insecure cut saves the questions about zones below it', async () => {
  const { ask, times } = memory();
  assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
  const island: Responses = {
    ...unsigned,
    'mx.b.a.example A': { answers: world.by('a.example', 'mx.b.a.example. A 192.0.2.1') },
  };
  assert.equal(await ask('mx.b.a.example A', island), 'found insecure');
  assert.deepEqual([times('b.a.example DS'), times('a.example DNSKEY')], [0, 0]);
});

/**
 * Responses in which `co.example` is a name inside the zone `example` and `a.co.example`
 * is an unsigned zone.
 */
const insideZone: Responses = {
  'co.example DS': {
    authorities: world.by('example', 'b.example. NSEC a.co.example. A NSEC RRSIG'),
  },
  'a.co.example DS': {
    authorities: world.by('example', 'a.co.example. NSEC z.example. NS NSEC RRSIG'),
  },
  'mx.a.co.example A': { answers: [address('mx.a.co.example')] },
  'co.example A': { answers: [address('co.example')] },
};

test('a name without a zone cut is proved once for the zones below it', async () => {
  const { ask, times } = memory();
  for (let n = 0; n < 4; n++)
    assert.equal(await ask('mx.a.co.example A', insideZone), 'found insecure');
  assert.deepEqual([times('co.example DS'), times('a.co.example DS')], [1, 1]);
});

test('a remembered missing cut makes no data insecure', async () => {
  const { ask } = memory();
  assert.equal(await ask('mx.a.co.example A', insideZone), 'found insecure');
  assert.equal(await ask('co.example A', insideZone), 'failed bogus');
  // A new delegation takes effect once the proof of its absence has expired.
  const delegated = {
    ...insideZone,
    'co.example DS': {
      authorities: world.by('example', 'co.example. NSEC z.example. NS NSEC RRSIG'),
    },
  };
  assert.equal(await ask('co.example A', delegated, CURRENT), 'failed bogus');
  assert.equal(await ask('co.example A', delegated, EXPIRED), 'found insecure');
});

test('an opt-out span proves one name, not its neighbour in the span', async () => {
  const span = (name: string) =>
    world.signed('example', [nsec3('example', name, { optOut: true })]);
  const encloser = world.signed('example', [
    nsec3('example', 'example', { matches: true, types: 'NS SOA DNSKEY' }),
  ]);
  const optOut: Responses = {
    'a.example DS': { authorities: [...encloser, ...span('a.example')] },
    'b.example DS': { authorities: [...encloser, ...span('a.example')] },
    'mx.a.example A': { answers: [address('mx.a.example')] },
    'mx.b.example A': { answers: [address('mx.b.example')] },
  };
  const { ask, times } = memory();
  assert.equal(await ask('mx.a.example A', optOut), 'found insecure');
  assert.equal(await ask('mx.a.example A', optOut), 'found insecure');
  assert.equal(times('a.example DS'), 1);
  assert.equal(await ask('mx.b.example A', optOut), 'failed bogus');
  const { 'a.example DS': _, ...afterSigning } = optOut;
  assert.match(await ask('mx.a.example A', afterSigning, EXPIRED), REFUSED);
});

test('an alias across cuts: each zone keeps its own status', async () => {
  const aliases: Responses = {
    ...unsigned,
    'www.example A': {
      answers: [
        ...world.by('example', 'www.example. CNAME mx.a.example.'),
        address('mx.a.example'),
      ],
    },
    'back.a.example A': {
      answers: [
        record('back.a.example. CNAME host.example.'),
        ...world.by('example', 'host.example. A 192.0.2.1'),
      ],
    },
    'forged.example A': {
      answers: [record('forged.example. CNAME mx.a.example.'), address('mx.a.example')],
    },
    'forged.example DS': {
      authorities: world.by('example', 'forged.example. NSEC z.example. CNAME NSEC RRSIG'),
    },
    'host.example A': { answers: world.by('example', 'host.example. A 192.0.2.1') },
  };
  const { ask, times } = memory();
  for (let n = 0; n < 2; n++) {
    assert.equal(await ask('www.example A', aliases), 'found insecure');
    assert.equal(await ask('back.a.example A', aliases), 'found insecure');
    assert.equal(await ask('forged.example A', aliases), 'failed bogus');
    assert.equal(await ask('host.example A', aliases), 'found secure');
  }
  assert.equal(times('a.example DS'), 1);
});

test('a status expires with the keys that prove it', async () => {
  const key = makeRecord(
    Name.of('example'),
    RRType.DNSKEY,
    30,
    dnskeyRecord(Name.of('example'), world.key('example')).rdata,
  );
  const brief = { ...unsigned, 'example DNSKEY': { answers: world.signed('example', [key]) } };
  const { ask, times } = memory();
  assert.equal(await ask('mx.a.example A', brief), 'found insecure');
  assert.equal(await ask('mx.a.example A', brief, 29_000), 'found insecure');
  assert.equal(times('a.example DS'), 1);
  assert.equal(await ask('mx.a.example A', { ...brief, ...stripped }, 31_000), 'failed bogus');
});

test('a delegation with only unsupported algorithms is remembered as insecure', async () => {
  const ds = dsRecord(Name.of('a.example'), world.key('a.example'));
  ds.rdata[2] = 5;
  const retired = { ...unsigned, 'a.example DS': { answers: world.signed('example', [ds]) } };
  const { ask, times } = memory();
  for (let n = 0; n < 3; n++) assert.equal(await ask('mx.a.example A', retired), 'found insecure');
  assert.equal(times('a.example DS'), 1);
});

test('a status proved from one trust anchor does not count for another', async () => {
  const { ask, times } = memory();
  assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
  const key = readDnskey(dnskeyRecord(Name.of('a.example'), world.key('a.example')));
  assert.ok(key.ok);
  const island = [...world.anchors, { zone: Name.of('a.example'), ds: [], keys: [key.value] }];
  assert.match(await ask('mx.a.example A', unsigned, 0, island), REFUSED);
  const otherRoot = new SignedWorld([]).anchors;
  assert.match(await ask('mx.a.example A', unsigned, 0, [...otherRoot]), REFUSED);
  assert.equal(await ask('mx.a.example A', unsigned), 'found insecure');
  const copies = world.anchors.map((anchor) => ({ ...anchor }));
  assert.equal(await ask('mx.a.example A', unsigned, 0, copies), 'found insecure');
  assert.equal(times('a.example DS'), 1);
});
