import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { ask } from './ask.js';

/** Asks on a simulated terminal that sends `keys` after the question is shown. */
function answerOf(keys: string, isTTY = true): Promise<string> {
  const interruption = new AbortController();
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough().once('data', () => input.write(keys));
  return ask('Domain: ', {
    signal: interruption.signal,
    input: input as unknown as NodeJS.ReadStream,
    output,
    interrupt: () => interruption.abort(new Error('interrupted')),
  });
}

test('a line answers a question, and ctrl-D gives none', async () => {
  assert.equal(await answerOf(' example.com \r'), 'example.com');
  assert.equal(await answerOf('\u0004'), '');
});

test('ctrl-C aborts a question, also after the first letters', async () => {
  await assert.rejects(answerOf('\u0003'), { name: 'AbortError' });
  await assert.rejects(answerOf('exa\u0003'), { name: 'AbortError' });
});

test('without a terminal there is no answer', async () => {
  assert.equal(await answerOf('example.com\r', false), '');
});
