import { Name, parseDomain } from '../../base/index.js';
import {
  isSynthesised,
  lookupAddresses,
  lookupMailRoute,
  RRType,
  type AskOptions,
  type HostAddresses,
} from '../../dns/index.js';
import type { Evidence, HostEvidence, ReferenceEvidence } from '../../evidence/index.js';
import { parseMailbox } from '../../smtp/index.js';
import { isAddressLiteral, specialName } from '../mx-name.js';
import { claimableService } from './claimable-services-registry.js';
import { failureEvidence, type ProbeContext } from './context.js';
import type { Registrable } from './probe-signatures.js';

/** Maximum number of policy patterns, and of URIs of the TLS-RPT record, to look up. */
const [MAX_PATTERNS, MAX_URIS] = [20, 4];
/** Milliseconds for the connection to an HTTPS receiver of reports. */
const DIAL_TIMEOUT = 5000;
const HTTPS = 443;

type Evidenced = Pick<Evidence, 'mtaSts' | 'tlsRpt'> & { readonly hosts: readonly HostEvidence[] };

/**
 * Looks up the names that records and policy of the domain refer to. Another party can
 * claim a name that does not exist, and then act for the domain.
 */
export async function probeReferences(
  context: ProbeContext,
  { mtaSts, tlsRpt, hosts }: Evidenced,
  registrable: Registrable,
): Promise<readonly ReferenceEvidence[]> {
  const own = context.domain.toLower();
  const known = new Set(hosts.map(({ name }) => name));
  const patterns = (mtaSts.policy?.mx ?? [])
    .map((pattern) => pattern.toLowerCase())
    .filter((pattern) => !known.has(pattern));
  // A reserved name can never be registered.
  const missing = hosts.filter(
    ({ name, addressLookup }) =>
      addressLookup.status === 'absent' && !specialName(name) && !isAddressLiteral(name),
  );
  const found = await Promise.all([
    hostReference(context, 'policy-host', `mta-sts.${own}`),
    textReference(context, `_mta-sts.${own}`),
    ...[...new Set(patterns)]
      .slice(0, MAX_PATTERNS)
      .map((pattern) => patternReference(context, pattern)),
    ...missing.map(({ name }) => hostReference(context, 'mx', name)),
    ...tlsRpt.rua.slice(0, MAX_URIS).map((uri) => reportReference(context, uri)),
  ]);
  const references = await Promise.all(
    found.filter((one) => one !== undefined).map((one) => withOrigin(context, one)),
  );
  return Promise.all(references.map((one) => withClaim(context, one, registrable)));
}

type Found = Omit<ReferenceEvidence, 'deniedDomain' | 'service'>;

/**
 * Adds whether a wildcard record caused an alias that does not resolve. A wildcard alias
 * exists at every name of the zone, so the domain published no record at this name.
 */
async function withOrigin({ resolver, signal }: ProbeContext, found: Found): Promise<Found> {
  const { role, value, alias, status } = found;
  const isDead = status === 'nothing' || status === 'nxdomain';
  if (!alias || !isDead || (role !== 'policy-host' && role !== 'sts-record')) return found;
  const options: AskOptions = { signal, acceptUnvalidated: true };
  const ask = (name: Name, type: number) => resolver.ask(name, type, options);
  const owner = Name.of(value);
  const made = await isSynthesised(ask, owner, RRType.CNAME, await ask(owner, RRType.CNAME));
  return made ? { ...found, wildcard: true } : found;
}

/** Adds the facts which show whether another party can claim the target. */
async function withClaim(
  { resolver, domain, signal }: ProbeContext,
  found: Found,
  registrable: Registrable,
): Promise<ReferenceEvidence> {
  const service = claimableService(found.target);
  const above = registrable(found.target);
  if (found.status !== 'nxdomain' || above === undefined || above === registrable(domain.toLower()))
    return { ...found, service };
  const isDenied = async (name: Name): Promise<boolean> => {
    const { status } = await resolver.ask(name, RRType.NS, { signal, acceptUnvalidated: true });
    return status === 'nxdomain';
  };
  // Below a name that does not exist itself, such as a private top-level name, there is no
  // registry.
  const name = Name.of(above);
  const isFree = (await isDenied(name)) && !(await isDenied(name.parent));
  return { ...found, service, deniedDomain: isFree ? above : undefined };
}

/**
 * Looks up a name that needs an address, and returns its state; undefined for a text that
 * is not a name.
 */
async function hostReference(
  { resolver, signal }: ProbeContext,
  role: ReferenceEvidence['role'],
  value: string,
): Promise<Found | undefined> {
  const parsed = parseDomain(value);
  if (!parsed.ok) return undefined;
  const found = await lookupAddresses(resolver, parsed.value, { signal });
  if (found.status !== 'absent') return { role, value, ...outcomeOf(found) };
  // The name has no address of either family; the status of one answer shows whether it
  // exists.
  const { status } = await resolver.ask(parsed.value, RRType.A, {
    signal,
    acceptUnvalidated: true,
  });
  return { role, value, ...outcomeOf(found), status: status === 'nxdomain' ? status : 'nothing' };
}

function outcomeOf({
  status,
  canonicalName,
  aliases,
  dnssec,
  failure,
}: HostAddresses): Omit<Found, 'role' | 'value'> {
  return {
    target: canonicalName.toLower(),
    alias: aliases.length > 0 ? true : undefined,
    status: ({ found: 'receives', absent: 'nothing', failed: 'failed' } as const)[status],
    dnssec,
    failure: failure && failureEvidence(failure),
  };
}

/** Looks up the TXT record of MTA-STS, which may be an alias, and returns its state. */
async function textReference(
  { resolver, signal }: ProbeContext,
  value: string,
): Promise<Found | undefined> {
  const parsed = parseDomain(value.slice('_mta-sts.'.length));
  const name = parsed.ok ? parsed.value.prepend('_mta-sts') : parsed;
  if (!name.ok) return undefined;
  const answer = await resolver.ask(name.value, RRType.TXT, { signal, acceptUnvalidated: true });
  const { status, canonicalName, aliases, dnssec, failure } = answer;
  return {
    role: 'sts-record',
    value,
    target: canonicalName.toLower(),
    alias: aliases.length > 0 ? true : undefined,
    status: (
      { found: 'receives', nodata: 'nothing', nxdomain: 'nxdomain', failed: 'failed' } as const
    )[status],
    dnssec,
    failure: failure && failureEvidence(failure),
  };
}

/**
 * Looks up a pattern of the policy, and returns its state. For a wildcard, the function
 * looks up the name after the `*.` label: if that name does not exist, no matching name
 * exists.
 */
async function patternReference(
  context: ProbeContext,
  pattern: string,
): Promise<Found | undefined> {
  const found = await hostReference(context, 'policy-mx', pattern.replace(/^\*\./, ''));
  if (!found) return undefined;
  // A name without addresses can have matching names below it.
  const isEnough = pattern.startsWith('*.') && found.status === 'nothing';
  return { ...found, value: pattern, status: isEnough ? 'receives' : found.status };
}

/**
 * Returns the state of a receiver of reports: an address needs a mail route, an HTTPS URL
 * an open port.
 */
async function reportReference(context: ProbeContext, value: string): Promise<Found | undefined> {
  if (/^mailto:/i.test(value)) return mailReference(context, value);
  if (!URL.canParse(value)) return undefined;
  const { hostname, port } = new URL(value);
  const found = await hostReference(context, 'report', hostname);
  if (!found) return undefined;
  return { ...found, value, status: await httpsStatus(context, found, Number(port || HTTPS)) };
}

async function mailReference(context: ProbeContext, value: string): Promise<Found | undefined> {
  const address = decoded(value.slice('mailto:'.length).replace(/\?.*$/, ''));
  const mailbox = address === undefined ? undefined : parseMailbox(address);
  const parsed = mailbox?.ok ? parseDomain(mailbox.value.domain) : undefined;
  if (!parsed?.ok) return undefined;
  const { resolver, signal } = context;
  const route = await lookupMailRoute(resolver, parsed.value, { signal, unprovedAbsence: true });
  return {
    role: 'report',
    value,
    target: route.canonicalName.toLower(),
    status: mailStatus(route),
    dnssec: route.dnssec,
    failure: route.failure && failureEvidence(route.failure),
  };
}

function mailStatus({
  kind,
  status,
}: Awaited<ReturnType<typeof lookupMailRoute>>): Found['status'] {
  if (kind === 'error') return 'failed';
  if (kind === 'mx' || kind === 'implicit') return 'receives';
  return status === 'nxdomain' ? 'nxdomain' : 'nothing';
}

/** Connects to the first address, and closes the connection at once without a report. */
async function httpsStatus(
  { network, resolver, signal }: ProbeContext,
  { target, status }: Found,
  port: number,
): Promise<Found['status']> {
  if (status !== 'receives') return status;
  const { v4, v6 } = await lookupAddresses(resolver, Name.of(target), { signal });
  const address = v4[0] ?? v6[0];
  if (address === undefined) return 'nothing';
  const dialled = await network.dial({ address, port, timeoutMs: DIAL_TIMEOUT, signal });
  if (dialled.ok) {
    dialled.connection.close();
    return status;
  }
  return dialled.failure.code === 'net-refused' ? 'refused' : 'failed';
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
