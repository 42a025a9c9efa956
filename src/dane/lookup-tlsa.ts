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

export interface LookupTlsaOptions {
  readonly resolver: Resolver;
  /** The MX host. */
  readonly host: Name;
  /**
   * Its addresses, looked up before: they decide whether TLSA is asked for at all (RFC
   * 7672 §2.2.2).
   */
  readonly addresses: Pick<HostAddresses, 'dnssec' | 'canonicalName' | 'aliases' | 'ttl'>;
  readonly port: number;
  /**
   * Ask also where records cannot count, so that a publisher can be told they are inert.
   * A sender does not (RFC 7672 §2.2.2 [7672-2.2.2-2]).
   */
  readonly inert?: boolean;
  readonly signal?: AbortSignal;
}

/** The TLSA records a sender finds for a host. */
export interface TlsaLookup {
  /**
   * `usable`: secure, at least one usable record. `unusable`: secure, none usable.
   * `absent`: none, and that is proved or the zone is proved unsigned. `insecure`:
   * records nobody may rely on. `bogus`, `tempfail`: could not be told, so the host
   * cannot be used now (RFC 7672 §2.1.2).
   */
  readonly status: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail';
  /** TLSA base domain: where the records were found, without `_25._tcp`. */
  readonly base: string;
  readonly dnssec: Dnssec;
  /** In the order of the answer, as text and as data. */
  readonly records: readonly string[];
  readonly failure?: Failure;
  /** Seconds this may be kept. */
  readonly ttl: number;
}

const MAX_RECORDS = 64;

/**
 * Asks for a host's TLSA records (RFC 7672 §2.2.2, §2.2.3): at the end of the alias chain
 * when all of it is secure, then at the name itself. Insecure addresses end the search,
 * unless the name itself is a secure alias that leads into an unsigned zone: then its own
 * records count.
 *
 * [7672-2.2.2-1, 7672-2.2.3-1, 7672-2.2.3-2, 7672-2.2.3-3, 7672-2.2.3-4, 7672-2.2.3-5, 7671-7-1]
 */
export async function lookupTlsa({
  resolver,
  host,
  addresses,
  port,
  inert = false,
  signal,
}: LookupTlsaOptions): Promise<TlsaLookup> {
  const { dnssec, aliases, canonicalName, ttl } = addresses;
  const secureAlias = aliases.length > 0 && dnssec === 'secure' && !canonicalName.equals(host);
  const candidates = secureAlias ? [canonicalName, host] : [host];
  const trust = dnssec === 'insecure' && aliases[0]?.dnssec === 'secure' ? 'secure' : dnssec;
  let last: TlsaLookup = {
    status: 'absent',
    base: host.toLower(),
    dnssec: trust,
    records: [],
    ttl,
  };
  if (trust === 'insecure' && !inert) return last;
  for (const base of candidates) {
    const owner = base.prepend(`_${port}._tcp`);
    if (!owner.ok) continue;
    last = judge(
      base,
      await resolver.ask(owner.value, RRType.TLSA, signal ? { signal } : {}),
      trust,
    );
    // RFC 7672 §2.2.3: the next candidate is tried only when nothing secure was found
    // here; a failure ends the search.
    if (last.status !== 'absent' && last.status !== 'insecure') return last;
  }
  return last;
}

function judge(base: Name, answer: DnsAnswer, addressDnssec: Dnssec): TlsaLookup {
  const common = { base: base.toLower(), dnssec: answer.dnssec, ttl: answer.ttl };
  const records = answer.records.slice(0, MAX_RECORDS).flatMap((record): TlsaData[] => {
    const read = readTlsa(record);
    return read.ok ? [read.value] : [];
  });
  const texts = records.map(formatTlsa);
  if (answer.status === 'failed') {
    // RFC 7672 §2.2.2: below insecure addresses a sender does not ask, so a failure there
    // harms nobody.
    if (addressDnssec === 'insecure')
      return { ...common, dnssec: 'insecure', status: 'absent', records: [] };
    return {
      ...common,
      status: answer.dnssec === 'bogus' ? 'bogus' : 'tempfail',
      records: [],
      failure: answer.failure,
    };
  }
  if (answer.status !== 'found') return { ...common, status: 'absent', records: [] };
  // Nothing shows that the zone is unsigned (RFC 7672 §2.1.1), so the records may be in
  // force.
  if (addressDnssec === 'indeterminate' || addressDnssec === 'bogus')
    return {
      ...common,
      dnssec: addressDnssec,
      status: addressDnssec === 'bogus' ? 'bogus' : 'tempfail',
      records: texts,
    };
  if (answer.dnssec !== 'secure' || addressDnssec !== 'secure')
    return {
      ...common,
      dnssec: answer.dnssec === 'secure' ? addressDnssec : answer.dnssec,
      status: 'insecure',
      records: texts,
    };
  return { ...common, status: records.some(isUsable) ? 'usable' : 'unusable', records: texts };
}
