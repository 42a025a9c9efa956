import { followSignal, HermeticError, type Name } from '../base/index.js';
import { lookupTlsa, type TlsaLookup } from '../dane/index.js';
import {
  lookupAddresses,
  lookupMailRoute,
  type HostAddresses,
  type MailRoute,
  type Resolver,
} from '../dns/index.js';
import type { StsSource } from '../mta-sts/index.js';
import {
  decideDomain,
  type DecideOptions,
  type DomainFacts,
  type HostFacts,
} from './decide-domain.js';
import type { DomainDecision } from './domain-decision.js';
import { parseNextHop, type NextHop } from './next-hop.js';

export interface PolicyDeps extends DecideOptions {
  readonly resolver: Resolver;
  /** Discovery and cache of MTA-STS policies; without it none is used. */
  readonly stsSource?: StsSource;
  /** Milliseconds since 1970: the time of the decision. Default the wall clock. */
  now?(): number;
  /** Port of the mail hosts. Default 25. */
  readonly smtpPort?: number;
  readonly signal?: AbortSignal;
}

/** Hosts that are looked at, the most preferred first. */
const MAX_HOSTS = 32;

/**
 * Looks up everything a sender needs to know of a next hop, and decides. See {@link
 * parseNextHop} for the forms of `nextHop`; an address has no policy (RFC 8461 §3.4, RFC
 * 7672 §2.2). No parent domain is ever asked. Peers' faults are in the decision.
 *
 * @throws HermeticError `name-...` for a text that names no next hop; rejects with
 * `signal.reason` when aborted.
 */
export async function resolvePolicy(
  nextHop: string | NextHop,
  deps: PolicyDeps,
): Promise<DomainDecision> {
  const hop = typeof nextHop === 'string' ? read(nextHop, deps.smtpPort) : nextHop;
  const at = (deps.now ?? Date.now)();
  if (hop.kind === 'address') return decideDomain(ofAddress(hop.ip, at), deps);
  const { resolver, stsSource, mtaSts = true, dane = true } = deps;
  const asked = deps.signal ? { signal: followSignal(deps.signal) } : {};
  const [route, sts] = await Promise.all([
    hop.kind === 'host'
      ? ofHost(hop.name)
      : lookupMailRoute(resolver, hop.name, { ...asked, unprovedAbsence: !dane }),
    mtaSts ? stsSource?.lookup(hop.name, asked.signal) : undefined,
  ]);
  const hosts = await Promise.all(
    route.hosts
      .slice(0, MAX_HOSTS)
      .map((host) => factsOf(host, hop.port, { ...deps, ...asked }, at)),
  );
  const facts: DomainFacts = {
    domain: hop.name.toLower(),
    at,
    route: {
      kind: hop.kind === 'host' ? 'host' : route.kind,
      dnssec: route.dnssec,
      ...(route.failure ? { failure: route.failure } : {}),
    },
    canonicalDomain: route.canonicalName.toLower(),
    hosts,
    mtaSts: sts,
    until: Math.min(at + keep(route.ttl, route.kind !== 'error'), ...hosts.map((h) => h.until)),
    resolverAtFault: atFault(resolver),
  };
  return decideDomain(facts, deps);
}

function read(text: string, port: number | undefined): NextHop {
  const parsed = parseNextHop(text, port);
  if (parsed.ok) return parsed.value;
  throw new HermeticError(
    parsed.failure.code,
    `${text}: ${parsed.failure.detail || 'no destination for mail'}`,
    {
      fix: 'Give the part after the @ of a mail address, or a host in brackets such as [smtp.example.net]:587.',
    },
  );
}

async function factsOf(
  host: MailRoute['hosts'][number],
  port: number,
  deps: PolicyDeps,
  at: number,
): Promise<HostFacts> {
  const { resolver, dane = true } = deps;
  const asked = deps.signal ? { signal: deps.signal } : {};
  const found = await lookupAddresses(resolver, host.name, asked);
  const tlsa =
    dane && found.status === 'found'
      ? await lookupTlsa({ resolver, host: host.name, addresses: found, port, ...asked })
      : undefined;
  return {
    name: host.name.toLower(),
    preference: host.preference,
    addresses: alternate(found),
    dnssec: found.dnssec,
    ...(found.unsupported ? { unsupported: found.unsupported } : {}),
    ...(found.failure ? { failure: found.failure } : {}),
    tlsa: tlsa
      ? tlsaFacts(tlsa, resolver)
      : { status: 'absent', base: host.name.toLower(), dnssec: found.dnssec, records: [] },
    until:
      at +
      Math.min(
        keep(found.ttl, found.status !== 'failed'),
        tlsa ? keep(tlsa.ttl, tlsa.status !== 'tempfail' && tlsa.status !== 'bogus') : Infinity,
      ),
  };
}

function tlsaFacts(
  { status, base, dnssec, records, failure }: TlsaLookup,
  resolver: Resolver,
): HostFacts['tlsa'] {
  const untold = dnssec === 'indeterminate' && atFault(resolver);
  return {
    status: untold ? 'unknown' : status,
    base,
    dnssec,
    records,
    ...(failure ? { failure } : {}),
  };
}

/**
 * [7672-2.1.2-2] A host whose addresses cannot be had has none; the others are not
 * touched. Both families have their turn: a dead one must not use up all the time.
 */
function alternate({ v4, v6 }: HostAddresses): readonly string[] {
  const longest = Math.max(v4.length, v6.length);
  return Array.from({ length: longest }, (_, i) => [v4[i], v6[i]])
    .flat()
    .filter((ip) => ip !== undefined);
}

/** Whoever runs the sender named the host: nobody can forge that (RFC 7672 §2.2.2). */
function ofHost(name: Name): MailRoute {
  return {
    kind: 'mx',
    status: 'found',
    dnssec: 'secure',
    ttl: 86_400,
    canonicalName: name,
    hosts: [{ name, preference: 0 }],
  };
}

function ofAddress(ip: string, at: number): DomainFacts {
  const tlsa = { status: 'absent', base: ip, dnssec: 'insecure', records: [] } as const;
  const host: HostFacts = {
    name: ip,
    preference: 0,
    addresses: [ip],
    dnssec: 'insecure',
    tlsa,
    until: Infinity,
  };
  return {
    domain: ip,
    at,
    route: { kind: 'address', dnssec: 'insecure' },
    canonicalDomain: ip,
    hosts: [host],
    mtaSts: undefined,
    until: Infinity,
    resolverAtFault: false,
  };
}

/**
 * Milliseconds an answer counts; one that could not be had is asked again soon, but not
 * at once.
 */
function keep(ttl: number, told: boolean): number {
  return (told ? Math.max(1, ttl) : 30) * 1000;
}

function atFault(resolver: Resolver): boolean {
  const { upstreams } = resolver.health();
  return (
    upstreams.length > 0 &&
    upstreams.every(({ state }) => state !== 'answers' && state !== 'untried')
  );
}
