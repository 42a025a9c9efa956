import assert from 'node:assert/strict';
import test from 'node:test';
import { allScenarios } from '../../src/lab/index.js';
import { rows, runMatrix } from '../../tools/attacks/matrix.js';
import { compare } from '../../tools/attacks/predicted-equals-observed.js';
import { isLong } from '../support/test-size.js';

test('under every attack, mail goes only where the RFCs permit', { timeout: 120_000 }, async () => {
  const { wrong, cells } = await runMatrix();
  assert.deepEqual(wrong, []);
  assert.ok(cells >= 200, `${cells} cells`);
});

test('the matrix fails when one cell is not as expected', async () => {
  const [strip] = rows.filter(({ says }) => says === 'STARTTLS removed');
  assert.ok(strip);
  // The expectation is wrong on purpose: plaintext under DANE, and deferral without any
  // policy.
  const { wrong } = await runMatrix([{ ...strip, expect: 'CWWWCW' }]);
  assert.deepEqual(
    wrong.map(({ column }) => column),
    ['DANE', 'DANE', 'none', 'none'],
  );
});

/**
 * Domains to test, one of each kind and fewer in the short form; `npm run attacks` tests
 * all.
 */
const some = [
  'good',
  'sts-only',
  'tlsa-unusable',
  'plaintext',
  'uneven',
  'spoofed-mx',
  ...(isLong ? ['dane-ta', 'hosted-customer', 'sts-mx-mismatch', 'dead-mx'] : []),
];

test(
  'the predictions of check match real deliveries under each attack',
  { timeout: 120_000 },
  async () => {
    const chosen = allScenarios.filter(({ domain }) =>
      some.includes(domain.replace('.example', '')),
    );
    assert.equal(chosen.length, some.length);
    const { cells, left, differing } = await compare(chosen);
    assert.deepEqual(differing, []);
    assert.ok(cells - left > 25 * chosen.length, `${cells - left} compared`);
  },
);
