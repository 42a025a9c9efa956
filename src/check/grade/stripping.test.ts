import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConnectionEvidence, Evidence, HostEvidence } from '../../evidence/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

const seen = (
  starttls: ConnectionEvidence['starttls'],
  more: Partial<Evidence> = {},
  host: Partial<HostEvidence> = {},
): Evidence =>
  plantedEvidence({
    hosts: [plantedHost({ addresses: [plantedAddress({ starttls })], ...host })],
    ...more,
  });
const control = (starttls: ConnectionEvidence['starttls']): Pick<Evidence, 'network'> => ({
  network: {
    port25: 'open',
    ipv6: 'unknown',
    resolver: [],
    control: { host: 'mx.control.example', starttls },
  },
});
const ids = (evidence: Evidence): string[] => grade(evidence).findings.map((f) => f.id);

test('missing TLS is a separate finding only if a policy promises TLS', () => {
  for (const starttls of ['absent', 'mangled', 'refused'] as const) {
    assert.ok(
      ids(seen(starttls, { mtaSts: plantedPolicy('enforce') })).includes('starttls-promised'),
      starttls,
    );
    assert.ok(
      !ids(seen(starttls, { mtaSts: plantedPolicy('testing') })).includes('starttls-promised'),
    );
    assert.ok(
      !ids(seen(starttls, { mtaSts: plantedPolicy('enforce', ['other.example']) })).includes(
        'starttls-promised',
      ),
    );
    assert.ok(!ids(seen(starttls)).includes('starttls-promised'));
  }
  const tlsa = {
    status: 'usable',
    base: 'mx.planted.example',
    dnssec: 'secure',
    records: [`3 1 1 ${'00'.repeat(32)}`],
  } as const;
  const signed = { route: { kind: 'mx', dnssec: 'secure', status: 'found' } } as const;
  assert.ok(ids(seen('absent', signed, { dnssec: 'secure', tlsa })).includes('starttls-promised'));
});

test('a stripped control host blames this network, not the domain', () => {
  for (const starttls of ['absent', 'mangled'] as const) {
    const result = grade(
      seen(starttls, { ...control(starttls), mtaSts: plantedPolicy('enforce') }),
    );
    assert.equal(result.verdict, 'inconclusive');
    assert.ok(
      result.findings.some((f) => f.id === 'own-network-strips' && f.owner === 'own-network'),
    );
    assert.ok(!result.findings.some((f) => f.id.startsWith('starttls-')));
    assert.equal(result.exposure.opportunistic.none, 'unknown');
    assert.deepEqual(result.control, { host: 'mx.control.example', starttls });
  }
});

test('addresses that differ behind a stripping network prove nothing', () => {
  const addresses = [
    plantedAddress({ starttls: 'absent' }),
    plantedAddress({}, { ip: '192.0.2.26' }),
  ];
  const result = grade(
    plantedEvidence({ hosts: [plantedHost({ addresses })], ...control('absent') }),
  );
  assert.ok(!result.findings.some((f) => f.id.startsWith('starttls-')));
  assert.equal(result.verdict, 'inconclusive');
});

test('a control host with STARTTLS does not change the grade of the domain', () => {
  for (const starttls of ['absent', 'mangled'] as const) {
    const result = grade(seen(starttls, control('offered')));
    assert.equal(result.verdict, 'fail');
    assert.ok(!result.findings.some((f) => f.id === 'own-network-strips'));
    assert.equal(result.exposure.opportunistic.none, 'cleartext');
  }
});

// [3207-6-2]
test('RFC 3207 §6: differing addresses are reported with family and greeting', () => {
  const lines = (name: string) => ({ greeting: { code: 220, lines: [`${name} ESMTP`] } });
  const four = plantedAddress(lines('mx.planted.example'));
  const six = plantedAddress(
    { starttls: 'absent', ...lines('gateway.example') },
    { ip: '2001:db8::25' },
  );
  const result = grade(plantedEvidence({ hosts: [plantedHost({ addresses: [four, six] })] }));
  const why = result.findings.find((f) => f.id === 'starttls-differs')?.why ?? '';
  assert.match(why, /2001:db8::25/);
  assert.match(why, /all of IPv6/);
  assert.match(why, /greets as gateway\.example, the others as mx\.planted\.example/);
  const hosts = result.hosts[0]?.addresses.map((a) => a.exposure?.opportunistic.none);
  assert.deepEqual(hosts, ['unverified', 'cleartext']);
});
