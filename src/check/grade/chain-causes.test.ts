/** Faults of a chain: the certificate at fault, and the fix that concerns it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Finding } from '../../evidence/index.js';
import { createCa, createIntermediate, generateKey, issue, type Issued } from '../../pki/index.js';
import { trustStore, verifyChain } from '../../x509/index.js';
import { read } from '../../../test/support/chains.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

const DAY = 86_400_000;
const at = Date.parse('2026-06-01T12:00:00Z');
const dates = { notBefore: at - DAY, notAfter: at + 80 * DAY };
const root = createCa({ name: 'Root', ...dates, key: generateKey('rsa-2048') });
const leafBy = (issuer: Parameters<typeof issue>[0], hash?: 'sha1'): Issued =>
  issue(issuer, { names: ['mx.planted.example'], ...dates, ...(hash && { hash }) });

/** Returns the finding of a chain below the root, under an enforced policy. */
function raised(id: string, ...sent: readonly Issued[]): Finding {
  const anchors = trustStore([read(root)]);
  const { chain, validity, problems } = verifyChain({
    sent: sent.map(read),
    anchors,
    validationTime: at,
  });
  const handshake = plantedHandshake(
    sent.map(({ der }) => der),
    { chain, validity, problems },
  );
  const hosts = [plantedHost({ addresses: [plantedAddress({ handshake })] })];
  const { findings } = grade(plantedEvidence({ hosts, mtaSts: plantedPolicy('enforce') }));
  const finding = findings.find((one) => one.id === id);
  assert.ok(finding, findings.map((one) => one.id).join());
  return finding;
}

test('a broken hash is reported for its certificate', () => {
  const id = 'cert-weak-signature';
  const middle = createIntermediate(root, { name: 'Middle', hash: 'sha1', ...dates });
  const above = raised(id, leafBy(middle), middle);
  assert.match(above.title, /sha1WithRSAEncryption$/);
  assert.match(above.reason ?? '', /^CN=Middle: signed with sha1With/);
  assert.match(raised(id, leafBy(root, 'sha1')).title, /sha1WithRSAEncryption$/);
});

test('a CA certificate of the future has not expired', () => {
  const id = 'cert-chain-outdated';
  const early = createIntermediate(root, { name: 'Early', ...dates, notBefore: at + DAY });
  assert.match(raised(id, leafBy(early), early).title, /is not valid yet$/);
  const late = createIntermediate(root, { name: 'Late', ...dates, notAfter: at - 1000 });
  assert.match(raised(id, leafBy(late), late).title, /has expired$/);
});

test('an intermediate with the right name and another key must be replaced', () => {
  const [middle, other] = [root, createCa({ name: 'Other', ...dates })].map((issuer) =>
    createIntermediate(issuer, { name: 'Middle', ...dates }),
  );
  assert.ok(middle && other);
  const { reason, fix } = raised('cert-not-acceptable', leafBy(middle), other);
  assert.match(reason ?? '', /signature does not match the key of CN=Middle/);
  assert.match(fix, /^Send the intermediate certificate/);
});

test('RFC 9325 §4.5: only a weak key of a CA in the chain is reported', () => {
  const id = 'cert-weak-key';
  const weak = generateKey('rsa-1024');
  const old = createIntermediate(root, { name: 'Old', key: weak, ...dates });
  const above = raised(id, leafBy(old), old);
  assert.match(above.title, /RSA 1024$/);
  assert.equal(above.reason, 'the CA CN=Old has an RSA key of 1024 bits');
  assert.match(above.fix, /from a CA with a stronger key than that of CN=Old/);
  const middle = createIntermediate(old, { name: 'Middle', ...dates });
  assert.match(raised(id, leafBy(middle), old, middle).reason ?? '', /CN=Old/);
  const strong = createIntermediate(root, { name: 'Strong', ...dates });
  assert.throws(() => raised(id, leafBy(strong), strong, old), /cert-|sts-/);
  const own = issue(old, { names: ['mx.planted.example'], key: weak, ...dates });
  assert.equal(raised(id, own, old).reason, undefined);
});
