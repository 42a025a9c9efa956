import assert from 'node:assert/strict';
import { createHash, ECDH } from 'node:crypto';
import test from 'node:test';
import { KEY_SHARE_RANDOM, keyShareOf, X25519_MLKEM768 } from './key-share.js';

/** Returns the octets that look random and are the same in every run. */
function random(seed: string): Uint8Array {
  return createHash('shake256', { outputLength: KEY_SHARE_RANDOM }).update(seed).digest();
}

test('an X25519MLKEM768 share has 1,216 octets, the X25519 key at its end', () => {
  const share = keyShareOf(X25519_MLKEM768, random('size'));
  assert.equal(share?.key.length, 1216);
  const { key } = keyShareOf(29, random('size')) ?? { key: new Uint8Array() };
  assert.deepEqual(share.key.subarray(1184), Uint8Array.from(key));
});

test('every coefficient of the encapsulation key is below the modulus of ML-KEM', () => {
  for (const seed of ['a', 'b', 'c', 'd']) {
    const { key } = keyShareOf(X25519_MLKEM768, random(seed)) ?? { key: new Uint8Array() };
    const coefficients: number[] = [];
    for (let index = 0; index < 1152; index += 3) {
      const [low = 0, middle = 0, high = 0] = key.subarray(index, index + 3);
      coefficients.push(low | ((middle & 15) << 8), (middle >> 4) | (high << 4));
    }
    assert.equal(coefficients.length, 768);
    assert.ok(coefficients.every((coefficient) => coefficient < 3329));
    assert.ok(new Set(coefficients).size > 500, 'they are not constant');
  }
});

test('the shares of NIST curves are points on their curves', () => {
  for (const [group, curve] of [
    [23, 'prime256v1'],
    [24, 'secp384r1'],
  ] as const) {
    const { key } = keyShareOf(group, random('point')) ?? { key: new Uint8Array() };
    const compressed = ECDH.convertKey(key, curve, undefined, undefined, 'compressed');
    const whole = ECDH.convertKey(compressed, curve, undefined, undefined, 'uncompressed');
    assert.deepEqual(whole, Buffer.from(key));
  }
});

test('an unsupported group gives no key share', () => {
  for (const group of [25, 256, 0x11eb, 0x0a0a])
    assert.equal(keyShareOf(group, random('none')), undefined);
});
