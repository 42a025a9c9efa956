import assert from 'node:assert/strict';
import test from 'node:test';
import { referenceNames } from './reference-names.js';

const secure = { dnssec: 'secure' } as const;

test('RFC 7672 §3.2.2 [7672-3.2.2-1, 7672-3.2.2-2]: the base domain first, then the domain whose secure MX led to it', () => {
  assert.deepEqual(referenceNames('mx.example.com', { domain: 'example.org', route: secure }), [
    'mx.example.com',
    'example.org',
  ]);
});

test('RFC 7672 §3.2.2 [7672-3.2.2-3]: where the domain is an alias, its target counts as well', () => {
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

test('RFC 7672 §3.2.2 [7672-3.2.2-4]: with a forgeable MX the domain name does not count', () => {
  for (const dnssec of ['insecure', 'indeterminate', 'bogus'] as const)
    assert.deepEqual(
      referenceNames('mx.example.com', { domain: 'example.org', route: { dnssec } }),
      ['mx.example.com'],
    );
});
