import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../src/base/index.js';
import {
  createResolver,
  decodeMessage,
  typeName,
  verifyProof,
  RRType,
  type Proof,
  type Resolver,
} from '../../src/dns/index.js';
import { LabDns, type ZoneSpec } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';
import { createStsSource, memoryStsCache } from '../../src/mta-sts/index.js';
import { resolvePolicy, type DomainDecision } from '../../src/tls-policy/index.js';
import { FakeClock } from '../support/fake-clock.js';

const now = Date.UTC(2026, 10, 23);
const tlsa = `_25._tcp.mx TLSA 3 1 1 ${'ab'.repeat(32)}`;
const zones: readonly ZoneSpec[] = [
  { apex: '.', signed: {} },
  { apex: 'example', signed: {} },
  {
    apex: 'signed.example',
    signed: {},
    records: `@ MX 10 mx\nmx A 192.0.2.1\nmx AAAA 2001:db8::1\n${tlsa}`,
  },
  {
    apex: 'inside.example',
    signed: {},
    records: '@ MX 10 mx.part\n_25._tcp.mx.part TLSA 3 1 1 00',
  },
  { apex: 'part.inside.example', records: 'mx A 192.0.2.3' },
  { apex: 'hosted.example', signed: {}, records: '@ MX 10 mx.plain.example.' },
  { apex: 'plain.example', records: '@ MX 10 mx\nmx A 192.0.2.4' },
  { apex: 'other.example', records: '@ MX 10 mx\nmx A 192.0.2.5' },
  { apex: 'alias.example', signed: {}, records: '@ MX 10 mx\nmx CNAME mx.signed.example.' },
];

/**
 * Starts a resolver whose upstream answers all questions of a round at once, and records
 * the questions of each round.
 */
function startRounds() {
  const dns = new LabDns(zones, now);
  const rounds: string[][] = [];
  let round: Promise<void> | undefined;
  const network: Network = {
    dial: () => assert.fail('each answer fits into a datagram'),
    async exchange({ query, accept, to }) {
      const decoded = decodeMessage(query);
      assert.ok(decoded.ok);
      const [asked] = decoded.value.questions;
      assert.ok(asked);
      if (!round) {
        rounds.push([]);
        round = new Promise((resolve) => setImmediate(resolve));
      }
      rounds.at(-1)?.push(`${asked.name.toString()} ${typeName(asked.type)}`);
      await round;
      round = undefined;
      const bytes = dns.serve(query);
      assert.ok(bytes && accept(bytes, to));
      return { ok: true, bytes };
    },
  };
  const clock = new FakeClock(now);
  const upstreams = [{ address: '192.0.2.53', port: 53, label: 'lab' }];
  const resolver = createResolver({ network, upstreams, anchors: dns.anchors, clock });
  const decide = async (domain: string): Promise<DomainDecision> => {
    rounds.length = 0;
    return resolvePolicy(domain, { resolver, stsSource: sourceFor(resolver), now: () => now });
  };
  return { dns, resolver, rounds, decide };
}

function sourceFor(resolver: Resolver) {
  return createStsSource({
    resolver,
    cache: memoryStsCache({ now: () => now }),
    fetch: () => assert.fail('no domain here has a policy'),
    now: () => now,
  });
}

const sorted = (rounds: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  rounds.map((round) => [...round].sort());

test('a first lookup asks for the keys of the root and the top-level zone at once', async () => {
  const { rounds, decide } = startRounds();
  await decide('signed.example');
  assert.deepEqual(sorted(rounds), [
    [
      '. DNSKEY',
      '_mta-sts.signed.example TXT',
      'example DNSKEY',
      'example DS',
      'signed.example MX',
    ],
    ['signed.example DNSKEY', 'signed.example DS'],
    ['_25._tcp.mx.signed.example TLSA', 'mx.signed.example A', 'mx.signed.example AAAA'],
  ]);
});

test('below a known zone, an unsigned domain costs one question for its delegation', async () => {
  const { rounds, decide } = startRounds();
  await decide('signed.example');
  const first = await decide('plain.example');
  assert.equal(first.hosts[0]?.tlsa.status, 'absent');
  assert.deepEqual(sorted(rounds), [
    ['_mta-sts.plain.example TXT', 'plain.example MX'],
    ['plain.example DS'],
    ['mx.plain.example A', 'mx.plain.example AAAA'],
  ]);
  await decide('other.example');
  assert.equal(rounds.flat().length, 5);
});

test('a proof that used cached zones can be verified alone', async () => {
  const { dns, resolver, decide } = startRounds();
  await decide('signed.example');
  const answer = await resolver.ask(Name.of('plain.example'), RRType.MX);
  assert.deepEqual([answer.status, answer.dnssec], ['found', 'insecure']);
  const proof = JSON.parse(JSON.stringify(answer.proof)) as Proof;
  const verified = await verifyProof(proof, dns.anchors);
  assert.deepEqual([verified.status, verified.dnssec], ['found', 'insecure']);
});

// [7672-2.2.2-2]
test('a host of another, unsigned domain causes no TLSA question', async () => {
  const { rounds, decide } = startRounds();
  await decide('hosted.example');
  assert.deepEqual(
    rounds.flat().filter((question) => question.endsWith('TLSA')),
    [],
  );
});

test('a TLSA answer for a host in an unsigned part of a signed domain is ignored', async () => {
  const { decide } = startRounds();
  const [host] = (await decide('inside.example')).hosts;
  assert.deepEqual([host?.dnssec, host?.tlsa.status], ['insecure', 'absent']);
});

test('behind a secure alias, the records at its target come first', async () => {
  const { rounds, decide } = startRounds();
  const [host] = (await decide('alias.example')).hosts;
  assert.equal(host?.tlsa.status, 'usable');
  assert.equal(host.tlsa.base, 'mx.signed.example');
  assert.equal(rounds.flat().filter((question) => question.endsWith('TLSA')).length, 2);
});
