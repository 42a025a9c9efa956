import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishSection } from './config.js';

const directory = 'https://ca.example/directory';
const judge = (acme: object): boolean =>
  publishSection.safeParse({ acme: { directory, agreed: true, ...acme } }).success;

test('only the operator agrees to the terms of a CA [8555-7.3-2]', () => {
  assert.ok(judge({}));
  assert.equal(publishSection.safeParse({ acme: { directory } }).success, false);
  assert.equal(judge({ agreed: false }), false);
});

// [8555-7.3-1]
test('a contact is one address without header syntax', () => {
  assert.ok(judge({ contact: ['mailto:tls@example.com'] }));
  for (const contact of [
    'mailto:a@example.com,b@example.com',
    'mailto:a@example.com?subject=x',
    'a@example.com',
    'https://example.com',
  ])
    assert.equal(judge({ contact: [contact] }), false, contact);
});

test('a CA directory needs TLS; a web root is for http-01 only', () => {
  assert.equal(judge({ directory: 'http://ca.example/directory' }), false);
  assert.ok(judge({ challenge: 'http-01', webroot: '/srv/www' }));
  assert.equal(judge({ webroot: '/srv/www' }), false);
  assert.ok(judge({ challenge: 'dns-persist-01' }));
});
