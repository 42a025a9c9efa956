import assert from 'node:assert/strict';
import test from 'node:test';
import { createCa, createIntermediate, issue, type Issued } from '../../pki/index.js';
import { readRoots, trustStore, type TrustStore } from '../../x509/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import type { Evidence } from '../../evidence/index.js';
import { compareResults } from '../compare/compare-results.js';
import { grade } from './grade.js';

const DAY = 86_400_000;
const CHECKED_AT = Date.parse('2026-06-01T12:00:00Z');
const DISTRUST_AFTER = CHECKED_AT - 30 * DAY;
const root = createCa({ name: 'Dated Root', notBefore: 0, notAfter: CHECKED_AT + 900 * DAY });
const middle = createIntermediate(root, {
  name: 'Cross-signed Root',
  notBefore: 0,
  notAfter: CHECKED_AT + 100 * DAY,
});

/** Returns a store with the root and, on request, its distrust date. */
function storeOf(distrustAfter?: number): TrustStore {
  const row = ['Dated Root', Buffer.from(root.der).toString('base64')] as const;
  const date = distrustAfter === undefined ? [] : [new Date(distrustAfter).toISOString()];
  const read = readRoots([[...row, ...date] as unknown as Parameters<typeof readRoots>[0][number]]);
  const sources = [{ name: 'toy', sha256: (distrustAfter === undefined ? 'a' : 'b').repeat(64) }];
  return trustStore(read.certificates, [], { sources, distrustAfter: read.distrustAfter });
}

const leaf = (name: string, notBefore: number): Issued =>
  issue(middle, { names: [name], notBefore, notAfter: CHECKED_AT + 60 * DAY });

/** Returns evidence of a host with MTA-STS whose leaf was issued on the given day. */
function evidenceOf(notBefore: number): Evidence {
  const { chain } = leaf('mx.planted.example', notBefore);
  const policyHost = {
    address: '192.0.2.80',
    chain: leaf('mta-sts.planted.example', CHECKED_AT - 60 * DAY).chain.map((der) =>
      Buffer.from(der).toString('base64'),
    ),
  };
  return plantedEvidence({
    hosts: [plantedHost({ addresses: [plantedAddress({ handshake: plantedHandshake(chain) })] })],
    mtaSts: { ...plantedPolicy('enforce'), policyHost },
    trustStores: storeOf().sources,
  });
}

const certificateOf = (result: ReturnType<typeof grade>) =>
  result.hosts[0]?.addresses[0]?.certificates[0];

for (const [days, expected] of [
  [-1, 'trusted'],
  [0, 'trusted'],
  [1, 'unknown-ca'],
] as const)
  test(`a leaf of day ${days} from the distrust date of its root: ${expected}`, () => {
    const result = grade(evidenceOf(DISTRUST_AFTER + days * DAY), undefined, {
      trustStore: storeOf(DISTRUST_AFTER),
    });
    assert.equal(certificateOf(result)?.chain, expected);
    const found = result.findings.find(({ id }) => id.startsWith('cert-'));
    assert.equal(found?.severity, expected === 'trusted' ? undefined : 'fail');
    if (expected !== 'trusted') assert.match(found?.reason ?? '', /distrusts/);
  });

test('a result shows the root with its expiry and the expiry of its cross-certificate', () => {
  const result = grade(evidenceOf(DISTRUST_AFTER), undefined, { trustStore: storeOf() });
  assert.deepEqual(certificateOf(result)?.trustPath, {
    root: 'CN=Dated Root',
    rootNotAfter: '2028-11-17T12:00:00Z',
    issuersNotAfter: '2026-09-09T12:00:00Z',
  });
});

test('the same evidence by another store: the store changed, the chain did not', () => {
  const evidence = evidenceOf(DISTRUST_AFTER + DAY);
  const [before, after] = [storeOf(), storeOf(DISTRUST_AFTER)].map((store) =>
    grade(evidence, undefined, { trustStore: store }),
  );
  assert.ok(before && after);
  const changed = compareResults(before, after).changes.map(({ what }) => what);
  assert.ok(changed.includes('root stores of this program'));
  assert.ok(changed.some((what) => what.endsWith('certificate: chain')));
  assert.ok(!changed.some((what) => what.endsWith('certificate: key')));
  assert.equal(before.provenance?.evidenceSha256, after.provenance?.evidenceSha256);
});

test('another chain by the same store: the key changed, the store did not', () => {
  const [before, after] = [DISTRUST_AFTER - DAY, DISTRUST_AFTER + DAY].map((notBefore) =>
    grade(evidenceOf(notBefore), undefined, { trustStore: storeOf(DISTRUST_AFTER) }),
  );
  assert.ok(before && after);
  const changed = compareResults(before, after).changes.map(({ what }) => what);
  assert.ok(changed.some((what) => what.endsWith('certificate: key')));
  assert.ok(!changed.includes('root stores of this program'));
});

test('a policy host that the store does not trust serves no policy', () => {
  const evidence = evidenceOf(DISTRUST_AFTER - DAY);
  const { mtaSts } = grade(evidence, undefined, { trustStore: trustStore([]) });
  assert.deepEqual([mtaSts.status, mtaSts.mode], ['tempfail', undefined]);
  assert.deepEqual(mtaSts.problems, ['http-certificate-untrusted']);
  assert.equal(grade(evidence).mtaSts.mode, 'enforce');
});
