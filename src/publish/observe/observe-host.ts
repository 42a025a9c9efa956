import { Name, toHex } from '../../base/index.js';
import { formatTlsa } from '../../dane/index.js';
import { readDs, readTlsa, RRType, type DnsAnswer, type ResourceRecord } from '../../dns/index.js';
import type { MailHost } from '../../evidence/index.js';
import type { RingKey } from '../keys/key-ring.js';
import type { RolloverObservation, TlsaRolloverState, TlsaAnswer } from '../tlsa/types.js';
import {
  queryAuthoritatives,
  isFromWildcard,
  type AuthoritativeAnswer,
} from './query-authoritatives.js';
import type { Observer } from './observer.js';

/**
 * Observes an MX host: its TLSA records at every authoritative server, its delegation,
 * the keys that it presents, and the keys of the ring. `ring` returns the keys of the
 * ring at a date.
 */
export async function observePublishedHost(
  { host, owner }: Pick<TlsaRolloverState, 'host' | 'owner'>,
  ring: (now: number) => readonly RingKey[],
  observer: Observer,
  dns: string,
): Promise<RolloverObservation> {
  const { resolver, signal, clock } = observer;
  const domainName = Name.of(owner);
  const options = { signal };
  const observedZone = await observer.zone(domainName, dns);
  const [shown, resolvedTlsa, dsAnswer, mail, wildcardBlocker] = await Promise.all([
    queryAuthoritatives({ zone: observedZone, name: domainName, type: RRType.TLSA }, observer),
    resolver.ask(domainName, RRType.TLSA, options),
    observedZone ? resolver.ask(observedZone.apex, RRType.DS, options) : undefined,
    observer.probe(host),
    addressWildcardBlocker(host, dns, observer),
  ]);
  const [alias] = resolvedTlsa.aliases;
  const made = shown.some(({ alias, synthesised }) => alias !== undefined && synthesised);
  return {
    nameservers: shown.map((one) => tlsaAnswer(one, resolvedTlsa)),
    // The alias from a wildcard disappears once the owner has records, so its target need
    // not be signed.
    dnssec: made && alias ? alias.dnssec : resolvedTlsa.dnssec,
    blocked: wildcardBlocker,
    ds: observedDs(dsAnswer),
    addresses: mail ? mail.addresses.map(shownKeys) : [],
    ring: ring(clock.now()),
    at: clock.now(),
  };
}

/**
 * Converts the answer of one authoritative server. An alias that a wildcard synthesises
 * is ignored if its target has no TLSA records: a record of the owner would replace the
 * alias (RFC 4592 §2.2.1).
 */
function tlsaAnswer(
  { server, rrset, alias, synthesised }: AuthoritativeAnswer,
  dnsAnswer: DnsAnswer,
): TlsaAnswer {
  if (rrset !== 'unknown') {
    const { records, ttl } = rrset;
    return { server, rrset: { records: records.flatMap(tlsaText), ttl }, synthesised };
  }
  const isEmpty = dnsAnswer.status === 'nodata' || dnsAnswer.status === 'nxdomain';
  if (alias !== undefined && synthesised && isEmpty)
    return { server, rrset: { records: [], ttl: dnsAnswer.ttl }, synthesised };
  return { server, rrset, alias };
}

/**
 * Returns the reason why no record can be published below a mail host whose addresses
 * come from a wildcard: the host would then exist, and the wildcard would no longer apply
 * to it (RFC 4592 §2.2.2).
 */
export async function addressWildcardBlocker(
  hostName: string,
  dns: string,
  observer: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<string | undefined> {
  const domainName = Name.of(hostName);
  const zone = await observer.zone(domainName, dns);
  const types = [RRType.A, RRType.AAAA];
  const shown = await Promise.all(
    types.map((type) => queryAuthoritatives({ zone, name: domainName, type }, observer)),
  );
  if (!isFromWildcard(shown)) return undefined;
  return `${hostName} has its addresses from a wildcard, and any record below ${hostName} would disable the wildcard for it (RFC 4592 §2.2.2): publish address records at ${hostName} itself first`;
}

function shownKeys({
  ip,
  status,
  starttls,
  certificates,
}: MailHost['addresses'][number]): RolloverObservation['addresses'][number] {
  const isOffered = starttls === 'offered';
  const isAbsent = starttls === 'absent';
  const areKeysKnown =
    status === 'reachable' && (isAbsent || (isOffered && certificates.length > 0));
  const keyNames = [...new Set(certificates.map(({ spkiSha256 }) => spkiSha256))];
  return {
    address: ip,
    starttls: isOffered || isAbsent ? starttls : 'unknown',
    keys: areKeysKnown ? keyNames : 'unknown',
  };
}

function observedDs(dnsAnswer: DnsAnswer | undefined): RolloverObservation['ds'] {
  if (!dnsAnswer || dnsAnswer.status === 'failed') return 'unknown';
  return { records: dnsAnswer.records.flatMap(dsText), ttl: dnsAnswer.ttl };
}

function tlsaText(resourceRecord: ResourceRecord): readonly string[] {
  const read = readTlsa(resourceRecord);
  return read.ok ? [formatTlsa(read.value)] : [];
}

function dsText(resourceRecord: ResourceRecord): readonly string[] {
  const read = readDs(resourceRecord);
  if (!read.ok) return [];
  const { keyTag, algorithm, digestType, digest } = read.value;
  return [`${keyTag} ${algorithm} ${digestType} ${toHex(digest)}`];
}
