import assert from 'node:assert/strict';
import test from 'node:test';
import { decideHost } from './decide-host.js';

const mx = { name: 'mx.example.com', dnssec: 'secure', tlsa: 'usable' } as const;
const enforce = { mode: 'enforce', mx: ['mx.example.com'] } as const;

test('RFC 8461 §2 [8461-2-1]: DANE and MTA-STS are enforced together', () => {
  assert.deepEqual(decideHost(mx, 'secure', { dane: true, mtaSts: enforce }), {
    action: 'use',
    tls: 'mandatory',
    authenticate: ['dane', 'pkix'],
    reasons: ['dane-usable', 'sts-enforce'],
  });
});

test('daneSuffices drops PKIX only if DANE applies, and is shown', () => {
  assert.deepEqual(decideHost(mx, 'secure', { dane: true, mtaSts: enforce, daneSuffices: true }), {
    action: 'use',
    tls: 'mandatory',
    authenticate: ['dane'],
    reasons: ['dane-usable', 'dane-suffices'],
  });
  const unusable = decideHost({ ...mx, tlsa: 'unusable' }, 'secure', {
    dane: true,
    mtaSts: enforce,
    daneSuffices: true,
  });
  assert.deepEqual(unusable, {
    action: 'use',
    tls: 'mandatory',
    authenticate: ['pkix'],
    reasons: ['dane-unusable', 'sts-enforce'],
  });
});

test('daneSuffices does not readmit a host that the policy does not list', () => {
  const decision = decideHost(mx, 'secure', {
    dane: true,
    mtaSts: { mode: 'enforce', mx: ['other.example.com'] },
    daneSuffices: true,
  });
  assert.equal(decision.action, 'skip');
});

// [7672-2.1.2-3, 7672-2.1.1-3]
test('RFC 7672 §2.1.2: bogus and failing lookups skip the host', () => {
  for (const tlsa of ['bogus', 'tempfail'] as const)
    assert.equal(
      decideHost({ ...mx, tlsa }, 'secure', { dane: true, mtaSts: undefined }).action,
      'skip',
    );
  assert.equal(
    decideHost({ ...mx, dnssec: 'bogus' }, 'secure', { dane: true, mtaSts: undefined }).action,
    'skip',
  );
  assert.equal(decideHost(mx, 'bogus', { dane: true, mtaSts: undefined }).action, 'skip');
});

test('a sender without DANE ignores TLSA records', () => {
  assert.deepEqual(
    decideHost({ ...mx, tlsa: 'bogus' }, 'bogus', { dane: false, mtaSts: undefined }),
    {
      action: 'use',
      tls: 'opportunistic',
      authenticate: [],
      reasons: ['dane-not-used', 'sts-no-policy'],
    },
  );
});

// [7672-2.2.1-3]
test('RFC 7672 §2.2.1: with an insecure MX the sender may skip DANE, and reports that', () => {
  const decision = decideHost(mx, 'insecure', {
    dane: true,
    mtaSts: undefined,
    daneWithInsecureMx: false,
  });
  assert.deepEqual(decision.reasons, ['dane-skipped-insecure-mx', 'sts-no-policy']);
});
