import type { Endpoint, NetFailureCode, Network } from './types.js';

/** One call of {@link Network}. */
export interface NetEvent {
  readonly kind: 'dial' | 'exchange';
  readonly to: Endpoint;
  readonly outcome: 'ok' | NetFailureCode;
}

/** Tells `onEvent` of every use of the door: how connections are counted. */
export function recorded(network: Network, onEvent: (event: NetEvent) => void): Network {
  return {
    async dial(request) {
      const result = await network.dial(request);
      onEvent({
        kind: 'dial',
        to: { address: request.address, port: request.port },
        outcome: result.ok ? 'ok' : result.failure.code,
      });
      return result;
    },
    async exchange(request) {
      const result = await network.exchange(request);
      onEvent({
        kind: 'exchange',
        to: request.to,
        outcome: result.ok ? 'ok' : result.failure.code,
      });
      return result;
    },
  };
}
