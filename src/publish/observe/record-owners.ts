import { Name } from '../../base/index.js';
import {
  isSynthesised,
  readTarget,
  RRType,
  type DnsAnswer,
  type AskOptions,
  type Resolver,
} from '../../dns/index.js';

/** The state of an owner name in the DNS, before a record is published there. */
export interface RecordOwner {
  /**
   * Target of the alias, if the owner is an alias: an alias can have no other record (RFC
   * 1034 §3.6.2).
   */
  readonly alias?: string | undefined;
  /**
   * The origin of the owner's addresses. The first record of the name itself replaces
   * those of a wildcard.
   */
  readonly addresses?: 'own' | 'wildcard' | 'unknown' | undefined;
}

/**
 * The owner names of all records that a domain may lack. `synthesised` contains names
 * whose records come from a wildcard, so no record may be published below them.
 */
export interface RecordOwners {
  readonly owners: ReadonlyMap<string, RecordOwner>;
  readonly synthesised: ReadonlySet<string>;
}

/** Maximum number of hosts whose names are looked up. */
const MAX_HOSTS = 10;

/**
 * Looks up the owner names of all records that a domain and its mail hosts may lack,
 * through a resolver.
 */
export async function lookupRecordOwners(
  resolver: Resolver,
  domainName: string,
  hostNames: readonly string[],
  signal?: AbortSignal,
): Promise<RecordOwners> {
  const options: AskOptions = { acceptUnvalidated: true, signal };
  const examined = hostNames.slice(0, MAX_HOSTS);
  const policyName = `mta-sts.${domainName}`;
  const names = [
    `_mta-sts.${domainName}`,
    `_smtp._tls.${domainName}`,
    policyName,
    ...examined.map((hostName) => `_25._tcp.${hostName}`),
  ];
  const ask: AskFunction = (name, recordType) => resolver.ask(name, recordType, options);
  const [aliases, v4, v6, mx, ...found] = await Promise.all([
    Promise.all(names.map((ownerName) => ownAlias(ask, Name.of(ownerName)))),
    origin(ask, Name.of(policyName), RRType.A),
    origin(ask, Name.of(policyName), RRType.AAAA),
    origin(ask, Name.of(domainName), RRType.MX),
    ...examined.flatMap((hostName) =>
      [RRType.A, RRType.AAAA].map((recordType) => origin(ask, Name.of(hostName), recordType)),
    ),
  ]);
  const owners = new Map<string, RecordOwner>(
    names.map((ownerName, index) => {
      const alias = aliases[index];
      const addresses = ownerName === policyName ? mergeOrigins([v4, v6]) : undefined;
      return [ownerName, { alias, addresses }];
    }),
  );
  const held = examined.filter(
    (_, index) => mergeOrigins([found[2 * index], found[2 * index + 1]]) === 'wildcard',
  );
  return { owners, synthesised: new Set([...(mx === 'wildcard' ? [domainName] : []), ...held]) };
}

type AskFunction = (domainName: Name, recordType: number) => Promise<DnsAnswer>;
type Origin = RecordOwner['addresses'];

function mergeOrigins(origins: readonly Origin[]): Origin {
  return (['own', 'unknown', 'wildcard'] as const).find((origin) => origins.includes(origin));
}

async function ownAlias(ask: AskFunction, domainName: Name): Promise<string | undefined> {
  const dnsAnswer = await ask(domainName, RRType.CNAME);
  const [resourceRecord] = dnsAnswer.status === 'found' ? dnsAnswer.records : [];
  const target = resourceRecord && readTarget(resourceRecord);
  if (!target?.ok || (await isSynthesised(ask, domainName, RRType.CNAME, dnsAnswer)))
    return undefined;
  return target.value.toLower();
}

async function origin(ask: AskFunction, domainName: Name, recordType: number): Promise<Origin> {
  const dnsAnswer = await ask(domainName, recordType);
  if (dnsAnswer.status === 'failed') return 'unknown';
  if (dnsAnswer.status !== 'found') return undefined;
  return (await isSynthesised(ask, domainName, recordType, dnsAnswer)) ? 'wildcard' : 'own';
}
