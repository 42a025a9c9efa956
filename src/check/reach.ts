import type { Upstream } from '../dns/index.js';
import { guarded, specialPurpose, type Network } from '../net/index.js';

/**
 * The addresses that a check connects to. `internet`: the addresses that a sender
 * anywhere can reach. `lab`: the documentation addresses as well, which the lab uses.
 * `any`: all addresses, for networks that the operator named.
 */
export type Reach = 'internet' | 'lab' | 'any';

/**
 * Derives the reach from the resolver and the address that the operator named. A resolver
 * with a private address answers for a private network (split DNS, test networks), so the
 * private addresses in its answers are intended.
 */
export function reachOf(
  address: string | undefined,
  upstreams: readonly Pick<Upstream, 'address'>[] = [],
): Reach {
  if (address !== undefined) return 'any';
  const kinds = upstreams.flatMap((upstream) => specialPurpose(upstream.address) ?? []);
  if (kinds.some((kind) => kind !== DOCUMENTATION)) return 'any';
  return kinds.length > 0 ? 'lab' : 'internet';
}

const DOCUMENTATION = 'documentation';

/**
 * Returns the network without unreachable addresses. RFC 6890 §2.2 [6890-2.2-1]: no
 * sender reaches a reserved address, and any answer there is from another host.
 */
export function reachable(network: Network, reach: Reach): Network {
  if (reach === 'any') return network;
  return guarded(network, (address) => {
    const kind = specialPurpose(address);
    if (reach === 'lab' && kind === DOCUMENTATION) return undefined;
    return kind;
  });
}
