/**
 * Weaknesses that the name of an algorithm does not show, and faults with their reasons.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { verifyDane } from '../dane/index.js';
import { createCa, createIntermediate, der, generateKey, type Authority } from '../pki/index.js';
import { read, root, server, verdictOf, verdictVia } from '../../test/support/chains.js';
import { accepts, explainProblem, parseCertificate, trustStore, verifyChain } from './index.js';

const trusted = 'trusted valid';
const at = Date.now();

/**
 * Returns the certificate with another algorithm identifier of the same length, in the
 * signed part and next to the signature.
 */
function relabelled(issued: { readonly der: Uint8Array }, identifier: string): Buffer {
  const hex = Buffer.from(issued.der).toString('hex');
  return Buffer.from(hex.replaceAll('2a8648ce3d040302', identifier), 'hex');
}

test('an unsupported signature algorithm is reported, without a fault', () => {
  const middle = createIntermediate(root, { name: 'Middle' });
  for (const identifier of ['2a8648ce3d040309', '2a8648ce3d040305']) {
    const leaf = { der: relabelled(server(middle), identifier) };
    assert.equal(verdictOf([leaf, middle]), 'unknown-ca valid x509-unknown-algorithm');
    const text = explainProblem('x509-unknown-algorithm', [read(leaf), read(middle)]);
    assert.match(text, /^CN=mx\.example: signed with 1\.2\.840\.10045\.4\.3\.\d, which is not/);
  }
  const changed = { der: relabelled(server(middle), '2a8648ce3d040303') };
  assert.match(verdictOf([changed, middle]), /x509-bad-signature/, 'a known one is verified');
});

test('small and unknown curves are refused anywhere on the path', () => {
  const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  for (const name of ['secp112r1', 'secp128r1', 'secp160r1', 'sect163k1']) {
    const key = curve(name);
    assert.equal(verdictVia({}, { key }), 'unknown-ca valid x509-weak-key', name);
    assert.equal(verdictVia({ key }), 'unknown-ca valid x509-weak-key', name);
    const top = createCa({ name: 'Small', key });
    const verdict = verifyChain({
      sent: [read(server(top))],
      anchors: trustStore([read(top)]),
      validationTime: at,
    });
    assert.deepEqual(verdict.problems, ['x509-weak-key'], name);
  }
  for (const name of ['prime192v1', 'secp224r1', 'brainpoolP320r1'])
    assert.equal(verdictVia({ key: curve(name) }), trusted, name);
  const leaf = read(server(root, { key: curve('secp112r1') }));
  assert.match(explainProblem('x509-weak-key', [leaf]), /curve that is not supported/);
});

test('an RSA key with exponent 1 makes the certificate unreadable', () => {
  const rsaKey = (exponent: number): Uint8Array =>
    der.sequence(
      der.sequence(der.objectId('1.2.840.113549.1.1.1'), der.nothing()),
      der.bitString(
        der.sequence(der.integer(new Uint8Array(256).fill(0x7f)), der.integer(exponent)),
      ),
    );
  for (const [exponent, readable] of [
    [1, false],
    [2, false],
    [3, true],
    [65_537, true],
  ] as const)
    assert.equal(parseCertificate(server(root, { spki: rsaKey(exponent) }).der).ok, readable);
});

test('SHA-1 below the anchor is never accepted; on the anchor it does not count', () => {
  const key = generateKey('rsa-2048');
  const verdict = (top: Authority, sent: readonly { readonly der: Uint8Array }[]) =>
    verifyChain({ sent: sent.map(read), anchors: trustStore([read(top)]), validationTime: at });
  const top = createCa({ name: 'Old', key });
  for (const hash of ['sha1', 'pss-sha1'] as const) {
    const middle = createIntermediate(top, { name: 'Middle', hash, key });
    const leaf = server(createIntermediate(top, { name: 'Middle', key }), { hash });
    assert.equal(accepts(verdict(top, [server(middle), middle])), false, `issuer ${hash}`);
    assert.equal(
      accepts(verdict(top, [leaf, createIntermediate(top, { name: 'Middle', key })])),
      false,
    );
    const old = createCa({ name: 'Old', key, hash });
    assert.equal(accepts(verdict(old, [server(old)])), true, 'an anchor is trusted by its key');
    assert.equal(accepts(verdict(old, [server(old), old])), true);
  }
});

test('a repeated extension or two algorithms exclude a path, not a key match', () => {
  const purpose = { oid: '2.5.29.37', critical: false, value: der.sequence(der.objectId('1.2.3')) };
  const twice = server(root, { extensions: [purpose] });
  const inner = Buffer.from(server(root).der);
  inner[inner.indexOf(Buffer.from('2a8648ce3d040302', 'hex')) + 7] = 3;
  for (const leaf of [twice, { der: inner }]) {
    assert.match(verdictOf([leaf]), /^unknown-ca valid (x509-malformed|x509-bad-signature)/);
    const { spki, defects } = read(leaf);
    assert.equal(defects.length, 1);
    const data = createHash('sha256').update(spki).digest();
    const records = [{ usage: 3, selector: 1, matchingType: 1, data }];
    const question = { records, chain: [read(leaf)], names: [], validationTime: at };
    assert.equal(verifyDane(question).verdict, 'match');
  }
});

test('the last certificate of an incomplete chain and its missing issuer are reported', () => {
  const [upper, lower] = [createIntermediate(root, { name: 'Upper' }), 'Lower'];
  const middle = createIntermediate(upper, { name: lower });
  const leaf = server(middle);
  const missing = (...sent: readonly { readonly der: Uint8Array }[]): string =>
    explainProblem('x509-issuer-missing', sent.map(read));
  assert.match(
    missing(leaf),
    /^CN=mx\.example: it was issued by CN=Lower, which the server did not send/,
  );
  assert.match(
    missing(leaf, middle),
    /: CN=Lower was issued by CN=Upper, which the server did not send/,
  );
  assert.match(missing(leaf, upper), /: it was issued by CN=Lower/, 'a gap');
  assert.match(missing(leaf, upper, middle), /: CN=Upper was issued by CN=Root/, 'any order');
  assert.match(missing(leaf, server(root), middle), /: CN=Lower was issued by CN=Upper/);
});

test('a certificate with an invalid signature is reported with its issuer', () => {
  const [middle, impostor] = ['', ''].map(() => createIntermediate(root, { name: 'Middle' }));
  assert.ok(middle && impostor);
  const bad = (...sent: readonly { readonly der: Uint8Array }[]): string =>
    explainProblem('x509-bad-signature', sent.map(read));
  const leaf = server(middle);
  assert.match(bad(leaf, impostor), /^CN=mx\.example: its signature does not .* CN=Middle/);
  assert.match(bad(leaf, impostor, middle), /^The signature of a certificate/, 'one fits');
  const otherRoot = createCa({ name: 'Root' });
  assert.match(bad(leaf, middle, otherRoot), /^CN=Middle: its signature does not .* CN=Root/);
});
