import type { Evidence } from '../../src/evidence/index.js';
import {
  announcesPolicy,
  observeDomain,
  observeHost,
  observePolicy,
  visitHost,
  type ObserveOptions,
  type ScannedDomain,
} from '../../src/scan/index.js';

/** Makes all observations of a domain, sequentially for each address. */
export async function observeAll(name: string, options: ObserveOptions): Promise<ScannedDomain> {
  const domain = await observeDomain(name, options);
  const [policy, hosts] = await Promise.all([
    announcesPolicy(domain) ? observePolicy(domain, options) : undefined,
    Promise.all(
      domain.mx.map(async ({ name: host }) => {
        const facts = await observeHost(host, options);
        const { serverName } = facts;
        const visits = await Promise.all(
          facts.addresses.map((address) => visitHost({ address, host, serverName }, options)),
        );
        return { host: facts, visits };
      }),
    ),
  ]);
  return { domain, policy, hosts };
}

/**
 * Splits evidence into the observations that a scan would have made: the first connection
 * to each address, and the policy.
 */
export function scannedFrom(evidence: Evidence): ScannedDomain {
  const { domain, collectedAt: observedAt, route, hosts, mtaSts, tlsRpt } = evidence;
  const { policyAddresses: _, ...policy } = mtaSts;
  return {
    domain: {
      domain,
      observedAt,
      route,
      mx: hosts.map(({ name, preference }) => ({ name, preference })),
      stsRecord: mtaSts.txt,
      tlsRpt,
    },
    policy: { domain, observedAt, mtaSts: policy },
    hosts: hosts.map(({ preference: __, addresses, ...host }) => {
      const visited = addresses.filter(({ reason }) => reason !== 'too-many');
      const serverName = addresses[0]?.connections[0]?.handshake?.sni ?? host.name;
      return {
        host: {
          ...host,
          observedAt,
          addresses: visited.map(({ ip }) => ip),
          skipped: addresses.flatMap(({ ip, reason }) => (reason === 'too-many' ? [ip] : [])),
          serverName,
        },
        visits: visited.map(({ submission: ___, stopped: ____, ...address }) => ({
          host: host.name,
          serverName,
          observedAt,
          address: { ...address, connections: address.connections.slice(0, 1) },
        })),
      };
    }),
  };
}
