import { randomBytes } from 'node:crypto';
import { Name, toHex } from '../../base/index.js';
import {
  readTarget,
  RRType,
  type DnsAnswer,
  type AskOptions,
  type Resolver,
} from '../../dns/index.js';

/** The state of an owner name in the DNS, before a record is published there. */
export interface RecordOwner {
  /** The name is an alias of this name, so it can have no other record (RFC 1034 §3.6.2). */
  readonly alias?: string | undefined;
  /** Where its addresses come from. The first own record replaces those of a wildcard. */
  readonly addresses?: 'own' | 'wildcard' | 'unknown' | undefined;
}

/**
 * The owner names of all records that a domain may lack. `synthesised`: names that have
 * their own records from a wildcard, so no record may be published below them.
 */
export interface RecordOwners {
  readonly owners: ReadonlyMap<string, RecordOwner>;
  readonly synthesised: ReadonlySet<string>;
}

/** Most hosts whose names are looked up. */
const MAX_HOSTS = 10;

/**
 * Looks up the owner names of all records that a domain and its mail hosts may lack, through
 * a resolver.
 */
export async function lookupRecordOwners(
  resolver: Resolver,
  domain: string,
  hosts: readonly string[],
  signal?: AbortSignal,
): Promise<RecordOwners> {
  const options: AskOptions = { acceptUnvalidated: true, signal };
  const examined = hosts.slice(0, MAX_HOSTS);
  const policyName = `mta-sts.${domain}`;
  const names = [
    `_mta-sts.${domain}`,
    `_smtp._tls.${domain}`,
    policyName,
    ...examined.map((host) => `_25._tcp.${host}`),
  ];
  const ask: AskFunction = (name, type) => resolver.ask(name, type, options);
  const [aliases, v4, v6, mx, ...found] = await Promise.all([
    Promise.all(names.map((name) => ownAlias(ask, Name.of(name)))),
    origin(ask, Name.of(policyName), RRType.A),
    origin(ask, Name.of(policyName), RRType.AAAA),
    origin(ask, Name.of(domain), RRType.MX),
    ...examined.flatMap((host) =>
      [RRType.A, RRType.AAAA].map((type) => origin(ask, Name.of(host), type)),
    ),
  ]);
  const owners = new Map<string, RecordOwner>(
    names.map((name, i) => {
      const alias = aliases[i];
      const addresses = name === policyName ? mergeOrigins([v4, v6]) : undefined;
      return [name, { alias, addresses }];
    }),
  );
  const held = examined.filter(
    (_, i) => mergeOrigins([found[2 * i], found[2 * i + 1]]) === 'wildcard',
  );
  return { owners, synthesised: new Set([...(mx === 'wildcard' ? [domain] : []), ...held]) };
}

type AskFunction = (name: Name, type: number) => Promise<DnsAnswer>;
type Origin = RecordOwner['addresses'];

function mergeOrigins(origins: readonly Origin[]): Origin {
  return (['own', 'unknown', 'wildcard'] as const).find((origin) => origins.includes(origin));
}

async function ownAlias(ask: AskFunction, name: Name): Promise<string | undefined> {
  const answer = await ask(name, RRType.CNAME);
  const [record] = answer.status === 'found' ? answer.records : [];
  const target = record && readTarget(record);
  if (!target?.ok || (await isSynthesised(ask, name, RRType.CNAME, answer))) return undefined;
  return target.value.toLower();
}

async function origin(ask: AskFunction, name: Name, type: number): Promise<Origin> {
  const answer = await ask(name, type);
  if (answer.status === 'failed') return 'unknown';
  if (answer.status !== 'found') return undefined;
  return (await isSynthesised(ask, name, type, answer)) ? 'wildcard' : 'own';
}

/**
 * Whether a wildcard made the records: a random name below the name gets the same answer
 * only when the name itself does not exist (RFC 4592 §3.3.1).
 */
async function isSynthesised(
  ask: AskFunction,
  name: Name,
  type: number,
  { records }: DnsAnswer,
): Promise<boolean> {
  const contents = (answer: readonly { readonly rdata: Uint8Array }[]): string =>
    answer
      .map(({ rdata }) => toHex(rdata))
      .sort()
      .join();
  for (const above of ['', '.*']) {
    const probe = name.prepend(`hermetic-${randomBytes(10).toString('hex')}${above}`);
    const answer = probe.ok ? await ask(probe.value, type) : undefined;
    const alike = answer?.status === 'found' && contents(answer.records) === contents(records);
    // Some servers refuse a name that contains `*`. The first answer then decides.
    if (!alike && (above === '' || answer?.status !== 'failed')) return false;
  }
  return true;
}
