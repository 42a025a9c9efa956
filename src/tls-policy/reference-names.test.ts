import assert from 'node:assert/strict';
import test from 'node:test';
import { referenceNames } from './reference-names.js';

const secure = { dnssec: 'secure' } as const;

// [7672-3.2.2-1, 7672-3.2.2-2]
test('RFC 7672 §3.2.2: the base domain precedes the domain with the secure MX', () => {
  assert.deepEqual(referenceNames('mx.example.com', { domain: 'example.org', route: secure }), [
    'mx.example.com',
    'example.org',
  ]);
});

// [7672-3.2.2-3]
test('RFC 7672 §3.2.2: the target of an alias domain counts as well', () => {
  const way = { domain: 'exchange.example.org', canonicalDomain: 'example.com' };
  assert.deepEqual(referenceNames('mx10.example.com', { ...way, route: secure }), [
    'mx10.example.com',
    'exchange.example.org',
    'example.com',
  ]);
  assert.deepEqual(referenceNames('example.com', { ...way, route: secure }), [
    'example.com',
    'exchange.example.org',
  ]);
});

// [7672-3.2.2-4]
test('RFC 7672 §3.2.2: with a forgeable MX the domain name does not count', () => {
  for (const dnssec of ['insecure', 'indeterminate', 'bogus'] as const)
    assert.deepEqual(
      referenceNames('mx.example.com', { domain: 'example.org', route: { dnssec } }),
      ['mx.example.com'],
    );
});
