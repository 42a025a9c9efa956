import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfSigned } from '../pki/index.js';
import { matchesDnsName, parseCertificate } from './index.js';

function matches(names: string[], wanted: string, commonName?: string): boolean {
  const parsed = parseCertificate(
    selfSigned({ names, ...(commonName === undefined ? {} : { commonName }) }).der,
  );
  return parsed.ok && matchesDnsName(parsed.value, wanted);
}

test('RFC 9525 §6.3: names match whole, without regard to case or final dot', () => {
  assert.ok(matches(['mx.example.com'], 'MX.Example.com.'));
  assert.ok(!matches(['mx.example.com'], 'mx2.example.com'));
  assert.ok(!matches(['example.com'], 'mx.example.com'));
  assert.ok(matches(['xn--bcher-kva.example'], 'xn--bcher-kva.example'));
});

// [8461-3.3-2, 7672-3.2.3-2]
test('RFC 9525 §6.3: a wildcard matches exactly one whole left-most label', () => {
  assert.ok(matches(['*.example.com'], 'mx.example.com'));
  assert.ok(!matches(['*.example.com'], 'a.mx.example.com'));
  assert.ok(!matches(['*.example.com'], 'example.com'));
  assert.ok(!matches(['m*.example.com'], 'mx.example.com'));
  assert.ok(!matches(['mx.*.com'], 'mx.example.com'));
  assert.ok(!matches(['*.*.com'], 'mx.example.com'));
});

test('a wildcard has at least two labels to its right', () => {
  assert.ok(!matches(['*.com'], 'example.com'));
  assert.ok(!matches(['*'], 'localhost'));
});

test('RFC 9525 §6.4.4: the common name is never used', () => {
  assert.ok(!matches([], 'mx.example.com', 'mx.example.com'));
});

test('addresses, empty names and names with invalid octets never match', () => {
  assert.ok(!matches(['192.0.2.1'], '192.0.2.1'));
  assert.ok(!matches([''], ''));
  assert.ok(!matches(['mx.example.com\0.evil.example'], 'mx.example.com'));
  assert.ok(!matches(['*.example.com'], '*.example.com'));
});
