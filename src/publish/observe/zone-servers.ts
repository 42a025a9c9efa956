import type { Name } from '../../base/index.js';
import { lookupAddresses, readTarget, RRType, type Resolver } from '../../dns/index.js';
import type { ObservedZone } from './observer.js';

/**
 * Maximum number of name servers, more than any TLD has: a zone cannot make this client
 * query hundreds.
 */
const MAX_SERVERS = 13;

/**
 * Finds the zone of a name and every authoritative server of the zone, at every address.
 * Returns undefined if a lookup failed, because not every server is known then.
 */
export async function zoneServers(
  resolver: Resolver,
  domainName: Name,
  signal?: AbortSignal,
): Promise<ObservedZone | undefined> {
  const options = { signal };
  for (let apex = domainName; !apex.isRoot; apex = apex.parent) {
    const dnsAnswer = await resolver.ask(apex, RRType.NS, options);
    if (dnsAnswer.status === 'failed') return undefined;
    if (dnsAnswer.status !== 'found' || !dnsAnswer.canonicalName.equals(apex)) continue;
    const names = dnsAnswer.records.slice(0, MAX_SERVERS).flatMap((resourceRecord) => {
      const target = readTarget(resourceRecord);
      return target.ok ? [target.value] : [];
    });
    const found = await Promise.all(
      names.map((server) => lookupAddresses(resolver, server, options)),
    );
    // A server without an address cannot be queried, so not every server of the zone is
    // known.
    if (found.length === 0 || found.some(({ status }) => status !== 'found')) return undefined;
    const addresses = found.flatMap(({ v4, v6 }) => [...v4, ...v6]);
    return {
      apex,
      servers: [...new Set(addresses)].map((address) => ({ address, port: 53, label: address })),
    };
  }
  return undefined;
}
