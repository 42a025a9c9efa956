import assert from 'node:assert/strict';
import test from 'node:test';
import type { StatementParameter, Queries } from './database.js';
import { FactStore } from './store-facts.js';

/** A table of facts whose rows have this many octets each. */
class FactTable implements Queries {
  loaded = 0;

  constructor(private readonly octets: number) {}

  query<Row extends object>(_: string, values: readonly StatementParameter[] = []): Promise<Row[]> {
    const ids = values[0] as readonly number[];
    this.loaded += ids.length;
    const rows = ids.map((id) => ({ id, body: { id }, octets: this.octets }));
    return Promise.resolve(rows as unknown as Row[]);
  }
}

const ids = Array.from({ length: 100 }, (_, index) => index);

test('small sets of facts are loaded once', async () => {
  const table = new FactTable(3000);
  const store = new FactStore(table);
  assert.equal((await store.load(ids)).size, ids.length);
  assert.deepEqual((await store.load(ids)).get(7), { id: 7 });
  assert.equal(table.loaded, ids.length);
});

test('large sets of facts are evicted by size before the limit of their number', async () => {
  const table = new FactTable(1_000_000);
  const store = new FactStore(table);
  const loaded = await store.load(ids);
  assert.equal(loaded.size, ids.length);
  // The cache holds the latest 16 MB.
  await store.load(ids.slice(-10));
  assert.equal(table.loaded, ids.length);
  await store.load(ids.slice(0, 10));
  assert.equal(table.loaded, ids.length + 10);
});
