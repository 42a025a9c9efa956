import { formatTime, Name } from '../../base/index.js';
import {
  createProbeContext,
  lookupStsRecord,
  nameOf,
  probePolicy,
  probeRoute,
  probeSmtp,
  probeTlsRpt,
  readStsRecord,
  startHostLookup,
  type CollectOptions,
  type ConnectionBudget,
  type ProbeContext,
} from '../../check/index.js';
import type {
  DomainObservation,
  HostObservation,
  StsObservation,
  VisitObservation,
} from './observations.js';

/**
 * The dependencies and limits of the observations of a scan. The engine enforces the
 * limits on connections; these functions connect immediately.
 */
export type ObserveOptions = Pick<
  CollectOptions,
  | 'network'
  | 'resolver'
  | 'trustStore'
  | 'clock'
  | 'reach'
  | 'helo'
  | 'smtpPort'
  | 'httpsPort'
  | 'timeoutMs'
  | 'maxHosts'
  | 'maxAddresses'
  | 'signal'
  | 'policyVisitor'
>;

/**
 * Observes the DNS facts of a domain: the mail route, then the records of MTA-STS and
 * TLS-RPT. Asks one MX and two TXT questions, but only the MX question if the domain
 * accepts no mail.
 * @throws HermeticError for a text that is not a domain name, or the `signal.reason` of
 * an abort.
 */
export async function observeDomain(
  domain: string,
  options: ObserveOptions,
): Promise<DomainObservation> {
  const context = probeContext(nameOf(domain), options);
  const { evidence: route, targets } = await probeRoute(context);
  // Servers vary the order of records, and equal records must give equal facts.
  const ordered = targets
    .map(({ name, preference }) => ({ name: name.toLower(), preference }))
    .sort((a, b) => a.preference - b.preference || (a.name < b.name ? -1 : 1));
  const within = ordered.slice(0, context.maximum.hosts);
  const beyond = ordered.slice(context.maximum.hosts).map(({ name }) => name);
  const facts = {
    domain: context.domain.toLower(),
    observedAt: formatTime(context.now),
    route: { ...route, skipped: beyond.length > 0 ? beyond : undefined },
    mx: within,
  };
  if (!mayTakeMail(route.kind)) return facts;
  const [stsRecord, tlsRpt] = await Promise.all([lookupStsRecord(context), probeTlsRpt(context)]);
  return { ...facts, stsRecord, tlsRpt };
}

/**
 * Returns whether the domain may accept mail. A failed MX lookup does not prove that the
 * domain accepts no mail.
 */
function mayTakeMail(kind: DomainObservation['route']['kind']): boolean {
  return kind === 'mx' || kind === 'implicit' || kind === 'error';
}

/**
 * Returns whether the domain has a valid MTA-STS record, so that a policy must be
 * fetched.
 */
export function announcesPolicy({ stsRecord }: DomainObservation): boolean {
  return stsRecord !== undefined && !('status' in readStsRecord(stsRecord));
}

/**
 * Fetches the policy of a domain: at most one HTTPS connection to each address of the
 * policy host until one returns the policy. Without a valid record, the function connects
 * to no host.
 */
export async function observePolicy(
  { domain, stsRecord }: DomainObservation,
  options: ObserveOptions,
): Promise<StsObservation> {
  const context = probeContext(Name.of(domain), options);
  const txt = stsRecord ?? (await lookupStsRecord(context));
  return {
    domain,
    observedAt: formatTime(context.now),
    mtaSts: await probePolicy(context, txt),
  };
}

/**
 * Observes the DNS facts of a mail host: A, AAAA and TLSA, three questions without an
 * alias. The function does not search for TLSA records at wrong owner names.
 */
export async function observeHost(host: string, options: ObserveOptions): Promise<HostObservation> {
  const context = probeContext(Name.of(host), options);
  const lookup = startHostLookup(context, context.domain);
  const [{ chosen, left }, serverName, facts] = await Promise.all([
    lookup.addresses,
    lookup.serverName,
    lookup.facts,
  ]);
  return {
    ...facts,
    observedAt: formatTime(context.now),
    addresses: chosen,
    skipped: left,
    serverName,
  };
}

/** The address and host name of one visit. */
export interface VisitTarget {
  readonly address: string;
  readonly host: string;
  /** The name in SNI; default the host. */
  readonly serverName?: string;
}

/**
 * Visits one address for one host name: a single connection with greeting, EHLO, STARTTLS,
 * TLS, EHLO and QUIT. Failures of the server are part of the observation.
 */
export async function visitHost(
  { address, host, serverName = host }: VisitTarget,
  options: ObserveOptions,
): Promise<VisitObservation> {
  const context = probeContext(Name.of(host), options);
  return {
    host,
    serverName,
    observedAt: formatTime(context.now),
    address: await probeSmtp(context, { host, ip: address, serverName }, singleConnection()),
  };
}

/**
 * Returns a budget of one connection, since depth `triage` opens no second connection.
 */
function singleConnection(): ConnectionBudget {
  let remaining = 1;
  return {
    get remaining() {
      return remaining;
    },
    consume: () => void remaining--,
  };
}

function probeContext(name: Name, options: ObserveOptions): ProbeContext {
  return createProbeContext(name, { ...options, depth: 'triage', misplaced: false });
}
