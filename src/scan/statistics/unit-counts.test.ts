import assert from 'node:assert/strict';
import test from 'node:test';
import { UnitCounts } from './unit-counts.js';

test('units have the counts of a map, beyond several growths of the table', () => {
  const counts = new UnitCounts();
  const expected = new Map<string, Map<number, number>>();
  for (let n = 0; n < 20_000; n++) {
    const unit = `mail.d${n % 7000}.example`;
    const shape = n % 3;
    const shapes = expected.get(unit) ?? new Map<number, number>();
    expected.set(unit, shapes);
    shapes.set(shape, (shapes.get(shape) ?? 0) + n + 1);
    assert.equal(counts.add(unit, shape, n + 1), shapes.get(shape));
  }
  const text = (shapes: ReadonlyMap<number, number>): string =>
    JSON.stringify([...shapes].sort(([a], [b]) => a - b));
  assert.deepEqual([...counts.units()].map(text).sort(), [...expected.values()].map(text).sort());
  assert.equal(counts.get('mail.d1.example', 1), expected.get('mail.d1.example')?.get(1));
});

test('a unit that was never added has no domains', () => {
  const counts = new UnitCounts();
  assert.equal(counts.get('mx.example', 0), 0);
  assert.deepEqual([...counts.units()], []);
});

test('names that differ in one octet, in case or in script are different units', () => {
  const counts = new UnitCounts();
  const names = [
    'mx1.example',
    'mx2.example',
    'MX1.example',
    'mх1.example',
    '',
    '\0',
    'xm1.example',
  ];
  for (const name of names) counts.add(name, 1, 1);
  assert.equal([...counts.units()].length, names.length);
});
