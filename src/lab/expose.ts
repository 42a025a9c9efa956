import { pipeline } from 'node:stream';
import type { Endpoint } from '../net/index.js';
import { LabDns, type DnsFault } from './dns/lab-dns.js';
import { zoneText, type ZoneSpec } from './dns/zone.js';
import type { LabNetwork } from './network/lab-network.js';
import { places } from './actors/pki.js';

/** The endpoints at which other programs reach the lab. */
export interface Exposed {
  readonly resolver: Endpoint;
  /** A line of a trust anchor file with the root key of the exposed zones. */
  readonly anchorLine: string;
}

/**
 * Opens the lab to other programs of this machine: every documentation address as a
 * loopback address (198.51.100.7 becomes 127.51.100.7), with its real port. Rejects if
 * this process lacks the privilege for ports below 1024.
 */
export async function expose(
  network: LabNetwork,
  zones: readonly ZoneSpec[],
  now: number,
  faults: ReadonlyMap<string, DnsFault>,
): Promise<Exposed> {
  const labDns = new LabDns(
    zones.map((zone) => ({
      ...zone,
      records: () => loopbackOnly(zoneText(zone)),
    })),
    now,
  );
  for (const [question, dnsFault] of faults)
    labDns.fault(
      question,
      typeof dnsFault === 'string' ? dnsFault : { forge: dnsFault.forge.map(loopbackOnly) },
    );
  const resolver = { address: toLoopback(places.resolver), port: 53 };
  await labDns.serveAt(network, resolver.address, resolver);
  for (const { at, target } of network.services()) {
    const address = toLoopback(at.address);
    // IPv6 is omitted, because its addresses are not configured on loopback.
    if (at.port === 53 || address === at.address) continue;
    await network.listenTcp(
      address,
      at.port,
      (socket) => {
        void network.outside.dial(target).then((dialled) => {
          if (dialled.ok)
            pipeline(socket, dialled.connection.stream, socket, () => socket.destroy());
          else socket.destroy();
        });
      },
      { address, port: at.port },
    );
  }
  return { resolver, anchorLine: labDns.anchorLine };
}

const prefixes: Readonly<Record<string, string>> = {
  '192.0.2': '127.2.0',
  '198.51.100': '127.51.100',
  '203.0.113': '127.113.0',
};

function toLoopback(address: string): string {
  const last = address.lastIndexOf('.');
  const prefix = prefixes[address.slice(0, last)];
  return prefix === undefined ? address : `${prefix}${address.slice(last)}`;
}

function loopbackOnly(records: string): string {
  return records
    .split('\n')
    .filter((line) => !/ AAAA /.test(line))
    .map((line) => line.replace(/(?<= A )\S+/, toLoopback))
    .join('\n');
}
