import { formatTime, Name } from '../../base/index.js';
import {
  askServer,
  lookupAddresses,
  parseRecord,
  readRrsig,
  readSoa,
  readTarget,
  RRType,
  typeName,
  type DnsAnswer,
  type Proof,
  type ResourceRecord,
  type Rrsig,
} from '../../dns/index.js';
import type {
  ContinuityEvidence,
  HostEvidence,
  ServerSignature,
  SignatureEvidence,
} from '../../evidence/index.js';
import { failureEvidence, type ProbeContext } from './context.js';

/**
 * Maximum number of zones whose SOA record is looked up, and of authoritative servers to
 * query.
 */
const [MAX_ZONES, MAX_SERVERS] = [5, 6];
/** Milliseconds for one authoritative server. */
const SERVER_TIMEOUT = 2000;

/** Returns the registrable domain of a name; undefined for a registry or the root. */
export type Registrable = (name: string) => string | undefined;

/** The signature of one zone that expires first. */
interface ZoneEnd {
  readonly rrset: string;
  readonly inception: number;
  readonly expiration: number;
}

/**
 * Collects the signatures on which the answers for MX, addresses, TLSA and MTA-STS
 * depend, and asks the authoritative servers of the domain for their signatures. The
 * answers come from the cache of the resolver, so the signatures need no further query.
 * An answer that is trusted because of the AD bit has no signatures.
 */
export async function probeSignatures(
  context: ProbeContext,
  hosts: readonly HostEvidence[],
  registrable: Registrable,
): Promise<Pick<ContinuityEvidence, 'signatures' | 'servers'>> {
  const { resolver, domain, signal } = context;
  const ask = (name: Name, type: number): Promise<DnsAnswer> =>
    resolver.ask(name, type, { signal, acceptUnvalidated: type !== RRType.TLSA });
  const below = (label: string, name: Name): readonly Name[] => {
    const parsed = name.prepend(label);
    return parsed.ok ? [parsed.value] : [];
  };
  const questions: (readonly [Name, number])[] = [
    [domain, RRType.MX],
    ...below('_mta-sts', domain).map((name) => [name, RRType.TXT] as const),
    ...below('mta-sts', domain).flatMap(addressesOf),
    ...hosts.flatMap((host) => addressesOf(Name.of(host.name))),
    ...hosts.flatMap(({ tlsa }) =>
      below('_25._tcp', Name.of(tlsa.base)).map((name) => [name, RRType.TLSA] as const),
    ),
  ];
  const answers = await Promise.all(questions.map(([name, type]) => ask(name, type)));
  const ends = earliestEnds(answers, context.now);
  const signatures = await Promise.all(
    [...ends].slice(0, MAX_ZONES).map(async ([zone, end]): Promise<SignatureEvidence> => {
      const isOwn = registrable(zone) !== undefined;
      return {
        zone,
        rrset: end.rrset,
        inception: formatTime(end.inception),
        expiration: formatTime(end.expiration),
        registry: isOwn ? undefined : true,
        soaExpire: isOwn ? soaExpireOf(await ask(Name.of(zone), RRType.SOA)) : undefined,
      };
    }),
  );
  const [mx] = answers;
  const isSigned = mx?.status === 'found' && mx.dnssec === 'secure' && mx.aliases.length === 0;
  return { signatures, servers: isSigned ? await askServers(context, ask) : [] };
}

const addressesOf = (name: Name): readonly (readonly [Name, number])[] => [
  [name, RRType.A],
  [name, RRType.AAAA],
];

/**
 * Returns the signature that expires first for each zone, the registries last. An RRset
 * with several signatures validates until the last signature expires.
 */
function earliestEnds(answers: readonly DnsAnswer[], now: number): ReadonlyMap<string, ZoneEnd> {
  const rrsets = new Map<string, ZoneEnd & { readonly zone: string }>();
  for (const answer of answers.filter(({ dnssec }) => dnssec === 'secure'))
    for (const resourceRecord of provedRecords(answer)) {
      const signed = signatureOf(resourceRecord, now);
      if (!signed) continue;
      const known = rrsets.get(signed.rrset);
      if (!known || known.expiration < signed.expiration) rrsets.set(signed.rrset, signed);
    }
  const ends = new Map<string, ZoneEnd>();
  for (const { zone, ...end } of rrsets.values()) {
    const known = ends.get(zone);
    if (!known || end.expiration < known.expiration) ends.set(zone, end);
  }
  const labels = (zone: string): number => (zone === '' ? 0 : zone.split('.').length);
  return new Map([...ends].sort(([left], [right]) => labels(right) - labels(left)));
}

/** Returns the records that the DNSSEC status of an answer depends on. */
function provedRecords({ proof }: DnsAnswer): readonly ResourceRecord[] {
  const { grounds = [] } = (proof ?? {}) as Partial<Proof>;
  return grounds
    .flatMap(({ answers, authorities }) => [...answers, ...authorities])
    .flatMap((line) => {
      const parsed = parseRecord(line);
      return parsed.ok && parsed.value.type === RRType.RRSIG ? [parsed.value] : [];
    });
}

/** Returns one RRSIG record; undefined for other records. */
function signatureOf(
  resourceRecord: ResourceRecord,
  now: number,
): (ZoneEnd & { readonly zone: string }) | undefined {
  const read = resourceRecord.type === RRType.RRSIG ? readRrsig(resourceRecord) : undefined;
  if (!read?.ok) return undefined;
  const { signer, typeCovered } = read.value;
  return {
    zone: signer.isRoot ? '' : signer.toLower(),
    rrset: `${resourceRecord.name.toLower()} ${typeName(typeCovered)}`,
    ...periodOf(read.value, now),
  };
}

/**
 * Returns the times of a signature: serial numbers of 32 bits, interpreted relative to
 * the current time (RFC 4034 §3.1.5).
 */
function periodOf(
  { inception, expiration }: Rrsig,
  now: number,
): { readonly inception: number; readonly expiration: number } {
  const seconds = Math.floor(now / 1000);
  const near = (serial: number): number => (seconds + ((serial - seconds) | 0)) * 1000;
  return { inception: near(inception), expiration: near(expiration) };
}

function soaExpireOf({ records: [first] }: DnsAnswer): number | undefined {
  const soa = first && readSoa(first);
  return soa?.ok ? soa.value.expire : undefined;
}

/**
 * Asks the authoritative servers of the domain for the signature of its MX RRset. A
 * secondary that no longer receives the zone answers with old signatures. A resolver
 * shows that only if it queries this secondary.
 */
async function askServers(
  context: ProbeContext,
  ask: (name: Name, type: number) => Promise<DnsAnswer>,
): Promise<readonly ServerSignature[]> {
  const servers = await ask(await apexOf(context.domain, ask), RRType.NS);
  const names = servers.records.flatMap((resourceRecord) => {
    const target = readTarget(resourceRecord);
    return target.ok ? [target.value] : [];
  });
  const asked = names.slice(0, MAX_SERVERS).map((name) => askOne(context, name));
  return (await Promise.all(asked)).flatMap((one) => one ?? []);
}

/**
 * Returns the zone apex of a name: the closest name with an SOA record, at or above it.
 */
async function apexOf(
  name: Name,
  ask: (name: Name, type: number) => Promise<DnsAnswer>,
): Promise<Name> {
  for (let at = name; !at.isRoot; at = at.parent)
    if ((await ask(at, RRType.SOA)).status === 'found') return at;
  return name;
}

async function askOne(
  { network, resolver, domain, now, signal }: ProbeContext,
  name: Name,
): Promise<ServerSignature | undefined> {
  const { v4, v6 } = await lookupAddresses(resolver, name, { signal });
  const address = v4[0] ?? v6[0];
  if (address === undefined) return undefined;
  const server = { server: name.toLower(), address };
  const answer = await askServer(
    { address, port: 53, label: server.server },
    { name: domain, type: RRType.MX },
    { network, timeoutMs: SERVER_TIMEOUT, attempts: 1 },
    signal,
  );
  if (!answer.ok) return { ...server, failure: failureEvidence(answer.failure) };
  const { answers, rcode } = answer.value;
  // An answer without the records proves nothing about their signatures.
  if (!answers.some(({ type }) => type === RRType.MX))
    return { ...server, failure: { code: 'dns-no-answer', detail: `rcode ${rcode}` } };
  const periods = answers
    .flatMap((resourceRecord) => signatureOf(resourceRecord, now) ?? [])
    .filter(({ rrset }) => rrset === `${domain.toLower()} MX`)
    .sort((left, right) => right.expiration - left.expiration);
  const [last] = periods;
  if (!last) return server;
  return {
    ...server,
    inception: formatTime(last.inception),
    expiration: formatTime(last.expiration),
  };
}
