import assert from 'node:assert/strict';
import test from 'node:test';
import type { Evidence, MailCertificate } from '../../evidence/index.js';
import { noOptions } from '../findings/entry.js';
import { baseline } from '../profiles/baseline.js';
import { plantedEvidence, plantedPolicy } from '../../../test/support/check/planted-evidence.js';
import { certificateRules } from './certificate-rules.js';
import type { JudgedCertificate } from './judge-certificate.js';
import { judgeHost } from './judge-host.js';
import { FindingCollector } from './finding-collector.js';

const healthy: MailCertificate = {
  keyAlgorithm: 'ECDSA',
  keyBits: 256,
  signature: 'ecdsa-with-SHA256',
  names: ['mx.planted.example'],
  notBefore: '2026-05-01T00:00:00Z',
  notAfter: '2026-08-01T00:00:00Z',
  sni: 'mx.planted.example',
  chainAsSent: ['CN=mx.planted.example'],
  chain: 'trusted',
  validity: 'valid',
  nameMatch: 'match',
  dane: 'not-applicable',
  spkiSha256: '0'.repeat(64),
};

/** Returns the findings on one certificate under this policy. */
function raised(
  changes: Partial<MailCertificate>,
  mtaSts?: Evidence['mtaSts'],
  judged: Partial<JudgedCertificate> = {},
): string {
  const evidence = plantedEvidence(mtaSts ? { mtaSts } : {});
  const shown = { ...healthy, ...changes };
  const dates = { notBefore: Date.parse(shown.notBefore), notAfter: Date.parse(shown.notAfter) };
  const certificate = {
    ...dates,
    dnsNames: shown.names,
    altNames: [],
    signatureHashes: shown.signature.startsWith('sha1') ? ['sha1'] : [],
    keyAlgorithm: shown.keyAlgorithm,
    keyBits: shown.keyBits,
    subjectText: 'CN=mx.planted.example',
    subjectName: { key: 'mx' },
    issuerName: { key: 'ca' },
    issuerText: 'CN=Planted CA',
  } as unknown as JudgedCertificate['certificate'];
  const host = evidence.hosts.map((h) => judgeHost(evidence, h))[0];
  const address = host?.addresses[0];
  assert.ok(host && address);
  const all = new FindingCollector({
    evidence,
    profile: baseline,
    hosts: [host],
    options: noOptions,
  });
  const one: JudgedCertificate = {
    certificate,
    chain: [certificate],
    summary: shown,
    pkix: 'yes',
    vouchedBy: undefined,
    daneCause: undefined,
    daneFaults: [],
    path: { validity: 'valid', problems: [] },
    unreadable: [],
    ...judged,
  };
  certificateRules(all, host, { ...address, certificates: [one] });
  return all
    .list()
    .map((f) => `${f.id}=${f.severity}`)
    .join(' ');
}

const enforce = plantedPolicy('enforce');
const testing = plantedPolicy('testing');
const ee = { vouchedBy: 'daneEe' } as const;

test('a healthy certificate raises nothing', () => {
  assert.equal(raised({}), '');
  assert.equal(raised({ dane: 'match' }, enforce, ee), '');
});

test('self-signed: warn, fail under enforce, good where DANE-EE matches', () => {
  assert.equal(raised({ chain: 'self-signed' }), 'cert-self-signed=warn');
  assert.equal(raised({ chain: 'self-signed' }, testing), 'cert-self-signed=warn');
  assert.equal(raised({ chain: 'self-signed' }, enforce), 'cert-self-signed=fail');
  assert.equal(raised({ chain: 'self-signed', dane: 'match' }, undefined, ee), '');
});

// [8461-4.2-1]
test('MTA-STS enforce fails a self-signed certificate also where DANE-EE matches', () => {
  assert.equal(
    raised({ chain: 'self-signed', dane: 'match' }, enforce, ee),
    'cert-self-signed=fail',
  );
});

test('a missing intermediate has its own finding and the grade of an unknown CA', () => {
  for (const policy of [undefined, testing, enforce]) {
    const severity = policy === enforce ? 'fail' : 'warn';
    assert.equal(raised({ chain: 'incomplete' }, policy), `cert-chain-incomplete=${severity}`);
    assert.equal(raised({ chain: 'unknown-ca' }, policy), `cert-unknown-ca=${severity}`);
  }
});

// [8461-4.2-1]
test('expired: warn, fail under enforce or DANE-TA, info with DANE-EE', () => {
  const expired = { validity: 'expired', notAfter: '2026-05-20T00:00:00Z' } as const;
  assert.equal(raised(expired), 'cert-expired=warn');
  assert.equal(raised(expired, enforce), 'cert-expired=fail');
  assert.equal(raised({ ...expired, dane: 'match' }, undefined, ee), 'cert-expired=info');
  assert.equal(
    raised({ ...expired, dane: 'mismatch' }, undefined, { daneCause: 'date' }),
    'cert-expired=fail',
  );
});

// [8461-4.2-1]
test('wrong name: warn, fail under enforce or DANE-TA, info with DANE-EE', () => {
  const wrong = { nameMatch: 'mismatch', names: ['other.example'] } as const;
  assert.equal(raised(wrong), 'cert-name-mismatch=warn');
  assert.equal(raised(wrong, enforce), 'cert-name-mismatch=fail');
  assert.equal(raised({ ...wrong, dane: 'match' }, undefined, ee), 'cert-name-mismatch=info');
  assert.equal(
    raised({ ...wrong, dane: 'mismatch' }, undefined, { daneCause: 'name' }),
    'cert-name-mismatch=fail',
  );
});

test('a TLSA mismatch fails, and the steps ask the owner to confirm the key first', () => {
  assert.equal(raised({ dane: 'mismatch' }), 'dane-mismatch=fail');
});

test('near expiry: below a sixth of the lifetime, at most 14 days', () => {
  assert.equal(raised({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-06-16T00:00:00Z' }), '');
  assert.equal(
    raised({ notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-06-15T00:00:00Z' }),
    'cert-near-expiry=warn',
  );
  // A lifetime of six days: a sixth is one day.
  assert.equal(raised({ notBefore: '2026-05-28T00:00:00Z', notAfter: '2026-06-03T00:00:00Z' }), '');
  assert.equal(
    raised({ notBefore: '2026-05-27T00:00:00Z', notAfter: '2026-06-02T00:00:00Z' }),
    'cert-near-expiry=warn',
  );
});

test('weak keys and weak signatures warn', () => {
  assert.equal(raised({ keyAlgorithm: 'RSA', keyBits: 1024 }), 'cert-weak-key=warn');
  assert.equal(raised({ signature: 'sha1WithRSAEncryption' }), 'cert-weak-signature=warn');
});
