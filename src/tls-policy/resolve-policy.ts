import { followSignals, HermeticError, type Name } from '../base/index.js';
import { askTlsa, lookupTlsa, type TlsaLookup } from '../dane/index.js';
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

/** The inputs of {@link resolvePolicy}: resolver, policy source, settings, clock. */
export interface PolicyDeps extends DecideOptions {
  readonly resolver: Resolver;
  /** Discovery and cache of MTA-STS policies; without it MTA-STS is not used. */
  readonly stsSource?: StsSource;
  /**
   * Returns the milliseconds since 1970: the time of the decision. Default the wall
   * clock.
   */
  now?(): number;
  /** Port of the mail hosts. Default 25. */
  readonly smtpPort?: number;
  readonly signal?: AbortSignal;
}

/**
 * Maximum MX hosts that are resolved, the most preferred first. The limit bounds the
 * queries that one domain can cause.
 */
const MAX_HOSTS = 32;

/**
 * Looks up MX hosts, addresses, TLSA records and the MTA-STS policy of a next hop, and
 * decides. See {@link parseNextHop} for the forms of `nextHop`. An address has no policy
 * (RFC 8461 §3.4, RFC 7672 §2.2). A parent domain is never consulted (RFC 8461 §3.4). DNS
 * and HTTPS faults of the domain are part of the decision, not exceptions.
 *
 * @throws Fails with HermeticError `name-...` for a text that is not a next hop; rejects
 * with `signal.reason` after an abort.
 */
export function resolvePolicy(
  nextHop: string | NextHop,
  policyDeps: PolicyDeps,
): Promise<DomainDecision> {
  return followSignals([policyDeps.signal], ({ signal }) =>
    resolveHop(nextHop, { ...policyDeps, signal }),
  );
}

async function resolveHop(
  nextHop: string | NextHop,
  policyDeps: PolicyDeps & { readonly signal: AbortSignal },
): Promise<DomainDecision> {
  const hop = typeof nextHop === 'string' ? read(nextHop, policyDeps.smtpPort) : nextHop;
  const instant = (policyDeps.now ?? Date.now)();
  if (hop.kind === 'address') return decideDomain(ofAddress(hop.ip, instant), policyDeps);
  const { resolver, stsSource, signal, mtaSts = true, dane = true } = policyDeps;
  const [mailRoute, sts] = await Promise.all([
    hop.kind === 'host'
      ? ofHost(hop.name)
      : lookupMailRoute(resolver, hop.name, { signal, unprovedAbsence: !dane }),
    mtaSts ? stsSource?.lookup(hop.name, signal) : undefined,
  ]);
  const hosts = await Promise.all(
    mailRoute.hosts.slice(0, MAX_HOSTS).map((host) => {
      const isSigned =
        mailRoute.dnssec === 'secure' && host.name.isAtOrBelow(mailRoute.canonicalName);
      return factsOf({ ...host, port: hop.port, isSigned }, policyDeps, instant);
    }),
  );
  const domainFacts: DomainFacts = {
    domain: hop.name.toLower(),
    at: instant,
    route: {
      kind: hop.kind === 'host' ? 'host' : mailRoute.kind,
      dnssec: mailRoute.dnssec,
      failure: mailRoute.failure,
    },
    canonicalDomain: mailRoute.canonicalName.toLower(),
    hosts,
    mtaSts: sts,
    until: Math.min(
      instant + validityMs(mailRoute.ttl, mailRoute.kind !== 'error'),
      ...hosts.map((host) => host.until),
    ),
    resolverAtFault: atFault(resolver),
  };
  return decideDomain(domainFacts, policyDeps);
}

function read(text: string, portNumber: number | undefined): NextHop {
  const parsed = parseNextHop(text, portNumber);
  if (parsed.ok) return parsed.value;
  throw new HermeticError(
    parsed.failure.code,
    `${text}: ${parsed.failure.detail || 'no destination for mail'}`,
    {
      fix: 'Give the part after the @ of a mail address, or a host in brackets such as [smtp.example.net]:587.',
    },
  );
}

type MailHost = MailRoute['hosts'][number] & {
  readonly port: number;
  /** Whether the host lies below a domain whose MX records are secure. */
  readonly isSigned: boolean;
};

/**
 * Looks up the facts of a host. Senders look up TLSA records only if the addresses are
 * secure [7672-2.2.2-2]. The addresses of a host in its own signed domain are almost
 * always secure, so both queries are sent at once to save a round trip. If the addresses
 * are insecure, the TLSA answer is not used.
 */
async function factsOf(
  host: MailHost,
  policyDeps: PolicyDeps,
  instant: number,
): Promise<HostFacts> {
  const { resolver, dane = true } = policyDeps;
  const { port } = host;
  const lookupOptions = policyDeps.signal ? { signal: policyDeps.signal } : {};
  const ahead =
    dane && host.isSigned
      ? askTlsa({ resolver, host: host.name, port, ...lookupOptions })
      : undefined;
  ahead?.catch(() => undefined); // An abort reaches the caller through the address lookup.
  const found = await lookupAddresses(resolver, host.name, lookupOptions);
  const tlsa =
    dane && found.status === 'found'
      ? await lookupTlsa({
          resolver,
          host: host.name,
          addresses: found,
          port,
          asked: ahead,
          ...lookupOptions,
        })
      : undefined;
  return {
    name: host.name.toLower(),
    preference: host.preference,
    addresses: alternate(found),
    dnssec: found.dnssec,
    unsupported: found.unsupported,
    failure: found.failure,
    tlsa: tlsa
      ? tlsaFacts(tlsa, resolver)
      : { status: 'absent', base: host.name.toLower(), dnssec: found.dnssec, records: [] },
    until:
      instant +
      Math.min(
        validityMs(found.ttl, found.status !== 'failed'),
        tlsa
          ? validityMs(tlsa.ttl, tlsa.status !== 'tempfail' && tlsa.status !== 'bogus')
          : Infinity,
      ),
  };
}

function tlsaFacts(
  { status, base, dnssec, records, failure }: TlsaLookup,
  resolver: Resolver,
): HostFacts['tlsa'] {
  const undetermined = dnssec === 'indeterminate' && atFault(resolver);
  return {
    status: undetermined ? 'unknown' : status,
    base,
    dnssec,
    records,
    failure,
  };
}

/**
 * Returns the addresses of a host, alternating between IPv4 and IPv6, so that an
 * unreachable family does not use up the attempts of a delivery. A failed address lookup
 * leaves this host without addresses and does not affect other hosts. [7672-2.1.2-2]
 */
function alternate({ v4, v6 }: HostAddresses): readonly string[] {
  const longest = Math.max(v4.length, v6.length);
  return Array.from({ length: longest }, (_, index) => [v4[index], v6[index]])
    .flat()
    .filter((ipAddress) => ipAddress !== undefined);
}

/**
 * Returns the route to a host that the operator configured. The route is treated as
 * secure: no DNS answer that an attacker could forge chose the host (RFC 7672 §2.2.2).
 */
function ofHost(domainName: Name): MailRoute {
  return {
    kind: 'mx',
    status: 'found',
    dnssec: 'secure',
    ttl: 86_400,
    canonicalName: domainName,
    hosts: [{ name: domainName, preference: 0 }],
  };
}

function ofAddress(ipAddress: string, at: number): DomainFacts {
  const tlsa = { status: 'absent', base: ipAddress, dnssec: 'insecure', records: [] } as const;
  const host: HostFacts = {
    name: ipAddress,
    preference: 0,
    addresses: [ipAddress],
    dnssec: 'insecure',
    tlsa,
    until: Infinity,
  };
  return {
    domain: ipAddress,
    at,
    route: { kind: 'address', dnssec: 'insecure' },
    canonicalDomain: ipAddress,
    hosts: [host],
    mtaSts: undefined,
    until: Infinity,
    resolverAtFault: false,
  };
}

/** Seconds until a failed lookup is repeated (RFC 9520 §3.2: failures are cached too). */
const FAILURE_TTL = 30;

/** Returns the time for which an answer is valid, in milliseconds. `ttl`: seconds. */
function validityMs(ttlSeconds: number, answered: boolean): number {
  return (answered ? Math.max(1, ttlSeconds) : FAILURE_TTL) * 1000;
}

function atFault(resolver: Resolver): boolean {
  const { upstreams } = resolver.health();
  return (
    upstreams.length > 0 &&
    upstreams.every(({ state }) => state !== 'answers' && state !== 'untried')
  );
}
