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
 * up even where senders ignore them, so that the report can name them as inert.
 */
export async function probeHost(
  context: ProbeContext,
  routeTarget: RouteTarget,
  address?: string,
): Promise<HostEvidence> {
  const { resolver } = context;
  const hostName = routeTarget.name.toLower();
  if (address === undefined && neverResolves(hostName, context.privateNames)) {
    context.report({ kind: 'host', host: hostName, addresses: [] });
    return withoutAddress(hostName, routeTarget.preference);
  }
  const found = await lookupAddresses(resolver, routeTarget.name, { signal: context.signal });
  const ips = address !== undefined ? [address] : [...found.v4, ...found.v6];
  const chosen = choose(context.maximum.addresses, found.v4, found.v6, ips);
  context.report({ kind: 'host', host: hostName, addresses: chosen });
  const asked = lookupTlsa({
    resolver,
    host: routeTarget.name,
    addresses: found,
    port: 25,
    inert: true,
    signal: context.signal,
  });
  const [tlsaRecord, addresses] = await Promise.all([
    asked,
    // Without an alias the TLSA base domain is the host: no need to await the lookup.
    (found.aliases.length > 0
      ? asked.then((at) => serverNameOf(at, hostName))
      : Promise.resolve(hostName)
    ).then((serverName) =>
      Promise.all(chosen.map((ip) => visit(context, { host: hostName, ip, serverName }))),
    ),
  ]);
  const { status, base, dnssec, records, failure } = tlsaRecord;
  const left = ips.filter(
    (address) => !addresses.some((addressEvidence) => addressEvidence.ip === address),
  );
  const meant =
    found.status === 'absent' && address === undefined
      ? await meantBy(context, hostName)
      : undefined;
  // Misplaced records matter in a signed zone only: elsewhere DANE cannot apply.
  const elsewhere =
    status === 'absent' && found.dnssec === 'secure' && found.status === 'found'
      ? await lookupMisplaced({
          resolver,
          host: routeTarget.name,
          domain: context.domain,
          signal: context.signal,
        })
      : [];
  return {
    name: hostName,
    preference: routeTarget.preference,
    dnssec: found.dnssec,
    unsupported: found.unsupported,
    meant,
    alias:
      found.aliases.length > 0
        ? {
            canonicalName: found.canonicalName.toLower(),
            secure: found.aliases.every((aliasStep) => aliasStep.dnssec === 'secure'),
          }
        : undefined,
    addressLookup: {
      status: address !== undefined ? 'found' : found.status,
      failure: found.failure && failureEvidence(found.failure),
    },
    tlsa: {
      status,
      base,
      dnssec,
      records,
      failure: failure && failureEvidence(failure),
      elsewhere: elsewhere.length > 0 ? elsewhere : undefined,
    },
    addresses: [
      ...addresses,
      ...left.map((ip): AddressEvidence => ({
        ip,
        status: 'skipped',
        reason: 'too-many',
        connections: [],
      })),
    ],
  };
}

/**
 * Evidence for a name that no lookup finds, such as one below `.invalid`. The signed root
 * zone denies it, so no attacker can add it.
 */
function withoutAddress(hostName: string, preference: number): HostEvidence {
  return {
    name: hostName,
    preference,
    dnssec: 'secure',
    addressLookup: { status: 'absent' },
    tlsa: { status: 'absent', base: hostName, dnssec: 'secure', records: [] },
    addresses: [],
  };
}

/**
 * Finds the intended host where the MX record lacks its final dot (`mx.example.com` read
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
 * RFC 7672 §8.1: where DANE is in force, senders put the TLSA base domain into SNI. The
 * probe does the same, to receive the chain that senders receive.
 */
function serverNameOf({ status, base }: TlsaLookup, hostName: string): string {
  return status === 'usable' ? base : hostName;
}

/** Selects at most `maximum` addresses, half of them IPv6 where there are enough. */
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
 * Further ports to probe: the requested ones. If STARTTLS is missing on port 25 and none
 * was requested, port 587: a submission port with STARTTLS indicates that an on-path
 * attacker strips it on port 25.
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
