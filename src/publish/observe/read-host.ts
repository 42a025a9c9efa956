import { Name } from '../../base/index.js';
import { formatTlsa } from '../../dane/index.js';
import { readDs, readTlsa, RRType, type DnsAnswer, type ResourceRecord } from '../../dns/index.js';
import type { MailHost } from '../../evidence/index.js';
import type { RingKey } from '../keys/key-ring.js';
import type { RolloverReading, RolloverState, TlsaAnswer } from '../tlsa/types.js';
import { queryAuthoritatives, isFromWildcard, type Shown } from './query-authoritatives.js';
import type { Observer } from './observer.js';

/**
 * Reads an MX host: its records at every authoritative server, its delegation, the keys
 * it shows, the keys of the ring.
 */
export async function readHost(
  { host, owner }: Pick<RolloverState, 'host' | 'owner'>,
  ring: (now: number) => readonly RingKey[],
  eyes: Observer,
  dns: string,
): Promise<RolloverReading> {
  const { resolver, network, signal, clock } = eyes;
  const name = Name.of(owner);
  const options = signal ? { signal } : {};
  const zone = await eyes.zone(name, dns);
  const [shown, answer, ds, mail, held] = await Promise.all([
    queryAuthoritatives(network, zone?.servers ?? [], name, RRType.TLSA, signal),
    resolver.ask(name, RRType.TLSA, options),
    zone ? resolver.ask(zone.apex, RRType.DS, options) : undefined,
    eyes.probe(host),
    heldByWildcard(host, dns, eyes),
  ]);
  const [alias] = answer.aliases;
  const made = shown.some(({ alias, synthesised }) => alias !== undefined && synthesised);
  return {
    nameservers: shown.map((one) => tlsaAnswer(one, answer)),
    // A wildcard's alias goes once the owner has records: what it leads to need not be
    // signed.
    dnssec: made && alias ? alias.dnssec : answer.dnssec,
    ...(held === undefined ? {} : { held }),
    ds:
      ds && ds.status !== 'failed'
        ? { records: ds.records.flatMap(dsText), ttl: ds.ttl }
        : 'unknown',
    addresses: mail ? mail.addresses.map(shownKeys) : [],
    ring: ring(clock.now()),
    at: clock.now(),
  };
}

/**
 * An alias that a wildcard makes is no obstacle where no TLSA records are behind it: a
 * record of the owner takes its place (RFC 4592 §2.2.1).
 */
function tlsaAnswer({ server, rrset, alias, synthesised }: Shown, answer: DnsAnswer): TlsaAnswer {
  const mark = synthesised ? { synthesised } : {};
  if (rrset !== 'unknown')
    return { server, rrset: { records: rrset.records.flatMap(tlsaText), ttl: rrset.ttl }, ...mark };
  if (alias === undefined) return { server, rrset };
  const empty = answer.status === 'nodata' || answer.status === 'nxdomain';
  return synthesised && empty
    ? { server, rrset: { records: [], ttl: answer.ttl }, ...mark }
    : { server, rrset, alias };
}

/**
 * Why no record can be published below a mail host whose addresses come from a wildcard:
 * the host would exist from then on, and the wildcard would no longer apply to it (RFC
 * 4592 §2.2.2).
 */
export async function heldByWildcard(
  host: string,
  dns: string,
  { zone, network, signal }: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<string | undefined> {
  const name = Name.of(host);
  const found = await zone(name, dns);
  const types = [RRType.A, RRType.AAAA];
  const shown = await Promise.all(
    types.map((type) => queryAuthoritatives(network, found?.servers ?? [], name, type, signal)),
  );
  return isFromWildcard(shown)
    ? `${host} has its addresses from a wildcard, and any record below ${host} would take them away (RFC 4592 §2.2.2): publish address records at ${host} itself first`
    : undefined;
}

function shownKeys({
  ip,
  status,
  starttls,
  certificates,
}: MailHost['addresses'][number]): RolloverReading['addresses'][number] {
  const known = status === 'reachable' && (starttls === 'offered' || starttls === 'absent');
  return {
    address: ip,
    starttls: starttls === 'offered' || starttls === 'absent' ? starttls : 'unknown',
    keys:
      known && (certificates.length > 0 || starttls === 'absent')
        ? [...new Set(certificates.map((c) => c.spkiSha256))]
        : 'unknown',
  };
}

function tlsaText(rr: ResourceRecord): readonly string[] {
  const read = readTlsa(rr);
  return read.ok ? [formatTlsa(read.value)] : [];
}

function dsText(rr: ResourceRecord): readonly string[] {
  const read = readDs(rr);
  return read.ok
    ? [
        `${read.value.keyTag} ${read.value.algorithm} ${read.value.digestType} ${Buffer.from(read.value.digest).toString('hex')}`,
      ]
    : [];
}
