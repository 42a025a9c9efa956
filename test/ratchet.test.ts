import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { tightened, worseThan } from '../tools/ratchet.js';

const committed = { spreads: 10, 'identifier length': 6.3 };

const figures = (spreads: number, length: number) => [
  { name: 'spreads', value: spreads },
  { name: 'identifier length', value: length, more: true },
];

test('a figure that became worse fails in either direction', () => {
  assert.deepEqual(worseThan(committed, figures(11, 6.3)), ['spreads: 11, but 10 is committed']);
  assert.deepEqual(worseThan(committed, figures(10, 6.1)), [
    'identifier length: 6.1, but 6.3 is committed',
  ]);
});

test('equal and better figures hold; a figure that was within its limit does not', () => {
  assert.deepEqual(worseThan(committed, figures(10, 6.27)), []);
  assert.deepEqual(worseThan(committed, figures(3, 7)), []);
  assert.deepEqual(worseThan(committed, [{ name: 'new', value: 1 }]), [
    'new: 1 is outside its limit',
  ]);
});

test('an update takes better figures and never worse ones', () => {
  assert.deepEqual(tightened(committed, figures(3, 6)), { spreads: 3, 'identifier length': 6.3 });
  assert.deepEqual(tightened({}, figures(3, 6.04)), { spreads: 3, 'identifier length': 6 });
});
