import assert from 'node:assert/strict';
import test from 'node:test';
import { allFailures, explainFailure, failureCodes, findFailure } from './index.js';

test('every failure code is declared once', () => {
  const codes = allFailures.flatMap(([, { entries }]) => Object.keys(entries));
  assert.deepEqual([...codes].sort(), [...failureCodes].sort());
  assert.equal(new Set(codes).size, codes.length);
});

test('a failure is explained with its detail, clause and fix', () => {
  const entry = findFailure('acme-limited');
  assert.ok(entry);
  const text = explainFailure({ code: 'acme-limited', detail: 'until tomorrow' });
  assert.equal(text, `${entry.message} (until tomorrow) [RFC 8555 §6.6] ${entry.fix}`);
});

test('an unknown code is shown unchanged', () => {
  assert.equal(explainFailure({ code: 'no-such', detail: '' }), 'no-such');
  assert.equal(findFailure('constructor'), undefined);
});
