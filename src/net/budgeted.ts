import type { Clock } from '../base/index.js';
import type { DialRequest, DialResult, Network } from './types.js';

export interface Budget {
  /** TCP connections to one address. */
  readonly perAddress: number;
  /**
   * Milliseconds between the end of one connection's opening and the start of the next to
   * the same address.
   */
  readonly spacingMs: number;
  readonly clock: Clock;
}

/**
 * Limits how many connections one address gets, opens them one after another, and keeps a
 * distance between them.
 */
export function budgeted(network: Network, { perAddress, spacingMs, clock }: Budget): Network {
  const spent = new Map<string, number>();
  const queues = new Map<string, Promise<unknown>>();

  async function take(request: DialRequest, earlier: Promise<unknown>): Promise<DialResult> {
    await earlier.catch(() => undefined);
    const used = spent.get(request.address) ?? 0;
    if (used >= perAddress)
      return { ok: false, failure: { code: 'net-budget', detail: `${perAddress} connections` } };
    spent.set(request.address, used + 1);
    if (used > 0 && spacingMs > 0) await clock.sleep(spacingMs, request.signal);
    return network.dial(request);
  }

  return {
    dial(request) {
      const turn = take(request, queues.get(request.address) ?? Promise.resolve());
      queues.set(request.address, turn);
      return turn;
    },
    exchange: (request) => network.exchange(request),
  };
}
