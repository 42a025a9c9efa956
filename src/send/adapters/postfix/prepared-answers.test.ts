import assert from 'node:assert/strict';
import test from 'node:test';
import { PreparedAnswers, type Prepared } from './prepared-answers.js';
import { frame } from './serve-socketmap.js';
import { FakeClock } from '../../../../test/support/fake-clock.js';

function prepared(options: { size?: number; atOnce?: number; keepMs?: number } = {}): {
  answers: PreparedAnswers;
  asked: string[];
  clock: FakeClock;
  /** The simulated result of the next lookup. */
  found: { reply: string; fails: boolean };
} {
  const asked: string[] = [];
  const clock = new FakeClock(0);
  const found = { reply: 'OK one', fails: false };
  const answers = new PreparedAnswers({
    clock,
    ...options,
    prepare: async (key): Promise<Prepared> => {
      asked.push(key);
      await new Promise(setImmediate);
      if (found.fails) throw new Error('broken');
      return { reply: found.reply, keepMs: options.keepMs ?? 10_000 };
    },
  });
  return { answers, asked, clock, found };
}

test('a known key is answered at once, a new one by one lookup for all callers', async () => {
  const { answers, asked } = prepared();
  assert.deepEqual(await Promise.all([answers.answer('a'), answers.answer('a')]), [
    frame('OK one'),
    frame('OK one'),
  ]);
  assert.deepEqual(asked, ['a']);
  assert.equal(answers.answer('a'), frame('OK one'));
});

test('an expired answer is never used, even when the lookup fails', async () => {
  const { answers, clock, found } = prepared();
  await answers.answer('a');
  clock.at = 10_000;
  found.fails = true;
  assert.match(await answers.answer('a'), /TEMP/);
});

test('an answer in use is looked up again before it expires', async () => {
  const { answers, asked, clock, found } = prepared();
  await answers.answer('a');
  clock.at = 8_001;
  found.reply = 'OK two';
  assert.equal(answers.answer('a'), frame('OK one'));
  assert.equal(answers.answer('a'), frame('OK one'));
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  assert.equal(answers.answer('a'), frame('OK two'));
  assert.deepEqual(asked, ['a', 'a']);
});

test('clear also discards lookups in progress', async () => {
  const { answers, asked, found } = prepared();
  const first = answers.answer('a');
  answers.clear();
  await first;
  found.reply = 'OK two';
  assert.equal(await answers.answer('a'), frame('OK two'));
  assert.deepEqual(asked, ['a', 'a']);
});

test('lookups beyond the limit are answered with TEMP', async () => {
  const { answers } = prepared({ atOnce: 10 });
  const replies = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => answers.answer(`d${i}`)),
  );
  assert.equal(replies.filter((reply) => reply.includes('TEMP')).length, 20);
});

test('a full cache evicts the oldest unused answer', async () => {
  const { answers, asked } = prepared({ size: 3 });
  for (const key of ['a', 'b', 'c']) await answers.answer(key);
  void answers.answer('a');
  await answers.answer('d');
  assert.equal(answers.size, 3);
  assert.equal(typeof answers.answer('a'), 'string');
  await answers.answer('b');
  assert.deepEqual(asked, ['a', 'b', 'c', 'd', 'b']);
});

test('an internal error is answered with TEMP and is not cached', async () => {
  const { answers, found } = prepared();
  found.fails = true;
  assert.match(await answers.answer('a'), /^\d+:TEMP .*hermetic/);
  found.fails = false;
  assert.equal(await answers.answer('a'), frame('OK one'));
});
