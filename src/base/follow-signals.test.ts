import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { followSignals } from './index.js';

test('work aborts with each signal it follows, with the reason of that signal', async () => {
  for (const which of [0, 1]) {
    const sources = [new AbortController(), new AbortController()];
    const reason = new Error('end');
    const { signal } = await followSignals(
      sources.map((source) => source.signal),
      (own) => {
        sources[which]?.abort(reason);
        return Promise.resolve(own);
      },
    );
    assert.equal(signal.reason, reason);
  }
});

test('aborting the work does not abort the followed signal', async () => {
  const source = new AbortController();
  await followSignals([undefined, source.signal], (own) => {
    own.abort();
    assert.ok(own.signal.aborted);
    return Promise.resolve();
  });
  assert.ok(!source.signal.aborted);
});

test('an aborted signal aborts the work at once', async () => {
  const reason = new Error('before');
  await followSignals([AbortSignal.abort(reason)], ({ signal }) => {
    assert.equal(signal.reason, reason);
    return Promise.resolve();
  });
});

test('work leaves no listener, after success and failure', async () => {
  const { signal } = new AbortController();
  const pending = Array.from({ length: 20 }, (_, n) =>
    followSignals([signal], () => (n % 2 === 0 ? Promise.resolve() : Promise.reject(new Error()))),
  );
  assert.equal(getEventListeners(signal, 'abort').length, 20);
  await Promise.allSettled(pending);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
