import { parseDomain, type Name } from '../../base/index.js';
import { lookupMisplaced, lookupTlsa, type TlsaLookup } from '../../dane/index.js';
import { lookupAddresses, lookupMailRoute } from '../../dns/index.js';
import type {
  AddressEvidence,
  HostEvidence,
  RouteEvidence,
  SubmissionEvidence,
} from '../../evidence/index.js';
import { neverResolves, withoutOrigin } from '../mx-name.js';
import type { ConnectionBudget } from './connection-limiter.js';
import { failureEvidence, type ProbeContext } from './context.js';
import { probeSmtp, type ProbeTarget } from './smtp-tls.js';

/** One MX host of the domain. */
export interface RouteTarget {
  readonly name: Name;
  readonly preference: number;
}

/** Looks up the mail route of the domain: its MX hosts, in order of preference. */
export async function probeRoute(
  context: ProbeContext,
): Promise<{ evidence: RouteEvidence; targets: readonly RouteTarget[] }> {
  context.progress('mail route');
  const mailRoute = await lookupMailRoute(context.resolver, context.domain, {
    signal: context.signal,
  });
  const { kind, dnssec, status, failure, hosts, besideNullMx } = mailRoute;
  return {
    evidence: {
      kind,
      dnssec,
      status,
      failure: failure && failureEvidence(failure),
      besideNullMx,
    },
    targets: hosts,
  };
}

/**
 * Looks up addresses and TLSA records of one MX host and probes each of its addresses.
 * `address`, given by the operator, replaces the address lookup. TLSA records are looked
 * up even if senders ignore these records, so that the report can name them as inert.
 */
export async function probeHost(
  context: ProbeContext,
  { name, preference }: RouteTarget,
  address?: string,
): Promise<HostEvidence> {
  const lookup = startHostLookup(context, name, address);
  const { chosen, left } = await lookup.addresses;
  const hostName = name.toLower();
  context.report({ kind: 'host', host: hostName, addresses: chosen });
  const [facts, addresses] = await Promise.all([
    lookup.facts,
    lookup.serverName.then((serverName) =>
      visitUntilReached(context, { host: hostName, serverName, chosen, left }),
    ),
  ]);
  return { ...facts, preference, addresses };
}

/** Maximum number of rounds of addresses to visit if none of them can be reached. */
const MAX_ROUNDS = 3;

interface AddressesToVisit {
  readonly host: string;
  readonly serverName: string;
  readonly chosen: readonly string[];
  readonly left: readonly string[];
}

/**
 * Visits the chosen addresses. If none of them can be reached, the function continues
 * with the addresses beyond the limit, since senders try these as well (RFC 5321 §5.1).
 */
async function visitUntilReached(
  context: ProbeContext,
  { host, serverName, chosen, left }: AddressesToVisit,
): Promise<AddressEvidence[]> {
  const visited: AddressEvidence[] = [];
  let [next, rest] = [chosen, left];
  for (let round = 1; round <= MAX_ROUNDS && next.length > 0; round += 1) {
    visited.push(
      ...(await Promise.all(next.map((ip) => visit(context, { host, ip, serverName })))),
    );
    if (visited.some(({ status }) => status === 'reachable') || round === MAX_ROUNDS) break;
    [next, rest] = [rest.slice(0, chosen.length), rest.slice(chosen.length)];
  }
  return [...visited, ...rest.map(notChosen)];
}

/** The DNS facts of an MX host. */
export type HostLookup = Omit<HostEvidence, 'preference' | 'addresses'>;

/** A running lookup of an MX host. The promises settle in the order of the fields. */
export interface StartedHostLookup {
  /** The addresses to visit, and those beyond the limit of the run. */
  readonly addresses: Promise<{
    readonly chosen: readonly string[];
    readonly left: readonly string[];
  }>;
  /** The name in SNI. */
  readonly serverName: Promise<string>;
  readonly facts: Promise<HostLookup>;
}

/**
 * Starts the DNS lookups of an MX host. Visits can start before the TLSA records are known,
 * since without an alias the TLSA base domain is the host.
 */
export function startHostLookup(
  context: ProbeContext,
  name: Name,
  address?: string,
): StartedHostLookup {
  const { resolver, signal } = context;
  const hostName = name.toLower();
  if (address === undefined && neverResolves(hostName, context.privateNames))
    return {
      addresses: Promise.resolve({ chosen: [], left: [] }),
      serverName: Promise.resolve(hostName),
      facts: Promise.resolve(withoutAddress(hostName)),
    };
  const asked = lookupAddresses(resolver, name, { signal });
  const tlsa = asked.then((addresses) =>
    lookupTlsa({ resolver, host: name, addresses, port: 25, inert: true, signal }),
  );
  const started: StartedHostLookup = {
    addresses: asked.then(({ v4, v6 }) => {
      const ips = address !== undefined ? [address] : [...v4, ...v6];
      const chosen = choose(context.maximum.addresses, v4, v6, ips);
      return { chosen, left: ips.filter((ip) => !chosen.includes(ip)) };
    }),
    serverName: asked.then(async ({ aliases }) =>
      aliases.length > 0 ? serverNameOf(await tlsa, hostName) : hostName,
    ),
    facts: describeHost(context, { name, address, found: asked, tlsa }),
  };
  // A caller that stops after the first rejection leaves the other promises without a
  // handler.
  for (const part of [tlsa, started.serverName, started.facts]) part.catch(() => undefined);
  return started;
}

interface HostAnswers {
  readonly name: Name;
  readonly address: string | undefined;
  readonly found: ReturnType<typeof lookupAddresses>;
  readonly tlsa: Promise<TlsaLookup>;
}

/**
 * Returns the facts of a host from its answers, with two further lookups for typing
 * errors.
 */
async function describeHost(context: ProbeContext, answers: HostAnswers): Promise<HostLookup> {
  const { name, address } = answers;
  const { resolver, domain, signal } = context;
  const found = await answers.found;
  const { status, base, alias, dnssec, records, failure } = await answers.tlsa;
  const { aliases } = found;
  const meant =
    found.status === 'absent' && address === undefined
      ? await meantBy(context, name.toLower())
      : undefined;
  // Misplaced records matter in a signed zone only: elsewhere DANE cannot apply.
  const elsewhere =
    context.misplaced.tlsa &&
    status === 'absent' &&
    found.dnssec === 'secure' &&
    found.status === 'found'
      ? await lookupMisplaced({ resolver, host: name, domain, signal })
      : [];
  return {
    name: name.toLower(),
    dnssec: found.dnssec,
    unsupported: found.unsupported,
    meant,
    alias:
      aliases.length > 0
        ? {
            canonicalName: found.canonicalName.toLower(),
            secure: aliases.every((aliasStep) => aliasStep.dnssec === 'secure'),
          }
        : undefined,
    addressLookup: {
      status: address !== undefined ? 'found' : found.status,
      failure: found.failure && failureEvidence(found.failure),
    },
    tlsa: {
      status,
      base,
      alias,
      dnssec,
      records,
      failure: failure && failureEvidence(failure),
      elsewhere: elsewhere.length > 0 ? elsewhere : undefined,
    },
  };
}

/** Returns the evidence of an address beyond the limit of the run. */
export function notChosen(ip: string): AddressEvidence {
  return { ip, status: 'skipped', reason: 'too-many', connections: [] };
}

/**
 * Returns the evidence for a name that cannot exist in the DNS, such as a name below
 * `.invalid`. The signed root zone proves that the name does not exist, so no attacker
 * can add it.
 */
function withoutAddress(hostName: string): HostLookup {
  return {
    name: hostName,
    dnssec: 'secure',
    addressLookup: { status: 'absent' },
    tlsa: { status: 'absent', base: hostName, dnssec: 'secure', records: [] },
  };
}

/**
 * Finds the intended host if the MX record lacks its final dot (`mx.example.com` read
 * as `mx.example.com.example.com`). Undefined if that host has no address.
 */
async function meantBy(context: ProbeContext, hostName: string): Promise<string | undefined> {
  const text = withoutOrigin(hostName, context.domain.toLower());
  const parsed = text === undefined ? undefined : parseDomain(text);
  if (!parsed?.ok) return undefined;
  const found = await lookupAddresses(context.resolver, parsed.value, { signal: context.signal });
  if (found.status === 'found') return parsed.value.toLower();
  return undefined;
}

/**
 * Returns the name for SNI. RFC 7672 §8.1: if DANE is in force, senders put the TLSA base
 * domain into SNI. The probe does the same, to receive the chain that senders receive.
 */
function serverNameOf({ status, base }: TlsaLookup, hostName: string): string {
  return status === 'usable' ? base : hostName;
}

/** Selects at most `maximum` addresses, half of them IPv6 if there are enough. */
function choose(
  maximum: number,
  v4: readonly string[],
  v6: readonly string[],
  all: readonly string[],
): readonly string[] {
  if (all.length <= maximum) return all;
  const six = v6.slice(0, Math.max(Math.floor(maximum / 2), maximum - v4.length));
  return [...v4.slice(0, maximum - six.length), ...six];
}

async function visit(context: ProbeContext, probeTarget: ProbeTarget): Promise<AddressEvidence> {
  const { host, ip } = probeTarget;
  context.progress(`${host} [${ip}]`);
  const evidence = await context.limiter.run(host, ip, (connectionBudget) => {
    context.report({ kind: 'visit', host, address: ip });
    return probeAddress(context, probeTarget, connectionBudget);
  });
  const { status, connections } = evidence;
  const starttls = connections[0]?.starttls;
  const seen = { status, starttls, connections: connections.length };
  context.report({ kind: 'address', host, address: ip, ...seen });
  return evidence;
}

/** Probes one address: port 25, then the further ports. */
async function probeAddress(
  context: ProbeContext,
  probeTarget: ProbeTarget,
  connectionBudget: ConnectionBudget,
): Promise<AddressEvidence> {
  const { host, ip } = probeTarget;
  const earlier = context.earlierEvidence(host, ip);
  const address = await probeSmtp(context, probeTarget, connectionBudget, earlier?.connections);
  if (address.status === 'skipped') return address;
  const submission: SubmissionEvidence[] = [];
  for (const { port: smtpPort, ...there } of portsBeside(context, address)) {
    const known = earlier?.submission?.find(
      (submissionEvidence) => submissionEvidence.port === smtpPort,
    )?.connections;
    const { ip: _, ...seen } = await probeSmtp(
      { ...context, ...there, smtpPort, intrusive: false },
      probeTarget,
      connectionBudget,
      known,
    );
    submission.push({ port: smtpPort, ...seen });
  }
  if (submission.length > 0) return { ...address, submission };
  return address;
}

const [IMPLICIT_TLS, SUBMISSION] = [465, 587];

/**
 * Returns the further ports to probe: the requested ones, or port 587 if none was
 * requested and STARTTLS is missing on port 25. A submission port with STARTTLS indicates
 * that an on-path attacker strips STARTTLS on port 25.
 */
function portsBeside(
  { submissionPorts, goals }: ProbeContext,
  { connections: [first] }: AddressEvidence,
): readonly (Pick<ProbeContext, 'implicitTls' | 'goals'> & { readonly port: number })[] {
  const stripped = first?.starttls === 'absent' || first?.starttls === 'mangled';
  if (submissionPorts.length === 0 && goals && stripped)
    return [{ port: SUBMISSION, implicitTls: false, goals: undefined }];
  return submissionPorts.map((portNumber) => ({
    port: portNumber,
    implicitTls: portNumber === IMPLICIT_TLS,
    goals,
  }));
}
