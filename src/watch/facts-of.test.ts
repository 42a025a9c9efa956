import assert from 'node:assert/strict';
import test from 'node:test';
import { healthyResult, policyMode } from '../../test/support/watch-results.js';
import type { CheckResult } from '../evidence/index.js';
import { watchedFactsOf } from './facts-of.js';

const healthy = healthyResult('a.example');

/**
 * Returns a result in which the certificates of the n-th address of a host end at
 * `ends[n]`.
 */
function ending(...ends: readonly string[]): CheckResult {
  const hosts = healthy.hosts.map((host) => ({
    ...host,
    addresses: host.addresses.map((address, index) => ({
      ...address,
      certificates: address.certificates.flatMap((certificate) => {
        const notAfter = ends[index];
        return notAfter === undefined ? [] : [{ ...certificate, notAfter }];
      }),
    })),
  }));
  return { ...healthy, hosts };
}

test('the first expiry over all addresses of a host counts', () => {
  const { certificates } = watchedFactsOf(ending('2027-03-01T00:00:00Z', '2027-01-01T00:00:00Z'));
  assert.deepEqual(certificates, [
    { host: 'mx.a.example', role: 'mx', notAfter: Date.parse('2027-01-01T00:00:00Z') },
  ]);
});

test('a host without a visible certificate keeps its known expiry', () => {
  const before = watchedFactsOf(ending('2027-03-01T00:00:00Z'));
  assert.deepEqual(watchedFactsOf(ending(), before).certificates, before.certificates);
  assert.deepEqual(watchedFactsOf({ ...healthy, hosts: [] }, before).certificates, []);
});

test('the policy host and the signatures have expiry dates', () => {
  const addresses = [
    { ip: '192.0.2.1', notAfter: '2027-02-01T00:00:00Z' },
    { ip: '192.0.2.2', problem: 'sts-policy-webpki-invalid' },
  ];
  const signatures = ['2027-01-09T00:00:00Z', '2027-01-05T00:00:00Z'].map((notAfter, index) => ({
    zone: `z${index}.example`,
    rrset: 'a.example MX',
    notAfter,
  }));
  const mtaSts = { ...healthy.mtaSts, addresses };
  const facts = watchedFactsOf({ ...healthy, hosts: [], mtaSts, signatures });
  assert.deepEqual(facts.certificates, [
    {
      host: 'mta-sts.a.example',
      role: 'policy-host',
      notAfter: Date.parse('2027-02-01T00:00:00Z'),
    },
  ]);
  assert.equal(facts.signatureNotAfter, Date.parse('2027-01-05T00:00:00Z'));
  assert.equal(watchedFactsOf({ ...healthy, signatures: [] }).signatureNotAfter, undefined);
});

test('an unavailable policy keeps its mode, a removed policy does not', () => {
  const enforced = watchedFactsOf(healthy);
  assert.equal(enforced.policyMode, 'enforce');
  const unreachable = {
    ...healthy,
    mtaSts: { ...healthy.mtaSts, status: 'tempfail' as const, mode: undefined },
  };
  assert.equal(watchedFactsOf(unreachable, enforced).policyMode, 'enforce');
  assert.equal(watchedFactsOf(unreachable).policyMode, 'absent');
  assert.equal(watchedFactsOf(policyMode(undefined)(healthy), enforced).policyMode, 'absent');
  assert.equal(watchedFactsOf(policyMode('testing')(healthy), enforced).policyMode, 'testing');
});
