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
 * Observes an MX host: its TLSA records at every authoritative server, its delegation, the
 * keys that it shows, and the keys of the ring. `ring` returns the keys for a date.
 */
export async function observeHost(
  { host, owner }: Pick<TlsaRolloverState, 'host' | 'owner'>,
  ring: (now: number) => readonly RingKey[],
  observer: Observer,
  dns: string,
): Promise<RolloverObservation> {
  const { resolver, signal, clock } = observer;
  const name = Name.of(owner);
  const options = { signal };
  const zone = await observer.zone(name, dns);
  const [shown, answer, ds, mail, held] = await Promise.all([
    queryAuthoritatives({ zone, name, type: RRType.TLSA }, observer),
    resolver.ask(name, RRType.TLSA, options),
    zone ? resolver.ask(zone.apex, RRType.DS, options) : undefined,
    observer.probe(host),
    addressWildcardBlocker(host, dns, observer),
  ]);
  const [alias] = answer.aliases;
  const made = shown.some(({ alias, synthesised }) => alias !== undefined && synthesised);
  return {
    nameservers: shown.map((one) => tlsaAnswer(one, answer)),
    // The alias of a wildcard ends when the owner has records, so its target need not be
    // signed.
    dnssec: made && alias ? alias.dnssec : answer.dnssec,
    blocked: held,
    ds: observedDs(ds),
    addresses: mail ? mail.addresses.map(shownKeys) : [],
    ring: ring(clock.now()),
    at: clock.now(),
  };
}

/**
 * Converts an answer. An alias that a wildcard makes does not count where its target has no
 * TLSA records: a record of the owner replaces it (RFC 4592 §2.2.1).
 */
function tlsaAnswer(
  { server, rrset, alias, synthesised }: AuthoritativeAnswer,
  answer: DnsAnswer,
): TlsaAnswer {
  if (rrset !== 'unknown') {
    const { records, ttl } = rrset;
    return { server, rrset: { records: records.flatMap(tlsaText), ttl }, synthesised };
  }
  const isEmpty = answer.status === 'nodata' || answer.status === 'nxdomain';
  if (alias !== undefined && synthesised && isEmpty)
    return { server, rrset: { records: [], ttl: answer.ttl }, synthesised };
  return { server, rrset, alias };
}

/**
 * Returns why no record can be published below a mail host whose addresses come from a
 * wildcard: the host would exist from then on, and the wildcard would no longer apply to it
 * (RFC 4592 §2.2.2).
 */
export async function addressWildcardBlocker(
  host: string,
  dns: string,
  observer: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<string | undefined> {
  const name = Name.of(host);
  const zone = await observer.zone(name, dns);
  const types = [RRType.A, RRType.AAAA];
  const shown = await Promise.all(
    types.map((type) => queryAuthoritatives({ zone, name, type }, observer)),
  );
  if (!isFromWildcard(shown)) return undefined;
  return `${host} has its addresses from a wildcard, and any record below ${host} would take them away (RFC 4592 §2.2.2): publish address records at ${host} itself first`;
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
  const keys = [...new Set(certificates.map(({ spkiSha256 }) => spkiSha256))];
  return {
    address: ip,
    starttls: isOffered || isAbsent ? starttls : 'unknown',
    keys: areKeysKnown ? keys : 'unknown',
  };
}

function observedDs(answer: DnsAnswer | undefined): RolloverObservation['ds'] {
  if (!answer || answer.status === 'failed') return 'unknown';
  return { records: answer.records.flatMap(dsText), ttl: answer.ttl };
}

function tlsaText(record: ResourceRecord): readonly string[] {
  const read = readTlsa(record);
  return read.ok ? [formatTlsa(read.value)] : [];
}

function dsText(record: ResourceRecord): readonly string[] {
  const read = readDs(record);
  if (!read.ok) return [];
  const { keyTag, algorithm, digestType, digest } = read.value;
  return [`${keyTag} ${algorithm} ${digestType} ${toHex(digest)}`];
}
