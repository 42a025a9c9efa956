import assert from 'node:assert/strict';
import test from 'node:test';
import type { ExchangeRequest, ExchangeResult, Network } from '../../net/index.js';
import { LimitedExchanges } from './limit-exchanges.js';

/**
 * Returns a network with `limit` exchanges whose exchanges end only when the test ends
 * them.
 */
function scene(limit: number) {
  const ends: ((result: ExchangeResult) => void)[] = [];
  const network: Network = {
    dial: () => Promise.reject(new Error('not used')),
    exchange: () => new Promise((resolve) => ends.push(resolve)),
  };
  const limited = new LimitedExchanges(network, limit);
  const request = (signal?: AbortSignal): ExchangeRequest => ({
    to: { address: '192.0.2.53', port: 53 },
    query: new Uint8Array(),
    accept: () => true,
    signal,
  });
  return {
    started: () => ends.length,
    end: (index: number) => ends[index]?.({ ok: true, bytes: Uint8Array.of(index) }),
    exchange: (signal?: AbortSignal) => limited.exchange(request(signal)),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('exchanges above the limit wait in order, and an abort leaves the queue', async () => {
  const { started, end, exchange } = scene(2);
  const leaving = new AbortController();
  const all = [exchange(), exchange(), exchange(leaving.signal), exchange(), exchange()];
  const left = assert.rejects(all[2] as Promise<unknown>, /enough/);
  await turn();
  assert.equal(started(), 2);
  leaving.abort(new Error('enough'));
  await left;
  assert.equal(started(), 2);
  for (const [index, wanted] of [
    [1, 3],
    [0, 4],
    [2, 4],
  ] as const) {
    end(index);
    await turn();
    assert.equal(started(), wanted);
  }
  end(3);
  await Promise.all(all.filter((one) => one !== all[2]));
  const aborted = AbortSignal.abort(new Error('late'));
  const busy = [exchange(), exchange()];
  await assert.rejects(exchange(aborted), /late/);
  [4, 5].forEach(end);
  await Promise.all(busy);
});

test('a rejected exchange frees its slot', async () => {
  let calls = 0;
  const limited = new LimitedExchanges(
    {
      dial: () => Promise.reject(new Error('not used')),
      exchange: async () => {
        if (++calls === 1) throw new Error('aborted');
        return { ok: true, bytes: new Uint8Array() };
      },
    },
    1,
  );
  const to = { address: '192.0.2.53', port: 53 };
  const request = { to, query: new Uint8Array(), accept: () => true };
  const both = [limited.exchange(request), limited.exchange(request)];
  const results = await Promise.allSettled(both);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
});
