import assert from 'node:assert/strict';
import test from 'node:test';
import { explainNearName } from './near-name.js';

// RFC 9525 §6.3, RFC 8461 §4.1.
test('a nearly matching name is explained, another name is not', () => {
  const host = 'mx.a.example';
  for (const [name, says] of [
    ['mx.a.example.', /ends with a dot/],
    ['MX.a.example.', /ends with a dot/],
    ['mx.a.example\0.evil.example', /holds a character/],
    ['mx.a.example ', /holds a character/],
    ['*.example', /exactly one label/],
    ['*.mx.a.example', /exactly one label/],
    ['m*.a.example', /whole left-most label/],
    ['*x.a.example', /whole left-most label/],
    ['mx.*.example', /whole left-most label/],
  ] as const)
    assert.match(explainNearName(name, host) ?? 'undefined', says, name);
  assert.match(explainNearName('*.example', 'mx.example') ?? '', /at least two labels/);
  for (const name of ['www.a.example', 'nx.a.example', '*.b.example', 'a.example', 'w*.a.example'])
    assert.equal(explainNearName(name, host), undefined, name);
});
