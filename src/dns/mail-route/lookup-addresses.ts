import { formatIp, type Failure, type Name } from '../../base/index.js';
import type {
  AliasStep,
  DnsAnswer,
  AskOptions,
  Dnssec,
  Resolver,
  UnsupportedZone,
} from '../types.js';
import { RRType } from '../wire/types-registry.js';

/** The addresses of a host, of both families. */
export interface HostAddresses {
  /**
   * `found`: at least one address. `absent`: both families are denied. `failed`: no
   * address was found, and a lookup failed.
   */
  readonly status: 'found' | 'absent' | 'failed';
  /**
   * The status of the address records that were found, including their aliases (RFC 7672
   * §2.2.2). A denied family or a failed lookup does not change the status
   * [7672-2.2.2-3]. If both families were found, it is the stronger of their two
   * statuses, since one secure RRset shows that the host is in a signed zone. Without
   * addresses, the status is the weaker one of the two lookups. A failed lookup is
   * treated as insecure if the host's zone is proved to be unsigned.
   */
  readonly dnssec: Dnssec;
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  /** The end of the alias chain, or the host itself if it has no alias. */
  readonly canonicalName: Name;
  readonly aliases: readonly AliasStep[];
  /**
   * The failure of a lookup, even if the addresses of the other family were found. The
   * detail names the family.
   */
  readonly failure?: Failure;
  /**
   * The zone that makes the addresses insecure, if it is signed with retired algorithms.
   */
  readonly unsupported?: UnsupportedZone;
  /** Seconds for which the result may be cached. */
  readonly ttl: number;
}

const MAX_ADDRESSES = 32;
/** Maximum TTL of a result, seconds, if the lookup of one family failed. */
const MAX_TTL_OF_HALF = 30;
const gravity: readonly Dnssec[] = ['secure', 'insecure', 'indeterminate', 'bogus'];

/**
 * Looks up A and AAAA together. One family with an address is sufficient, even if the
 * other lookup fails.
 */
export async function lookupAddresses(
  resolver: Resolver,
  hostName: Name,
  options: AskOptions = {},
): Promise<HostAddresses> {
  const asked: AskOptions = { ...options, acceptUnvalidated: true };
  const [ipv4Answer, ipv6Answer] = await Promise.all([
    resolver.ask(hostName, RRType.A, asked),
    resolver.ask(hostName, RRType.AAAA, asked),
  ]);
  const v4 = literals(ipv4Answer, 4);
  const v6 = literals(ipv6Answer, 6);
  const found = [
    ...(v4.length > 0 ? [ipv4Answer] : []),
    ...(v6.length > 0 ? [ipv6Answer] : []),
  ].sort(byGravity);
  const weakest = [ipv4Answer, ipv6Answer].sort(byGravity)[1] ?? ipv4Answer;
  const lead = found[0] ?? weakest;
  const failed = weakest.status === 'failed' ? weakest : [ipv4Answer, ipv6Answer].find(hasFailed);
  const ttlSeconds = Math.min(
    ...(found.length > 0 ? found : [ipv4Answer, ipv6Answer]).map((answer) => answer.ttl),
  );
  return {
    status: statusOf(found.length > 0, failed),
    dnssec: dnssecOf(lead),
    v4,
    v6,
    canonicalName: lead.canonicalName,
    aliases: lead.aliases,
    ttl: failed && found.length > 0 ? Math.min(ttlSeconds, MAX_TTL_OF_HALF) : ttlSeconds,
    unsupported: lead.unsupported,
    failure: failed?.failure && ofFamily(failed.failure, failed === ipv4Answer ? 'A' : 'AAAA'),
  };
}

function statusOf(isFound: boolean, failed: DnsAnswer | undefined): HostAddresses['status'] {
  if (isFound) return 'found';
  return failed ? 'failed' : 'absent';
}

function hasFailed({ status }: DnsAnswer): boolean {
  return status === 'failed';
}

function dnssecOf({ dnssec, unsigned }: DnsAnswer): Dnssec {
  return unsigned ? 'insecure' : dnssec;
}

function byGravity(left: DnsAnswer, right: DnsAnswer): number {
  return gravity.indexOf(dnssecOf(left)) - gravity.indexOf(dnssecOf(right));
}

function ofFamily(failure: Failure, family: 'A' | 'AAAA'): Failure {
  return { ...failure, detail: failure.detail ? `${family}: ${failure.detail}` : family };
}

function literals(dnsAnswer: DnsAnswer, family: 4 | 6): readonly string[] {
  const octets = family === 4 ? 4 : 16;
  return dnsAnswer.records
    .filter((resourceRecord) => resourceRecord.rdata.length === octets)
    .slice(0, MAX_ADDRESSES)
    .map((resourceRecord) => formatIp({ family, bytes: resourceRecord.rdata }));
}
