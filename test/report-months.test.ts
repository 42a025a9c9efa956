import assert from 'node:assert/strict';
import test from 'node:test';
import { faults } from '../tools/report-faults.js';
import { playMonth } from '../tools/report-month.js';
import { judgeMonths, tableOf, totalsOf } from '../tools/report-months.js';
import { playForeignMonth } from './foreign-months.js';
import { playHarshMonth } from './harsh-months.js';
import { playPlainMonth } from './plain-months.js';
import { testSize } from './support/test-size.js';

test('simulated months: no wrong cause, and no fault shown as healthy', async () => {
  const outcome = await judgeMonths(testSize(30, 60), 7);
  const { wrong, missed } = totalsOf(outcome);
  assert.deepEqual({ wrong, missed }, { wrong: 0, missed: 0 }, tableOf(outcome));
  const right = outcome.tallies.reduce((n, t) => n + t.right, 0);
  assert.ok(right > testSize(7, 15), tableOf(outcome));
});

test('simulated months with other rates, styles and lengths: no wrong cause', async () => {
  const outcome = await judgeMonths(testSize(50, 100), 7, playHarshMonth);
  const { wrong, missed } = totalsOf(outcome);
  assert.deepEqual({ wrong, missed }, { wrong: 0, missed: 0 }, tableOf(outcome));
  const right = outcome.tallies.reduce((n, t) => n + t.right, 0);
  assert.ok(right > testSize(5, 10), tableOf(outcome));
});

test('simulated months with incomplete reporters: no wrong cause', async () => {
  const outcome = await judgeMonths(40, 3, playForeignMonth);
  const { wrong, missed } = totalsOf(outcome);
  assert.deepEqual({ wrong, missed }, { wrong: 0, missed: 0 }, tableOf(outcome));
  const right = outcome.tallies.reduce((n, t) => n + t.right, 0);
  assert.ok(right > 5, tableOf(outcome));
});

test('simulated months with correct reporters: no wrong cause', async () => {
  const outcome = await judgeMonths(20, 11, playPlainMonth);
  const { wrong, missed } = totalsOf(outcome);
  assert.deepEqual({ wrong, missed }, { wrong: 0, missed: 0 }, tableOf(outcome));
  const right = outcome.tallies.reduce((n, t) => n + t.right, 0);
  assert.ok(right > 4, tableOf(outcome));
});

test('the simulated months contain every fault and depend only on the seed', () => {
  const seen = new Set(Array.from({ length: 400 }, (_, n) => playMonth(n).fault));
  assert.deepEqual([...seen].sort(), Object.keys(faults).sort());
  assert.deepEqual(playMonth(3).reports, playMonth(3).reports);
});
