import type { Name } from '../../base/index.js';
import {
  lookupAddresses,
  readTarget,
  RRType,
  type Resolver,
  type Upstream,
} from '../../dns/index.js';

/**
 * Every authoritative server of the zone a name is in, at every address. `undefined`:
 * could not be told.
 */
export async function zoneServers(
  resolver: Resolver,
  name: Name,
  signal?: AbortSignal,
): Promise<{ readonly apex: Name; readonly servers: readonly Upstream[] } | undefined> {
  const options = signal ? { signal } : {};
  for (let apex = name; !apex.isRoot; apex = apex.parent) {
    const answer = await resolver.ask(apex, RRType.NS, options);
    if (answer.status === 'failed') return undefined;
    if (answer.status !== 'found' || !answer.canonicalName.equals(apex)) continue;
    const names = answer.records.slice(0, MAX_SERVERS).flatMap((rr) => {
      const target = readTarget(rr);
      return target.ok ? [target.value] : [];
    });
    const found = await Promise.all(
      names.map((server) => lookupAddresses(resolver, server, options)),
    );
    // A server that cannot be found cannot be read back: then nothing is known of the
    // zone as a whole.
    if (found.length === 0 || found.some(({ status }) => status !== 'found')) return undefined;
    const addresses = found.flatMap(({ v4, v6 }) => [...v4, ...v6]);
    return {
      apex,
      servers: [...new Set(addresses)].map((address) => ({ address, port: 53, label: address })),
    };
  }
  return undefined;
}

const MAX_SERVERS = 13;
