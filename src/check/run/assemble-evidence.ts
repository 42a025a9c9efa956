import { version } from '../../base/index.js';
import type { Evidence, HostEvidence, NetworkEvidence } from '../../evidence/index.js';

/** The facts of one domain, as its probes returned them. */
export interface CollectedFacts extends Omit<
  Evidence,
  'schema' | 'tool' | 'network' | 'trustStores'
> {
  readonly control?: NetworkEvidence['control'];
  readonly resolver: NetworkEvidence['resolver'];
  readonly sources: NonNullable<NetworkEvidence['sources']>;
  readonly trustStores: NonNullable<Evidence['trustStores']>;
  /**
   * True if connections to other domains have shown that port 25 is open from here.
   * Default: the state of port 25 follows from the connections to this domain.
   */
  readonly port25Open?: boolean;
}

/**
 * Assembles the evidence of a domain, and derives the facts about the network of the check
 * from its connections.
 */
export function assembleEvidence(facts: CollectedFacts): Evidence {
  const { control, resolver, sources, trustStores, port25Open, hosts, ...rest } = facts;
  const port25 = port25Open ? 'open' : portState(hosts, control);
  return {
    schema: 'hermetic.evidence/1',
    ...rest,
    tool: { name: 'hermetic', version },
    hosts: port25 === 'open' ? hosts.map(silentIsUnreachable) : hosts,
    network: { port25, ipv6: ipv6State(hosts), control, resolver, sources },
    trustStores: trustStores.length > 0 ? trustStores : undefined,
  };
}

/**
 * Returns `open` after one successful connection, and `blocked` if at least one
 * connection was tried and all of them timed out.
 */
function portState(
  hosts: readonly HostEvidence[],
  control: NetworkEvidence['control'],
): NetworkEvidence['port25'] {
  const dials = hosts.flatMap((host) =>
    host.addresses.flatMap((address) =>
      address.connections.map((connection) => {
        if (connection.dial === 'open') return 'open';
        return connection.dial.code;
      }),
    ),
  );
  if (control) dials.push(...controlDial(control));
  if (dials.includes('open')) return 'open';
  const tried = dials.filter((dial) => dial !== 'net-no-route');
  if (tried.length > 0 && tried.every((text) => text === 'net-timeout')) return 'blocked';
  return 'unknown';
}

/**
 * Returns the outcome of dialling the control host; empty if its address was not found.
 */
function controlDial({
  failure,
  starttls,
}: NonNullable<NetworkEvidence['control']>): readonly string[] {
  if (failure === undefined || starttls !== 'unknown') return ['open'];
  if (failure.code.startsWith('net-')) return [failure.code];
  return failure.code.startsWith('smtp-') ? ['open'] : [];
}

function ipv6State(hosts: readonly HostEvidence[]): NetworkEvidence['ipv6'] {
  const six = hosts.flatMap((host) =>
    host.addresses.filter((address) => address.ip.includes(':') && address.connections.length > 0),
  );
  if (six.some((address) => address.status === 'skipped')) return 'unavailable';
  if (six.some((address) => address.connections.some((connection) => connection.dial === 'open')))
    return 'available';
  return 'unknown';
}

/**
 * Counts a silent host as unreachable: if port 25 is open from this network, a host that
 * does not answer has a fault of its own.
 */
function silentIsUnreachable(host: HostEvidence): HostEvidence {
  return {
    ...host,
    addresses: host.addresses.map((address) => {
      if (address.reason === 'net-timeout' && address.status === 'inconclusive')
        return { ...address, status: 'unreachable' };
      return address;
    }),
  };
}
