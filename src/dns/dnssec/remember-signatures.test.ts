import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { standardAlgorithms, type Algorithm } from './algorithms.js';
import { rememberSignatures } from './remember-signatures.js';

const ED25519 = 15;
const keys = generateKeyPairSync('ed25519');
const data = Buffer.from('records and their validity period');
const signature = sign(null, data, keys.privateKey);

/**
 * Returns an algorithm with the signature cache, and a counter of the signatures that the
 * algorithm verified.
 */
function counted(): { readonly algorithm: Algorithm; readonly computed: () => number } {
  const standard = standardAlgorithms.signatures.get(ED25519);
  assert.ok(standard);
  let count = 0;
  const counting: Algorithm = {
    ...standard,
    verify: (...parts) => {
      count++;
      return standard.verify(...parts);
    },
  };
  const registry = { ...standardAlgorithms, signatures: new Map([[ED25519, counting]]) };
  const algorithm = rememberSignatures(registry).signatures.get(ED25519);
  assert.ok(algorithm);
  return { algorithm, computed: () => count };
}

test('a valid signature is verified once', () => {
  const { algorithm, computed } = counted();
  for (let time = 0; time < 3; time++)
    assert.ok(algorithm.verify(keys.publicKey, Buffer.from(data), Buffer.from(signature)));
  assert.equal(computed(), 1);
});

test('a known signature never covers other data or another key', () => {
  const { algorithm } = counted();
  assert.ok(algorithm.verify(keys.publicKey, data, signature));
  for (let at = 0; at < data.length; at++) {
    const other = Buffer.from(data);
    other[at] = (other[at] ?? 0) ^ 1;
    assert.equal(algorithm.verify(keys.publicKey, other, signature), false);
  }
  assert.equal(algorithm.verify(keys.publicKey, data.subarray(1), signature), false);
  const { publicKey } = generateKeyPairSync('ed25519');
  assert.equal(algorithm.verify(publicKey, data, signature), false);
  assert.ok(algorithm.verify(keys.publicKey, data, signature));
});

test('an invalid signature is verified every time', () => {
  const { algorithm, computed } = counted();
  const wrong = Buffer.from(signature);
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  for (let time = 0; time < 3; time++)
    assert.equal(algorithm.verify(keys.publicKey, data, wrong), false);
  assert.equal(computed(), 3);
});
