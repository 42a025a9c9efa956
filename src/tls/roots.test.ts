import assert from 'node:assert/strict';
import test from 'node:test';
import { builtinTrustStore } from './roots.js';

test("every root of Mozilla's list parses and the list is dated", () => {
  const { certificates, sources } = builtinTrustStore();
  assert.ok(certificates.length > 100);
  for (const root of certificates) assert.deepEqual(root.defects, [], root.subjectText);
  const [identity] = sources;
  assert.match(identity?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.match(identity?.date ?? '', /^\d{4}-\d\d-\d\d$/);
});

test('the list contains the distrust date of a root', () => {
  const store = builtinTrustStore();
  const dated = store.certificates.filter((root) => store.distrustAfter(root) !== undefined);
  assert.ok(dated.length > 0);
});
