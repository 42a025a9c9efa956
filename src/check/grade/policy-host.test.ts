import assert from 'node:assert/strict';
import test from 'node:test';
import { createCa, issue } from '../../pki/index.js';
import { plantedEvidence, plantedPolicy } from '../../../test/support/check/planted-evidence.js';
import { createLab, scenariosFor } from '../../lab/index.js';
import { parsePemBundle } from '../../x509/index.js';
import { collectOptions, nameOf } from '../run/check.js';
import { collect } from '../run/collect.js';
import { grade } from './grade.js';

const DAY = 86_400_000;
/** The time of the planted evidence. */
const CHECKED_AT = Date.parse('2026-06-01T12:00:00Z');

/**
 * Returns the finding on a policy host whose certificate is valid between two days,
 * relative to the check.
 */
function raised(fromDays: number, toDays: number, mode: 'enforce' | 'testing' = 'enforce'): string {
  const { chainPem } = issue(createCa({ name: 'Test Root' }), {
    names: ['mta-sts.planted.example'],
    notBefore: CHECKED_AT + fromDays * DAY,
    notAfter: CHECKED_AT + toDays * DAY,
  });
  const parsed = parsePemBundle(chainPem);
  assert.ok(parsed.ok);
  const chain = parsed.value.map(({ der }) => Buffer.from(der).toString('base64'));
  const mtaSts = { ...plantedPolicy(mode), policyHost: { address: '192.0.2.80', chain } };
  const { findings } = grade(plantedEvidence({ mtaSts }));
  const found = findings.find(({ id }) => id === 'sts-policy-cert-near-expiry');
  return found ? `${found.severity} ${found.title}` : '';
}

test('RFC 8461 §3.3: a certificate of the policy host that ends soon is a warning', () => {
  const title = 'The certificate of the policy host expires soon: 2026-06-14';
  assert.equal(raised(-76, 13), `warn ${title}`);
  assert.equal(raised(-76, 13, 'testing'), `warn ${title}`);
  assert.equal(raised(-75, 15), '');
});

test('the limit for a policy host scales with the lifetime of its certificate', () => {
  assert.equal(raised(-4, 2), '');
  assert.match(raised(-5.5, 0.5), /^warn /);
});

test('a missing or damaged chain of the policy host raises nothing', () => {
  for (const policyHost of [undefined, { address: '192.0.2.80', chain: ['AAAA'] }]) {
    const mtaSts = { ...plantedPolicy('enforce'), policyHost };
    const { findings } = grade(plantedEvidence({ mtaSts }));
    assert.ok(findings.every(({ id }) => id !== 'sts-policy-cert-near-expiry'));
  }
});

test('a check saves the address and the chain of the policy host', async (t) => {
  const lab = await createLab({ scenarios: scenariosFor(['good.example']) });
  t.after(() => lab.close());
  const { network, upstreams, anchors, trustStore, spacingMs } = lab;
  const options = collectOptions({ network, upstreams, anchors, trustStore, spacingMs });
  const { mtaSts } = await collect(nameOf('good.example'), options);
  const { address = '', chain = [] } = mtaSts.policyHost ?? {};
  assert.notEqual(address, '');
  assert.ok(chain.length >= 2, `${chain.length} certificates`);
});

// RFC 8460 §3: reporters discard a near-miss record as if it did not exist.
test('a discarded TLS-RPT record weighs as much as a missing one', () => {
  for (const text of ['v=tlsrptv1; rua=mailto:a@b.example', 'v=TLSRPTv1 rua=mailto:a@b.example'])
    for (const [mode, severity] of [
      ['enforce', 'warn'],
      ['testing', 'info'],
    ] as const) {
      const txt = { texts: [text], lookup: 'found', dnssec: 'insecure' } as const;
      const tlsRpt = { txt, status: 'absent', rua: [], problems: [] } as const;
      const { findings } = grade(plantedEvidence({ mtaSts: plantedPolicy(mode), tlsRpt }));
      assert.equal(findings.find(({ id }) => id === 'tlsrpt-ignored')?.severity, severity);
      assert.ok(!findings.some(({ id }) => id === 'tlsrpt-absent'));
    }
});
