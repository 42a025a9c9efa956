/** Tests of failed DANE-TA matches: one finding names the cause and the fix. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { createCa, createIntermediate, issue, type IssueOptions } from '../../pki/index.js';
import { parseCertificate } from '../../x509/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

const name = 'mx.planted.example';
const at = Date.parse('2026-06-01T12:00:00Z');
const day = 86_400_000;
const dates = { notBefore: at - 10 * day, notAfter: at + 80 * day };
const long = { notBefore: at - 1000 * day, notAfter: at + 1000 * day };
const root = createCa({ name: 'Root', ...long });
const middle = createIntermediate(root, { name: 'Middle', ...long });

/**
 * Returns severity and id of the findings on certificate and DANE, with the fix of the
 * first finding.
 */
function judged(leaf: IssueOptions, issuer = middle): string {
  const { chain } = issue(issuer, { names: [name], ...dates, ...leaf });
  const parsed = parseCertificate(issuer.der);
  assert.ok(parsed.ok);
  const digest = createHash('sha256').update(parsed.value.spki).digest('hex');
  const handshake = plantedHandshake(chain, { chain: 'unknown-ca' });
  const tlsa = { status: 'usable', base: name, dnssec: 'secure' } as const;
  const host = plantedHost({
    dnssec: 'secure',
    tlsa: { ...tlsa, records: [`2 1 1 ${digest}`] },
    addresses: [plantedAddress({ handshake })],
  });
  const route = { kind: 'mx', dnssec: 'secure', status: 'found' } as const;
  const { findings } = grade(plantedEvidence({ route, hosts: [host] }));
  const about = findings.filter(({ id }) => /^(dane-mis|cert-(exp|not-yet|name))/.test(id));
  return `${about.map(({ id, severity }) => `${id}=${severity}`).join(' ')}: ${about[0]?.fix}`;
}

// RFC 7672 §3.2.2.
test('DANE-TA and a name that no reference identifier matches: the name is the cause', () => {
  for (const names of [['*.example'], ['*.*.example'], ['mx*.planted.example'], [`${name}.`]])
    assert.equal(
      judged({ names }),
      `cert-name-mismatch=fail: Use a certificate that names ${name}.`,
      names.join(),
    );
  for (const names of [[name], [name.toUpperCase()], ['*.planted.example'], ['planted.example']])
    assert.doesNotMatch(judged({ names }), /=fail/, names.join());
});

test('DANE-TA and an expired certificate for another name: date first, name with it', () => {
  const past = { notBefore: at - 90 * day, notAfter: at - day };
  const wrong = judged({ ...past, names: ['x.example'] });
  assert.match(wrong, /^cert-expired=fail cert-name-mismatch=warn: Renew the certificate/);
  assert.match(judged(past), /^cert-expired=fail: Renew/);
  const early = judged({ notBefore: at + day, names: ['*.x.example'] });
  assert.match(early, /^cert-not-yet-valid=fail cert-name-mismatch=warn: /);
});

test('DANE-TA and an expired CA: the certificate must change, not the record', () => {
  for (const ca of [{ notAfter: at - day }, { notBefore: at + day }]) {
    const old = createIntermediate(root, { name: 'Old', ...long, ...ca });
    assert.match(judged({}, old), /^dane-mismatch=fail: Replace the faulty certificate/);
  }
});
