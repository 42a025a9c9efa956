import assert from 'node:assert/strict';
import test from 'node:test';
import { createCa, issue } from '../../pki/index.js';
import { parseCertificate } from '../parse-certificate.js';
import { trustStore } from '../trust-store.js';
import { accepts, verifyChain } from '../verify-chain.js';
import { identifyRoots, joinTrustStores, namedTrustStore, readRoots } from './read-roots.js';

const DAY = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const dates = [Date.UTC(2026, 3, 15), Date.UTC(2026, 6, 1), Date.UTC(2026, 9, 15)];
const cas = dates.map((_, index) => createCa({ name: `Dated Root ${index}`, notBefore: 0 }));
const rows = cas.map(
  (ca, index) =>
    [
      `Dated Root ${index}`,
      Buffer.from(ca.der).toString('base64'),
      new Date(dates[index] ?? 0).toISOString(),
    ] as const,
);
const { certificates, distrustAfter } = readRoots(rows);
const toyStore = trustStore(certificates, [], { distrustAfter });

function verdict(ca: number, notBefore: number, anchors = toyStore) {
  const authority = cas[ca];
  assert.ok(authority);
  const names = ['mx.example.com'];
  const { chain } = issue(authority, { names, notBefore, notAfter: now + 90 * DAY });
  const sent = chain.map((der) => {
    const parsed = parseCertificate(der);
    assert.ok(parsed.ok);
    return parsed.value;
  });
  return verifyChain({ sent, anchors, validationTime: now });
}

for (const [index, date] of dates.entries()) {
  test(`root ${index}: a leaf of the day before the distrust date is trusted`, () => {
    assert.ok(accepts(verdict(index, date - DAY)));
    assert.ok(accepts(verdict(index, date)), 'the last second of the date counts as before');
  });

  test(`root ${index}: a leaf of the day after is refused with the reason`, () => {
    const { chain, problems } = verdict(index, date + DAY);
    assert.equal(chain, 'unknown-ca');
    assert.deepEqual(problems, ['x509-root-distrusted']);
  });
}

test('a root from the operator is trusted without a date', () => {
  const joined = joinTrustStores([toyStore, namedTrustStore('file', certificates.slice(0, 1))]);
  assert.ok(accepts(verdict(0, now - DAY, joined)));
  assert.ok(!accepts(verdict(1, now - DAY, joined)));
});

test('the same certificates in another order have the same digest', () => {
  const one = identifyRoots('file', certificates);
  const other = identifyRoots('file', [...certificates].reverse());
  assert.deepEqual(one, other);
  assert.notEqual(identifyRoots('file', certificates.slice(1)).sha256, one.sha256);
});
