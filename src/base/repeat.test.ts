import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeat } from './repeat.js';
import { FakeClock } from '../../test/support/fake-clock.js';

function stopAfter(rounds: number) {
  const controller = new AbortController();
  const clock = new FakeClock();
  const sleep = async (ms: number): Promise<void> => {
    await clock.sleep(ms);
    if (clock.pauses.length === rounds) controller.abort();
  };
  return { clock: { sleep }, pauses: clock.pauses, signal: controller.signal };
}

test('a failed round does not end the loop and may choose its pause', async () => {
  const { clock, pauses, signal } = stopAfter(4);
  const errors: string[] = [];
  let count = 0;
  const outcomes = [() => undefined, () => 7, () => fails('first'), () => fails('second')];
  await repeat(() => outcomes[count++]?.(), {
    clock,
    signal,
    pauseMs: 100,
    onError(error) {
      errors.push(error.message);
      return errors.length === 1 ? 5 : undefined;
    },
  });
  assert.deepEqual(pauses, [100, 7, 5, 100]);
  assert.deepEqual(errors, ['first', 'second']);
});

test('an error after the abort is not reported', async () => {
  const controller = new AbortController();
  await repeat(
    () => {
      controller.abort();
      return fails('aborted');
    },
    {
      clock: new FakeClock(),
      signal: controller.signal,
      pauseMs: 1,
      onError: () => assert.fail('reported'),
    },
  );
});

function fails(message: string): never {
  throw new Error(message);
}
