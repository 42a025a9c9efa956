import { formatIp, type Failure, type Name } from '../../base/index.js';
import type { AliasStep, Answer, AskOptions, Dnssec, Resolver } from '../types.js';
import { RRType } from '../wire/types-registry.js';

/** Addresses of a host, both families. */
export interface HostAddresses {
  readonly status: 'found' | 'absent' | 'failed';
  /** The weaker of both families, aliases included. */
  readonly dnssec: Dnssec;
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  /** Where aliases led; the host itself without any. */
  readonly canonicalName: Name;
  readonly aliases: readonly AliasStep[];
  readonly failure?: Failure;
  /** Seconds this may be kept. */
  readonly ttl: number;
}

const MAX_ADDRESSES = 32;
const gravity: readonly Dnssec[] = ['secure', 'insecure', 'indeterminate', 'bogus'];

/**
 * Asks for A and AAAA together. One family failing while the other answers is still `found`: the host can be reached; but its status is then the
 * failing one's, since an attacker may have taken the other family away.
 */
export async function lookupAddresses(
  resolver: Resolver,
  host: Name,
  options: AskOptions = {},
): Promise<HostAddresses> {
  const asked = { ...options, unproved: true };
  const [a, aaaa] = await Promise.all([
    resolver.ask(host, RRType.A, asked),
    resolver.ask(host, RRType.AAAA, asked),
  ]);
  const v4 = literals(a, 4);
  const v6 = literals(aaaa, 6);
  const weaker = gravity.indexOf(a.dnssec) >= gravity.indexOf(aaaa.dnssec) ? a : aaaa;
  const failed = [a, aaaa].find((x) => x.status === 'failed');
  const lead = a.status === 'found' ? a : aaaa.status === 'found' ? aaaa : weaker;
  return {
    status: v4.length + v6.length > 0 ? 'found' : failed ? 'failed' : 'absent',
    dnssec: weaker.dnssec,
    v4,
    v6,
    canonicalName: lead.canonicalName,
    aliases: lead.aliases,
    ttl: Math.min(a.ttl, aaaa.ttl),
    ...(failed?.failure ? { failure: failed.failure } : {}),
  };
}

function literals(answer: Answer, family: 4 | 6): readonly string[] {
  const octets = family === 4 ? 4 : 16;
  return answer.records
    .filter((rr) => rr.rdata.length === octets)
    .slice(0, MAX_ADDRESSES)
    .map((rr) => formatIp({ family, bytes: rr.rdata }));
}
