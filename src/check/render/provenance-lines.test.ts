import assert from 'node:assert/strict';
import test from 'node:test';
import { describeStore } from './provenance-lines.js';

const store = { name: 'mozilla', version: 'NSS 3.129', date: '2026-09-09', sha256: 'a'.repeat(64) };

test('a root store is named with version and date', () => {
  assert.equal(describeStore(store, '2026-11-30T00:00:00Z'), 'mozilla NSS 3.129 of 2026-09-09');
});

test('a root store older than six months asks for an update', () => {
  assert.match(describeStore(store, '2027-03-20T00:00:00Z'), /older than six months/);
});

test('a root store without a date is named by its digest', () => {
  const named = describeStore({ name: 'system', sha256: 'b'.repeat(64) }, '2026-11-30T00:00:00Z');
  assert.equal(named, 'system (SHA-256 bbbbbbbbbbbbbbbb)');
});
