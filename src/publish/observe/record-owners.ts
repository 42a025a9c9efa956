import { randomBytes } from 'node:crypto';
import { Name, toHex } from '../../base/index.js';
import {
  readTarget,
  RRType,
  type DnsAnswer,
  type AskOptions,
  type Resolver,
} from '../../dns/index.js';

/** How the owner of a record to be published stands in the DNS. */
export interface RecordOwner {
  /**
   * It is an alias of this name: no other record can stand beside it (RFC 1034 §3.6.2).
   */
  readonly alias?: string;
  /**
   * It has addresses: `own`, or from a wildcard alone, which its first record takes the
   * place of.
   */
  readonly addresses?: 'own' | 'wildcard' | 'unknown';
}

/**
 * Names below which no record is to be published, by name: its own records come from a
 * wildcard.
 */
export interface RecordOwners {
  readonly owners: ReadonlyMap<string, RecordOwner>;
  readonly synthesised: ReadonlySet<string>;
}

/** Names whose state is asked for together. */
const MAX_HOSTS = 10;

/**
 * Looks up the owners of everything that a domain and its mail hosts may lack, through a
 * resolver.
 */
export async function lookupRecordOwners(
  resolver: Resolver,
  domain: string,
  hosts: readonly string[],
  signal?: AbortSignal,
): Promise<RecordOwners> {
  const options: AskOptions = { acceptUnvalidated: true, ...(signal ? { signal } : {}) };
  const looked = hosts.slice(0, MAX_HOSTS);
  const policyName = `mta-sts.${domain}`;
  const names = [
    `_mta-sts.${domain}`,
    `_smtp._tls.${domain}`,
    policyName,
    ...looked.map((host) => `_25._tcp.${host}`),
  ];
  const ask: Ask = (name, type) => resolver.ask(name, type, options);
  const [aliases, v4, v6, mx, ...found] = await Promise.all([
    Promise.all(names.map((name) => ownAlias(ask, Name.of(name)))),
    origin(ask, Name.of(policyName), RRType.A),
    origin(ask, Name.of(policyName), RRType.AAAA),
    origin(ask, Name.of(domain), RRType.MX),
    ...looked.flatMap((host) =>
      [RRType.A, RRType.AAAA].map((type) => origin(ask, Name.of(host), type)),
    ),
  ]);
  const owners = new Map<string, RecordOwner>(
    names.map((name, i) => {
      const alias = aliases[i];
      const addresses = name === policyName ? together([v4, v6]) : undefined;
      return [name, { ...(alias ? { alias } : {}), ...(addresses ? { addresses } : {}) }];
    }),
  );
  const held = looked.filter((_, i) => together([found[2 * i], found[2 * i + 1]]) === 'wildcard');
  return { owners, synthesised: new Set([...(mx === 'wildcard' ? [domain] : []), ...held]) };
}

type Ask = (name: Name, type: number) => Promise<DnsAnswer>;
type Origin = RecordOwner['addresses'];

function together(origins: readonly Origin[]): Origin {
  return (['own', 'unknown', 'wildcard'] as const).find((one) => origins.includes(one));
}

async function ownAlias(ask: Ask, name: Name): Promise<string | undefined> {
  const answer = await ask(name, RRType.CNAME);
  const [record] = answer.status === 'found' ? answer.records : [];
  const target = record && readTarget(record);
  if (!target?.ok || (await isSynthesised(ask, name, RRType.CNAME, answer))) return undefined;
  return target.value.toLower();
}

async function origin(ask: Ask, name: Name, type: number): Promise<Origin> {
  const answer = await ask(name, type);
  if (answer.status === 'failed') return 'unknown';
  if (answer.status !== 'found') return undefined;
  return (await isSynthesised(ask, name, type, answer)) ? 'wildcard' : 'own';
}

/**
 * A random name below it is answered alike only where the name itself does not exist (RFC
 * 4592 §3.3.1).
 */
async function isSynthesised(
  ask: Ask,
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
    // Some servers refuse a name with `*` inside: then the first answer stands.
    if (!alike && (above === '' || answer?.status !== 'failed')) return false;
  }
  return true;
}
