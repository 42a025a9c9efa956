import assert from 'node:assert/strict';
import { test } from 'node:test';
import { massRevocationDrill } from '../../../test/support/publish/acme-drill.js';

// [9773-4.2-2, 9773-4.2-4, 9773-5-1]
test('mass revocation: every certificate renews in its window, within the limits', async () => {
  const result = await massRevocationDrill(12, 5);
  assert.equal(result.renewedInWindow, 12);
  assert.equal(result.keysKept, 12);
  assert.equal(result.extraOrders, 0);
  // The initial orders reach the rate limit of the CA once in each of its three periods,
  // and are then deferred.
  assert.deepEqual(result.limited, [2, 0]);
});
