import type { Name } from '../../base/index.js';
import { lookupTlsa } from '../../dane/index.js';
import { lookupAddresses, lookupMailRoute } from '../../dns/index.js';
import type { AddressEvidence, HostEvidence, RouteEvidence, SubmissionEvidence } from '../../evidence/index.js';
import { stored, type ProbeContext } from './context.js';
import { probeSmtp } from './smtp-tls.js';

export interface RouteTarget {
  readonly name: Name;
  readonly preference: number;
}

export async function probeRoute(context: ProbeContext): Promise<{ evidence: RouteEvidence; targets: readonly RouteTarget[] }> {
  context.progress('mail route');
  const route = await lookupMailRoute(context.resolver, context.domain, signalOf(context));
  const { kind, dnssec, status, failure, hosts } = route;
  return { evidence: { kind, dnssec, status, ...(failure ? { failure: stored(failure) } : {}) }, targets: hosts };
}

/** Addresses, TLSA records and one conversation with each address of one MX host; `address` replaces the lookup. */
export async function probeHost(context: ProbeContext, target: RouteTarget, address?: string): Promise<HostEvidence> {
  const { resolver } = context;
  const name = target.name.toLower();
  const found = await lookupAddresses(resolver, target.name, signalOf(context));
  const ips = address !== undefined ? [address] : [...found.v4, ...found.v6];
  const [tlsa, addresses] = await Promise.all([
    lookupTlsa({ resolver, host: target.name, addresses: found, port: 25, inert: true, ...signalOf(context) }),
    Promise.all(choose(context.most.addresses, found.v4, found.v6, ips).map((ip) => visit(context, name, ip))),
  ]);
  const { status, base, dnssec, records, failure } = tlsa;
  const left = ips.filter((ip) => !addresses.some((a) => a.ip === ip));
  return {
    name,
    preference: target.preference,
    dnssec: found.dnssec,
    ...(found.aliases.length > 0
      ? { alias: { canonicalName: found.canonicalName.toLower(), secure: found.aliases.every((step) => step.dnssec === 'secure') } }
      : {}),
    addressLookup: {
      status: address !== undefined ? 'found' : found.status,
      ...(found.failure ? { failure: stored(found.failure) } : {}),
    },
    tlsa: { status, base, dnssec, records, ...(failure ? { failure: stored(failure) } : {}) },
    addresses: [...addresses, ...left.map((ip): AddressEvidence => ({ ip, status: 'skipped', reason: 'too-many', connections: [] }))],
  };
}

/** The first of each family in turn. */
function choose(most: number, v4: readonly string[], v6: readonly string[], all: readonly string[]): readonly string[] {
  if (all.length <= most) return all;
  const six = v6.slice(0, Math.max(Math.floor(most / 2), most - v4.length));
  return [...v4.slice(0, most - six.length), ...six];
}

function visit(context: ProbeContext, host: string, ip: string): Promise<AddressEvidence> {
  context.progress(`${host} [${ip}]`);
  return context.manners.visit(host, ip, async (purse) => {
    const earlier = context.earlier(host, ip);
    const address = await probeSmtp(context, host, ip, purse, earlier?.connections);
    if (context.submissionPorts.length === 0 || address.status === 'skipped') return address;
    const submission: SubmissionEvidence[] = [];
    for (const smtpPort of context.submissionPorts) {
      const there = { ...context, smtpPort, implicitTls: smtpPort === IMPLICIT_TLS, intrusive: false };
      const known = earlier?.submission?.find((s) => s.port === smtpPort)?.connections;
      const { ip: _, ...seen } = await probeSmtp(there, host, ip, purse, known);
      submission.push({ port: smtpPort, ...seen });
    }
    return { ...address, submission };
  });
}

const IMPLICIT_TLS = 465;

function signalOf({ signal }: ProbeContext): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
