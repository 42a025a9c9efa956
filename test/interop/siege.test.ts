import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import test from 'node:test';
import { judge, siege } from '../../tools/siege.js';

test('a short siege: acknowledged reports are stored once, and an alert is sent', async (t) => {
  const result = await siege(20, 0.3);
  // Delays depend on the load of the machine: `npm run siege` judges them.
  for (const line of judge(result).text.split('\n')) t.diagnostic(line);
  assert.ok(result.books.acknowledged > 0);
  assert.ok(result.restarts > 0);
  assert.deepEqual(
    { ...result.books, acknowledged: 0, died: result.died },
    { acknowledged: 0, lost: 0, doubled: 0, faults: [], died: 0 },
  );
  assert.ok(result.alertAfter !== undefined, `no alert: see ${result.folder}`);
  rmSync(result.folder, { recursive: true });
});
