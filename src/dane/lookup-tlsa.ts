import type { Failure, Name } from '../base/index.js';
import {
  readTlsa,
  RRType,
  type DnsAnswer,
  type Dnssec,
  type HostAddresses,
  type Resolver,
  type TlsaData,
} from '../dns/index.js';
import { formatTlsa } from './tlsa-text.js';
import { isUsable } from './usable-records.js';

/** The input of {@link lookupTlsa}: a host with its address lookup, and the port. */
export interface LookupTlsaOptions {
  readonly resolver: Resolver;
  /** The MX host. */
  readonly host: Name;
  /**
   * The result of the host's address lookup. DNSSEC status and aliases of the addresses
   * determine whether a sender looks up TLSA records at all (RFC 7672 §2.2.2).
   */
  readonly addresses: Pick<HostAddresses, 'dnssec' | 'canonicalName' | 'aliases' | 'ttl'>;
  readonly port: number;
  /** The TLSA answer for the host itself, if the caller already queries it. */
  readonly asked?: Promise<DnsAnswer>;
  /**
   * True to look up also the records that senders ignore, so that a report can list them
   * as ignored. A sender leaves this false (RFC 7672 §2.2.2 [7672-2.2.2-2]).
   */
  readonly inert?: boolean;
  readonly signal?: AbortSignal;
}

/** The TLSA records that a sender finds for a host, with their DNSSEC status. */
export interface TlsaLookup {
  /**
   * - `usable`: secure, with at least one usable record: DANE is in force.
   * - `unusable`: secure, but no record is usable: TLS is mandatory, without
   *   authentication.
   * - `absent`: DNSSEC proves that no record exists or that the zone is unsigned.
   * - `insecure`: records without DNSSEC, which senders ignore.
   * - `bogus`, `tempfail`: the lookup failed, so the host must not be used now (RFC
   *   7672 §2.1.2).
   */
  readonly status: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail';
  /**
   * TLSA base domain (RFC 7672 §2.2.3): the owner name of the records without `_25._tcp`.
   */
  readonly base: string;
  /** The end of the alias chain, if the owner name of the records is an alias. */
  readonly alias?: string | undefined;
  readonly dnssec: Dnssec;
  /** The records in the order of the answer, as text and as data. */
  readonly records: readonly string[];
  readonly failure?: Failure;
  /** Seconds for which this result may be cached. */
  readonly ttl: number;
}

/**
 * Looks up the TLSA records of a host (RFC 7672 §2.2.2, §2.2.3): first at the end of the
 * alias chain if the complete chain is secure, then at the host name. Insecure addresses
 * end the search, with one exception: for a secure alias that points into an unsigned
 * zone, the records of the alias itself apply.
 *
 * [7672-2.2.2-1, 7672-2.2.3-1, 7672-2.2.3-2, 7672-2.2.3-3, 7672-2.2.3-4, 7672-2.2.3-5]
 * [7671-7-1]
 */
export async function lookupTlsa({
  resolver,
  host: hostName,
  addresses,
  port,
  asked,
  inert = false,
  signal,
}: LookupTlsaOptions): Promise<TlsaLookup> {
  const { dnssec, aliases, canonicalName, ttl } = addresses;
  const secureAlias = aliases.length > 0 && dnssec === 'secure' && !canonicalName.equals(hostName);
  const candidates = secureAlias ? [canonicalName, hostName] : [hostName];
  const trust = dnssec === 'insecure' && aliases[0]?.dnssec === 'secure' ? 'secure' : dnssec;
  let last: TlsaLookup = {
    status: 'absent',
    base: hostName.toLower(),
    dnssec: trust,
    records: [],
    ttl,
  };
  if (trust === 'insecure' && !inert) return last;
  for (const baseDomain of candidates) {
    const answer =
      baseDomain === hostName && asked
        ? asked
        : askTlsa({ resolver, host: baseDomain, port, signal });
    if (!answer) continue;
    last = judge(baseDomain, await answer, trust);
    // RFC 7672 §2.2.3: the next candidate is tried only if the current candidate has no
    // secure records. A failure ends the search.
    if (last.status !== 'absent' && last.status !== 'insecure') return last;
  }
  return last;
}

/**
 * Queries the TLSA records of a host. Returns undefined if their name would exceed 255
 * octets, so that they cannot exist.
 */
export function askTlsa({
  resolver,
  host,
  port,
  signal,
}: Pick<LookupTlsaOptions, 'resolver' | 'host' | 'port' | 'signal'>):
  Promise<DnsAnswer> | undefined {
  const owner = host.prepend(`_${port}._tcp`);
  if (!owner.ok) return undefined;
  return resolver.ask(owner.value, RRType.TLSA, signal ? { signal } : {});
}

function judge(baseDomain: Name, dnsAnswer: DnsAnswer, addressDnssec: Dnssec): TlsaLookup {
  const { aliases, canonicalName, dnssec, ttl } = dnsAnswer;
  const alias = aliases.length > 0 ? canonicalName.toLower() : undefined;
  const common = { base: baseDomain.toLower(), alias, dnssec, ttl };
  // All records are read, since the last record may match. The size of a DNS message
  // limits their number.
  const records = dnsAnswer.records.flatMap((resourceRecord): TlsaData[] => {
    const read = readTlsa(resourceRecord);
    return read.ok ? [read.value] : [];
  });
  const texts = records.map(formatTlsa);
  if (dnsAnswer.status === 'failed') {
    // RFC 7672 §2.2.2: with insecure addresses a sender does not look up TLSA, so a
    // failed lookup has no effect on delivery.
    if (addressDnssec === 'insecure')
      return { ...common, dnssec: 'insecure', status: 'absent', records: [] };
    return {
      ...common,
      status: dnssec === 'bogus' ? 'bogus' : 'tempfail',
      records: [],
      failure: dnsAnswer.failure,
    };
  }
  if (dnsAnswer.status !== 'found') return { ...common, status: 'absent', records: [] };
  // RFC 7672 §2.1.1: the zone is not proved to be unsigned, so the records may be in
  // force.
  if (addressDnssec === 'indeterminate' || addressDnssec === 'bogus')
    return {
      ...common,
      dnssec: addressDnssec,
      status: addressDnssec === 'bogus' ? 'bogus' : 'tempfail',
      records: texts,
    };
  if (dnssec !== 'secure' || addressDnssec !== 'secure')
    return {
      ...common,
      dnssec: dnssec === 'secure' ? addressDnssec : dnssec,
      status: 'insecure',
      records: texts,
    };
  return { ...common, status: records.some(isUsable) ? 'usable' : 'unusable', records: texts };
}
