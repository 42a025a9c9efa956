import type { Network } from '../../../src/net/index.js';

/**
 * Returns the lab's network with its resolver in the role of the zones' own servers: the
 * same data with the bit AA. Observers of publishing accept no other answer.
 */
export function authoritativeNetwork(network: Network): Network {
  return {
    dial: (request) => network.dial(request),
    exchange: (request) =>
      network.exchange({
        ...request,
        accept(bytes, from) {
          bytes[2] = (bytes[2] ?? 0) | 4;
          return request.accept(bytes, from);
        },
      }),
  };
}
