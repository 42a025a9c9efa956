import assert from 'node:assert/strict';
import test from 'node:test';
import type { StsState } from '../mta-sts/index.js';
import { transportFailures } from '../dns/index.js';
import {
  decideDomain,
  enforced,
  parseNextHop,
  type DecideOptions,
  type DomainDecision,
  type DomainFacts,
} from './index.js';

const AT = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

const enforcing: StsState = {
  how: 'cached',
  policy: {
    id: '1',
    mode: 'enforce',
    maxAge: 7200,
    mx: ['mx.example.com'],
    body: 'version: STSv1',
    fetchedAt: AT - HOUR,
  },
  record: { status: 'found', id: '1' },
  until: AT + 30 * 60_000,
};

const facts = (more: Partial<DomainFacts> = {}): DomainFacts => ({
  domain: 'example.com',
  at: AT,
  route: { kind: 'mx', dnssec: 'secure' },
  canonicalDomain: 'example.com',
  hosts: [
    {
      name: 'mx.example.com',
      preference: 10,
      addresses: ['192.0.2.25'],
      dnssec: 'secure',
      tlsa: {
        status: 'usable',
        base: 'mx.example.com',
        dnssec: 'secure',
        records: [`3 1 1 ${'ab'.repeat(32)}`],
      },
      until: AT + HOUR,
    },
  ],
  mtaSts: enforcing,
  until: AT + 2 * HOUR,
  resolverAtFault: false,
  ...more,
});

const decide = (more: Partial<DomainFacts> = {}, options: DecideOptions = {}): DomainDecision =>
  decideDomain(facts(more), options);
const waivedBy = (options: DecideOptions): string | undefined => decide({}, options).waiver?.kind;

test('a decision expires with the first of its inputs', () => {
  assert.equal(decide().validUntil, '2026-01-01T00:30:00Z', 'the record has to be looked at again');
  assert.equal(decide({ mtaSts: undefined }).validUntil, '2026-01-01T02:00:00Z');
  const exemptions = [{ domain: 'Example.COM.', until: '2026-01-01T00:10:00Z', reason: 'r' }];
  assert.equal(decide({}, { exemptions }).validUntil, '2026-01-01T00:10:00Z');
  assert.equal(
    decide({ mtaSts: undefined, until: Infinity }).validUntil,
    '2026-01-02T00:00:00Z',
    'and never longer than a day',
  );
});

test('waivers and the rules that override them', () => {
  const exemptions = [
    { domain: 'example.com', until: '2026-02-01T00:00:00Z', reason: 'they renew' },
  ];
  assert.equal(waivedBy({}), undefined);
  assert.equal(waivedBy({ observe: true }), 'observe');
  assert.equal(waivedBy({ tlsRequiredNo: true }), 'tls-required-no');
  assert.equal(
    waivedBy({ tlsRequiredNo: true, require: 'tls' }),
    undefined,
    'what this sender insists on stays',
  );
  assert.equal(waivedBy({ exemptions, observe: true }), 'exemption');
  for (const options of [{ observe: true }, { tlsRequiredNo: true }, { exemptions }])
    assert.equal(waivedBy({ ...options, require: 'verified' }), undefined, 'REQUIRETLS');
  assert.equal(
    waivedBy({
      exemptions: [{ domain: 'sub.example.com', until: '2026-02-01T00:00:00Z', reason: 'r' }],
    }),
    undefined,
  );
  assert.equal(
    waivedBy({ exemptions: [{ domain: 'example.com', until: 'soon', reason: 'r' }] }),
    undefined,
    'an end that is no date',
  );
});

test('a waiver changes the enforcement, not the decision', () => {
  const { hosts, waiver } = decide({}, { observe: true });
  const [host] = hosts;
  assert.ok(host);
  assert.deepEqual(host.decision.action === 'use' && host.decision.authenticate, ['dane', 'pkix']);
  const obeyed = enforced(host, waiver);
  assert.deepEqual(obeyed.action === 'use' && [obeyed.tls, obeyed.authenticate], [
    'opportunistic',
    [],
  ]);
  assert.equal(enforced(host, undefined), host.decision);
});

test('daneSuffices is shown in the decisions that it changes', () => {
  const decision = decide({}, { daneSuffices: true });
  assert.equal(decision.settings.daneSuffices, true);
  assert.deepEqual(decision.hosts[0]?.decision.reasons, ['dane-usable', 'dane-suffices']);
});

test('a silent resolver is a local fault, a broken zone a fault of the domain', () => {
  const failure = transportFailures.make('dns-timeout', '192.0.2.53');
  const error = { kind: 'error', dnssec: 'indeterminate', failure } as const;
  assert.equal(
    decide({ route: error, hosts: [] }).route.trouble?.whose,
    'theirs',
    'it answers other questions',
  );
  assert.equal(
    decide({ route: error, hosts: [], resolverAtFault: true }).route.trouble?.whose,
    'ours',
  );
  const local = transportFailures.make('dns-no-upstream');
  assert.equal(
    decide({ route: { ...error, failure: local }, hosts: [] }).route.trouble?.whose,
    'ours',
  );
});

test('no host with an address or none permitted: mail is deferred', () => {
  const [host] = facts().hosts;
  assert.ok(host);
  assert.equal(decide({ hosts: [{ ...host, addresses: [] }] }).action, 'wait');
  assert.equal(
    decide({ hosts: [{ ...host, tlsa: { ...host.tlsa, status: 'bogus' } }] }).action,
    'wait',
  );
  assert.equal(decide({ hosts: [{ ...host, name: 'other.example.com' }] }).action, 'wait');
  assert.equal(decide({ route: { kind: 'none', dnssec: 'secure' }, hosts: [] }).action, 'reject');
});

test('[8461-3.4-1] next hops in the forms of operators', () => {
  const read = (text: string): string => {
    const hop = parseNextHop(text);
    return hop.ok
      ? `${hop.value.kind} ${hop.value.kind === 'address' ? hop.value.ip : hop.value.name.toString()} ${hop.value.port}`
      : 'no';
  };
  assert.equal(read('Example.COM'), 'domain example.com 25');
  assert.equal(read('example.com:2525'), 'domain example.com 2525');
  assert.equal(read('[smtp.example.net]:587'), 'host smtp.example.net 587');
  assert.equal(read('[192.0.2.1]'), 'address 192.0.2.1 25');
  assert.equal(read('[IPv6:2001:DB8::1]:26'), 'address 2001:db8::1 26');
  assert.equal(read('bücher.example'), 'domain xn--bcher-kva.example 25');
  for (const bad of [
    '',
    '[]',
    'a b',
    'example.com:0',
    'example.com:99999',
    '[unclosed',
    'x:y:z',
    'example.com]',
  ])
    assert.equal(read(bad), 'no', bad);
});
