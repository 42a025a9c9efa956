import assert from 'node:assert/strict';
import test from 'node:test';
import { createResolver } from '../../dns/index.js';
import { LabDns, type ZoneSpec } from '../../lab/index.js';
import { findIssuanceBlocker, type IssuanceRequest } from './issuance-blocker.js';

const now = Date.UTC(2026, 10, 23);
const account = 'https://ca.example/acct/7';

/** The signed zones of the tests, in which each name is one case. */
const zones: readonly ZoneSpec[] = [
  { apex: '.', signed: {} },
  { apex: 'example', signed: {} },
  {
    apex: 'own.example',
    records: [
      'free A 192.0.2.1',
      'other CAA 0 issue "other.example"',
      'below.other A 192.0.2.1',
      'named CAA 0 issue "ca.example"',
      'shout CAA 0 issue "CA.Example"',
      'none CAA 0 issue ";"',
      `mine CAA 0 issue "ca.example; accounturi=${account}"`,
      'theirs CAA 0 issue "ca.example; accounturi=https://ca.example/acct/8"',
      'method CAA 0 issue "ca.example; validationmethods=dns-01"',
      'critical CAA 128 newtag "x"',
      'wild CAA 0 issue "ca.example"',
      'wild CAA 0 issuewild ";"',
      'alias CNAME target.own.example.',
      'target CAA 0 issue "other.example"',
    ].join('\n'),
  },
  { apex: 'bogus.example', signed: {}, fault: 'expired', records: 'mx A 192.0.2.3' },
];

/** Returns the blocker of a certificate for these names, as its code and detail. */
async function blockerOf(
  names: readonly string[],
  more: Partial<IssuanceRequest> = {},
  broken = false,
): Promise<string | undefined> {
  const dns = new LabDns(zones, now);
  const resolver = createResolver({
    network: {
      dial: () => assert.fail('each answer fits into a datagram'),
      exchange({ query, accept, to }) {
        const bytes = broken ? undefined : dns.serve(query);
        if (!bytes || !accept(bytes, to))
          return Promise.resolve({ ok: false, failure: { code: 'net-timeout' } } as never);
        return Promise.resolve({ ok: true, bytes });
      },
    },
    upstreams: [{ address: '192.0.2.53', port: 53, label: 'lab' }],
    anchors: dns.anchors,
    clock: { now: () => now, monotonic: () => 0, sleep: () => Promise.resolve() },
  });
  const request = { names, issuers: ['ca.example'], methods: ['http-01'], ...more };
  const blocker = await findIssuanceBlocker(request, { resolver });
  return blocker && `${blocker.code} ${blocker.subject}: ${blocker.detail}`;
}

const host = (label: string): readonly string[] => [`${label}.own.example`];

for (const label of ['free', 'named', 'shout', 'mine', 'wild'])
  test(`CAA that permits the CA blocks nothing: ${label}`, async () => {
    assert.equal(await blockerOf(host(label), { accountUri: account }), undefined);
  });

test('a record of another CA blocks, and the message contains the whole fix', async () => {
  assert.equal(
    await blockerOf(host('other')),
    'publish-caa-refuses other.own.example: CAA at other.own.example (0 issue "other.example"): it permits other.example only; the CA here is ca.example, method http-01',
  );
  // The CAA lookup finds the record of the parent, and for an alias the records of its
  // target.
  assert.match((await blockerOf(host('below.other'))) ?? '', /CAA at other\.own\.example \(/);
  assert.match((await blockerOf(host('alias'))) ?? '', /an alias of target\.own\.example/);
});

test('each kind of refusal blocks', async () => {
  const accountUri = account;
  for (const label of ['none', 'theirs', 'method', 'critical'])
    assert.match(
      (await blockerOf(host(label), { accountUri })) ?? '',
      /^publish-caa-refuses /,
      label,
    );
  assert.match((await blockerOf(['*.wild.own.example'])) ?? '', /^publish-caa-refuses /);
});

test('one refused name of several blocks the certificate', async () => {
  const found = await blockerOf([...host('free'), ...host('other')]);
  assert.match(found ?? '', /^publish-caa-refuses other\.own\.example/);
});

test('bogus DNSSEC blocks', async () => {
  assert.match((await blockerOf(['mx.bogus.example'])) ?? '', /^publish-issuance-bogus mx\.bogus/);
});

test('unknown CAA answers block nothing', async () => {
  // The cases: an account that does not exist yet, a CA without known identifiers, and a
  // resolver that does not answer.
  assert.equal(await blockerOf(host('theirs')), undefined);
  assert.equal(await blockerOf(host('other'), { issuers: undefined }), undefined);
  assert.match((await blockerOf(host('none'), { issuers: undefined })) ?? '', /permits no CA/);
  assert.equal(await blockerOf(host('other'), {}, true), undefined);
});
