import { Name } from '../../../base/index.js';
import { createResolver, RRType, systemUpstreams, type Upstream } from '../../../dns/index.js';
import type { Network } from '../../../net/index.js';

/**
 * The result of a probe: whether Postfix can do DANE. The stub resolver of Postfix trusts
 * the AD bit of the name servers in resolv.conf.
 */
export type ProbeState =
  /**
   * Every name server sets the AD bit for the signed root, and runs on this machine or is
   * trusted by `trustRemote`.
   */
  | { readonly validates: true; readonly says: string }
  /** `fix` is an instruction to the operator that names the setting to change. */
  | { readonly validates: false; readonly says: string; readonly fix: string };

export interface ProbeOptions {
  readonly network: Network;
  /**
   * Path of the resolv.conf that Postfix reads: in a chroot, the copy below the queue
   * directory.
   */
  readonly resolvConf: string;
  /**
   * True to trust the AD bit of a name server on another machine. The operator must
   * protect the connection to that server by other means (RFC 7672 §2.1.1).
   */
  readonly trustRemote?: boolean;
}

const fixes = {
  local: 'let Postfix ask a validating resolver, or set postfix.dane: false',
  remote:
    'let Postfix ask a validating resolver on this machine, or set postfix.resolver.trustRemote: true for a protected network',
} as const;

/** The maximum number of name servers that libc queries. */
const MAX_SERVERS = 3;

/**
 * Queries the name servers of Postfix for the NS records of the root, as Postfix's own
 * dnssec_probe does. The probe fails if one of the servers does not validate, because
 * Postfix may query any of them.
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
  // Each probe uses a new resolver, since a cached answer would hide a changed
  // configuration.
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
