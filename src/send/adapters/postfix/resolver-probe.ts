import { Name } from '../../../base/index.js';
import { createResolver, RRType, systemUpstreams, type Upstream } from '../../../dns/index.js';
import type { Network } from '../../../net/index.js';

/**
 * Whether Postfix can do DANE: its stub resolver trusts the AD bit of the name servers of
 * resolv.conf.
 */
export type ProbeState =
  /**
   * Every name server sets AD for the signed root, and runs on this machine or is trusted
   * by `trustRemote`.
   */
  | { readonly validates: true; readonly says: string }
  /** `fix`: the step, with the setting. */
  | { readonly validates: false; readonly says: string; readonly fix: string };

export interface ProbeOptions {
  readonly network: Network;
  /**
   * The resolv.conf that Postfix reads: with a chroot the copy below its queue directory.
   */
  readonly resolvConf: string;
  /**
   * Trust the AD bit of a name server on another machine: the network to it is protected
   * by other means (RFC 7672 §2.1.1).
   */
  readonly trustRemote?: boolean;
}

const fixes = {
  local: 'let Postfix ask a validating resolver, or set postfix.dane: false',
  remote:
    'set postfix.resolver.trustRemote: true if the network to it is protected, else let Postfix ask a validating resolver on this machine',
} as const;

/** The maximum number of name servers that libc queries. */
const MAX_SERVERS = 3;

/**
 * Queries as Postfix would, with the question of its own dnssec_probe: the NS records of
 * the root. One name server that does not validate is enough to fail: Postfix may query
 * any of them.
 */
export async function probeResolver({
  network,
  resolvConf,
  trustRemote = false,
}: ProbeOptions): Promise<ProbeState> {
  const servers = systemUpstreams(resolvConf).slice(0, MAX_SERVERS);
  if (servers.length === 0)
    return { validates: false, says: `${resolvConf} names no name server`, fix: fixes.local };
  const remote = servers.find(({ address }) => !isLoopback(address));
  if (remote && !trustRemote)
    return {
      validates: false,
      says: `${remote.label} of ${resolvConf} is not on this machine, so its AD bit could be forged`,
      fix: fixes.remote,
    };
  const results = await Promise.all(servers.map((server) => validates(network, server)));
  const failing = servers.find((_, index) => !results[index]);
  if (failing)
    return {
      validates: false,
      says: `${failing.label} of ${resolvConf} does not set the AD bit for the root's signed records`,
      fix: fixes.local,
    };
  const labels = servers.map(({ label }) => label).join(', ');
  return { validates: true, says: `${labels} of ${resolvConf} sets the AD bit` };
}

async function validates(network: Network, server: Upstream): Promise<boolean> {
  // A new resolver for each probe: a cached answer would hide a changed configuration.
  const resolver = createResolver({
    network,
    upstreams: [server],
    trustAd: true,
    attempts: 2,
    timeoutMs: 2000,
    cacheSize: 1,
  });
  const dnsAnswer = await resolver.ask(Name.root, RRType.NS);
  return dnsAnswer.status !== 'failed' && dnsAnswer.dnssec === 'secure';
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
