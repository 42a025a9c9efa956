import { Name } from '../../base/index.js';
import { formatTlsa } from '../../dane/index.js';
import { readDs, readTlsa, RRType, type ResourceRecord } from '../../dns/index.js';
import type { MailHost } from '../../evidence/index.js';
import type { RingKey } from '../keys/key-ring.js';
import type { RolloverReading, RolloverState } from '../rollover/types.js';
import { askEveryone } from './ask-everyone.js';
import type { Eyes } from './eyes.js';

/** What there is to see of an MX host: its records at every authoritative server, its delegation, the keys it shows, the keys of the ring. */
export async function readHost(
  { host, owner }: Pick<RolloverState, 'host' | 'owner'>,
  ring: (now: number) => readonly RingKey[],
  eyes: Eyes,
  dns: string,
): Promise<RolloverReading> {
  const { resolver, network, signal, clock } = eyes;
  const name = Name.of(owner);
  const options = signal ? { signal } : {};
  const zone = await eyes.zone(name, dns);
  const [shown, answer, ds, mail] = await Promise.all([
    askEveryone(network, zone?.servers ?? [], name, RRType.TLSA, signal),
    resolver.ask(name, RRType.TLSA, options),
    zone ? resolver.ask(zone.apex, RRType.DS, options) : undefined,
    eyes.probe(host),
  ]);
  return {
    nameservers: shown.map(({ server, rrset }) => ({
      server,
      rrset:
        rrset === 'unknown' ? rrset : { records: rrset.records.flatMap(tlsaText), ttl: rrset.ttl },
    })),
    dnssec: answer.dnssec,
    ds:
      ds && ds.status !== 'failed'
        ? { records: ds.records.flatMap(dsText), ttl: ds.ttl }
        : 'unknown',
    addresses: mail ? mail.addresses.map(shownKeys) : [],
    ring: ring(clock.now()),
    at: clock.now(),
  };
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
