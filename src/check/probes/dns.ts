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
import { failureEvidence, type ProbeContext } from './context.js';
import { probeSmtp, type ProbeTarget } from './smtp-tls.js';

export interface RouteTarget {
  readonly name: Name;
  readonly preference: number;
}

export async function probeRoute(
  context: ProbeContext,
): Promise<{ evidence: RouteEvidence; targets: readonly RouteTarget[] }> {
  context.progress('mail route');
  const route = await lookupMailRoute(context.resolver, context.domain, signalOf(context));
  const { kind, dnssec, status, failure, hosts, besideNullMx } = route;
  return {
    evidence: {
      kind,
      dnssec,
      status,
      ...(failure ? { failure: failureEvidence(failure) } : {}),
      ...(besideNullMx ? { besideNullMx } : {}),
    },
    targets: hosts,
  };
}

/**
 * Addresses, TLSA records and one conversation with each address of one MX host;
 * `address` replaces the lookup.
 */
export async function probeHost(
  context: ProbeContext,
  target: RouteTarget,
  address?: string,
): Promise<HostEvidence> {
  const { resolver } = context;
  const name = target.name.toLower();
  if (address === undefined && neverResolves(name, context.privateNames))
    return withoutAddress(name, target.preference);
  const found = await lookupAddresses(resolver, target.name, signalOf(context));
  const ips = address !== undefined ? [address] : [...found.v4, ...found.v6];
  const asked = lookupTlsa({
    resolver,
    host: target.name,
    addresses: found,
    port: 25,
    inert: true,
    ...signalOf(context),
  });
  const [tlsa, addresses] = await Promise.all([
    asked,
    // Only an alias can have another TLSA base domain, and has to be waited for.
    (found.aliases.length > 0 ? asked.then((at) => sniOf(at, name)) : Promise.resolve(name)).then(
      (sni) =>
        Promise.all(
          choose(context.most.addresses, found.v4, found.v6, ips).map((ip) =>
            visit(context, { host: name, ip, sni }),
          ),
        ),
    ),
  ]);
  const { status, base, dnssec, records, failure } = tlsa;
  const left = ips.filter((ip) => !addresses.some((a) => a.ip === ip));
  const meant =
    found.status === 'absent' && address === undefined ? await meantBy(context, name) : undefined;
  // Only a signed zone can hold records that were meant to count.
  const elsewhere =
    status === 'absent' && found.dnssec === 'secure' && found.status === 'found'
      ? await lookupMisplaced({
          resolver,
          host: target.name,
          domain: context.domain,
          ...signalOf(context),
        })
      : [];
  return {
    name,
    preference: target.preference,
    dnssec: found.dnssec,
    ...(found.unsupported ? { unsupported: found.unsupported } : {}),
    ...(meant === undefined ? {} : { meant }),
    ...(found.aliases.length > 0
      ? {
          alias: {
            canonicalName: found.canonicalName.toLower(),
            secure: found.aliases.every((step) => step.dnssec === 'secure'),
          },
        }
      : {}),
    addressLookup: {
      status: address !== undefined ? 'found' : found.status,
      ...(found.failure ? { failure: failureEvidence(found.failure) } : {}),
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
 * A name that no lookup finds. The root zone is signed and denies it, so no attacker adds
 * it.
 */
function withoutAddress(name: string, preference: number): HostEvidence {
  return {
    name,
    preference,
    dnssec: 'secure',
    addressLookup: { status: 'absent' },
    tlsa: { status: 'absent', base: name, dnssec: 'secure', records: [] },
    addresses: [],
  };
}

/**
 * The host that was meant where the MX record lacks its final dot, if there is such a
 * host.
 */
async function meantBy(context: ProbeContext, name: string): Promise<string | undefined> {
  const text = withoutOrigin(name, context.domain.toLower());
  const parsed = text === undefined ? undefined : parseDomain(text);
  if (!parsed?.ok) return undefined;
  const found = await lookupAddresses(context.resolver, parsed.value, signalOf(context));
  return found.status === 'found' ? parsed.value.toLower() : undefined;
}

/**
 * RFC 7672 §8.1: where DANE is in force the server is called by the TLSA base domain, and
 * shows the chain that senders meet.
 */
function sniOf({ status, base }: TlsaLookup, host: string): string {
  return status === 'usable' ? base : host;
}

/** The first of each family in turn. */
function choose(
  most: number,
  v4: readonly string[],
  v6: readonly string[],
  all: readonly string[],
): readonly string[] {
  if (all.length <= most) return all;
  const six = v6.slice(0, Math.max(Math.floor(most / 2), most - v4.length));
  return [...v4.slice(0, most - six.length), ...six];
}

function visit(context: ProbeContext, target: ProbeTarget): Promise<AddressEvidence> {
  const { host, ip } = target;
  context.progress(`${host} [${ip}]`);
  return context.manners.visit(host, ip, async (purse) => {
    const earlier = context.earlier(host, ip);
    const address = await probeSmtp(context, target, purse, earlier?.connections);
    if (address.status === 'skipped') return address;
    const submission: SubmissionEvidence[] = [];
    for (const { port: smtpPort, ...there } of portsBeside(context, address)) {
      const known = earlier?.submission?.find((s) => s.port === smtpPort)?.connections;
      const { ip: _, ...seen } = await probeSmtp(
        { ...context, ...there, smtpPort, intrusive: false },
        target,
        purse,
        known,
      );
      submission.push({ port: smtpPort, ...seen });
    }
    return submission.length > 0 ? { ...address, submission } : address;
  });
}

const [IMPLICIT_TLS, SUBMISSION] = [465, 587];

/**
 * Ports to look at as well: those asked for; and where STARTTLS is missing, once, the one
 * that is most likely to have it on an honest path.
 */
function portsBeside(
  { submissionPorts, goals }: ProbeContext,
  { connections: [first] }: AddressEvidence,
): readonly (Pick<ProbeContext, 'implicitTls' | 'goals'> & { readonly port: number })[] {
  const stripped = first?.starttls === 'absent' || first?.starttls === 'mangled';
  if (submissionPorts.length === 0 && goals && stripped)
    return [{ port: SUBMISSION, implicitTls: false, goals: undefined }];
  return submissionPorts.map((port) => ({ port, implicitTls: port === IMPLICIT_TLS, goals }));
}

function signalOf({ signal }: ProbeContext): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
