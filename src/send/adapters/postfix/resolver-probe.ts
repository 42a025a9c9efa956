import { Name } from '../../../base/index.js';
import { createResolver, RRType, systemUpstreams, type Upstream } from '../../../dns/index.js';
import type { Network } from '../../../net/index.js';

/** Whether Postfix can do DANE: its stub resolver believes the AD bit of whoever resolv.conf names. */
export type ProbeState =
  /** Every name server sets AD for the signed root, and stands on this machine. */
  | { readonly validates: true; readonly says: string }
  | { readonly validates: false; readonly says: string };

export interface ProbeOptions {
  readonly network: Network;
  /** The resolv.conf that Postfix reads: with a chroot the copy below its queue directory. */
  readonly resolvConf: string;
  /** Believe a name server on another machine: the way to it is protected by other means (RFC 7672 §2.1.1). */
  readonly trustRemote?: boolean;
}

/** libc asks no more of them. */
const MOST_SERVERS = 3;

/**
 * Asks as Postfix would, with the same question as its own dnssec_probe: the NS records of the root. One name server that does not validate is enough to
 * fail: Postfix may turn to any of them.
 */
export async function probeResolver({
  network,
  resolvConf,
  trustRemote = false,
}: ProbeOptions): Promise<ProbeState> {
  const servers = systemUpstreams(resolvConf).slice(0, MOST_SERVERS);
  if (servers.length === 0) return { validates: false, says: `${resolvConf} names no name server` };
  const remote = servers.find(({ address }) => !isLoopback(address));
  if (remote && !trustRemote)
    return {
      validates: false,
      says: `${remote.label} of ${resolvConf} is not on this machine: its AD bit could be forged on the way`,
    };
  const silent = await Promise.all(
    servers.map(async (server) => ((await validates(network, server)) ? undefined : server.label)),
  );
  const bad = silent.find((label) => label !== undefined);
  return bad === undefined
    ? {
        validates: true,
        says: `${servers.map((s) => s.label).join(', ')} of ${resolvConf} sets the AD bit`,
      }
    : {
        validates: false,
        says: `${bad} of ${resolvConf} does not set the AD bit for the root's signed records`,
      };
}

async function validates(network: Network, server: Upstream): Promise<boolean> {
  // A resolver of its own each time, so that nothing is answered from memory.
  const resolver = createResolver({
    network,
    upstreams: [server],
    trustAd: true,
    attempts: 2,
    timeoutMs: 2000,
    cacheSize: 1,
  });
  const answer = await resolver.ask(Name.root, RRType.NS);
  return answer.status !== 'failed' && answer.dnssec === 'secure';
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
