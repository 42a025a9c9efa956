import assert from 'node:assert/strict';
import test from 'node:test';
import { BoundedMap } from './index.js';

test('a full map forgets the entry that was used longest ago', () => {
  const map = new BoundedMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  assert.equal(map.get('a'), 1);
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3]);
});

test('a map that is bounded by weight forgets until there is room', () => {
  const map = new BoundedMap<string>(100, { maximum: 10, weigh: ({ length }) => length });
  map.set('a', 'xxxx');
  map.set('b', 'xxxx');
  map.set('a', 'xx');
  map.set('c', 'xxxx');
  assert.equal(map.size, 3);
  map.set('d', 'xxxxxxx');
  assert.deepEqual([map.size, map.get('d')], [1, 'xxxxxxx']);
  map.set('e', 'x'.repeat(11));
  assert.equal(map.size, 0);
});
