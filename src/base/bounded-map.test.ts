import assert from 'node:assert/strict';
import test from 'node:test';
import { BoundedMap } from './index.js';

test('a full map removes the least recently used entry', () => {
  const map = new BoundedMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  assert.equal(map.get('a'), 1);
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3]);
});

test('a map with a weight limit removes entries until there is room', () => {
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

test('evictions equal those of a plain list, with long runs of hits between them', () => {
  const map = new BoundedMap<number>(50, { maximum: 400, weigh: (value) => value });
  let expected: (readonly [key: string, value: number])[] = [];
  let state = 7;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const weight = (): number => expected.reduce((sum, [, value]) => sum + value, 0);
  for (let step = 0; step < 8000; step++) {
    // In the second quarter nearly every access is a hit.
    const key = String(draw(step > 2000 && step < 4000 ? 12 : 120));
    const found = expected.find(([name]) => name === key);
    const others = expected.filter(([name]) => name !== key);
    if (draw(20) === 0) {
      map.delete(key);
      expected = others;
    } else if (found) {
      assert.equal(map.get(key), found[1]);
      expected = [...others, found];
    } else {
      const value = draw(20);
      assert.equal(map.get(key), undefined);
      map.set(key, value);
      expected = [...others, [key, value]];
      while (expected.length > 50 || weight() > 400) expected.shift();
    }
    assert.equal(map.size, expected.length);
  }
  for (const [key, value] of expected) assert.equal(map.get(key), value);
});
