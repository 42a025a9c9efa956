import { followSignals, formatTime, systemClock, type Clock, type Name } from '../../base/index.js';
import { type Resolver, lookupAddresses } from '../../dns/index.js';
import type {
  AddressEvidence,
  Depth,
  Evidence,
  HostEvidence,
  NetworkEvidence,
} from '../../evidence/index.js';
import type { Network } from '../../net/index.js';
import type { Goals } from '../../tls/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { ProbeContext } from '../probes/context.js';
import type { CheckEvent } from '../probes/check-event.js';
import { ConnectionLimiter, type ProbeLimiter } from '../probes/connection-limiter.js';
import { unlimitedPolicyVisits, type PolicyVisitor } from '../probes/policy-visitor.js';
import { probeContinuity } from '../probes/probe-continuity.js';
import { probeHost, probeRoute, type RouteTarget } from '../probes/probe-host.js';
import { probeMtaSts, probeTlsRpt } from '../probes/probe-txt.js';
import { probeSmtp } from '../probes/smtp-tls.js';
import { reachable, type Reach } from '../reach.js';
import { assembleEvidence } from './assemble-evidence.js';

/** Default of `budget`, in TCP connections to one address. */
export const DEFAULT_BUDGET = 14;

/** The ports and limits of one collection of evidence. */
export interface CollectOptions {
  readonly network: Network;
  readonly resolver: Resolver;
  /** The addresses that may be contacted. Default `internet`. */
  readonly reach?: Reach;
  /** The roots against which certificates of mail and policy hosts are judged. */
  readonly trustStore: TrustStore;
  readonly clock?: Clock;
  readonly depth?: Depth;
  /**
   * Tests of the prober in addition to one completed handshake: see {@link goalsOf}.
   * Default nothing.
   */
  readonly goals?: Goals;
  /**
   * Senders whose recorded hellos are sent as well, one connection each; not at depth
   * `triage`. Default none.
   */
  readonly senders?: readonly string[];
  /**
   * True to test with one more connection for each address whether a NOOP, sent in
   * plaintext after STARTTLS, is executed inside TLS.
   */
  readonly intrusive?: boolean;
  /**
   * Whether to look up misplaced TLSA records of hosts in signed zones (up to ten queries
   * for each host) and misplaced TXT records of the domain (up to thirteen). Default:
   * TLSA at every depth, TXT at depth `inventory`.
   */
  readonly misplaced?: boolean;
  /**
   * Maximum TCP connections to one address. Default 14. Ignored if `manners` is given.
   */
  readonly budget?: number;
  /**
   * The limiter that the domains of one run share, so that all their connections stay
   * within the budget of each address. Default: limits for this domain alone.
   */
  readonly manners?: ProbeLimiter;
  /**
   * Decides when an address of a policy host is contacted. Default: without a wait. A run
   * over many domains shares one visitor.
   */
  readonly policyVisitor?: PolicyVisitor;
  /** Maximum number of mail hosts to probe, best preference first. Default 10. */
  readonly maxHosts?: number;
  /** Maximum number of addresses to probe of each host. Default 4. */
  readonly maxAddresses?: number;
  /** Milliseconds between two connections to one address. Default 200. */
  readonly spacingMs?: number;
  /**
   * Evidence of an earlier run. The check does not repeat questions that this evidence
   * answers.
   */
  readonly earlier?: Evidence;
  /**
   * Returns the evidence that the same run collected at an address for another host name,
   * for reuse. The check calls the function when the visit starts.
   */
  knownAt?(address: string): AddressEvidence | undefined;
  /** Name in EHLO. Default `hermetic.invalid`. */
  readonly helo?: string;
  readonly smtpPort?: number;
  readonly httpsPort?: number;
  /**
   * Ports for mail clients, such as 465 and 587, that are probed as well on each address.
   * Default none.
   */
  readonly submissionPorts?: readonly number[];
  /** Milliseconds for each step that waits for a peer. Default 15 000. */
  readonly timeoutMs?: number;
  /** The host to check instead of the MX hosts of the domain. */
  readonly mx?: Name;
  /** The address to check instead of the addresses of the host. */
  readonly address?: string;
  /** A host known to offer STARTTLS, checked over the same network. */
  readonly control?: Name;
  readonly signal?: AbortSignal;
  onProgress?(what: string): void;
  /** Receives each fact when it is observed. */
  onEvent?(event: CheckEvent): void;
}

/**
 * Collects the evidence of a domain: queries DNS, the policy host and every mail host
 * concurrently and within limits. Faults of peers are evidence, not errors. Rejects only
 * with `signal.reason`.
 */
export function collect(domainName: Name, options: CollectOptions): Promise<Evidence> {
  return followSignals([options.signal], ({ signal }) =>
    observe(domainName, { ...options, signal }),
  );
}

async function observe(
  domainName: Name,
  options: CollectOptions & { readonly signal: AbortSignal },
): Promise<Evidence> {
  const { depth = 'triage', signal } = options;
  const sources = new Set<string>();
  const context = createProbeContext(domainName, {
    ...options,
    network: notingSources(options.network, sources),
  });
  const [{ route, hosts }, mtaSts, tlsRpt, control] = await Promise.all([
    probeHosts(context, options),
    probeMtaSts(context).then((found) => {
      const { status, policy } = found;
      context.report({ kind: 'mta-sts', status, mode: policy?.mode });
      return found;
    }),
    probeTlsRpt(context).then((found) => {
      context.report({ kind: 'tls-rpt', status: found.status });
      return found;
    }),
    options.control ? probeControl(context, options.control) : undefined,
  ]);
  const takesMail = route.kind === 'mx' || route.kind === 'implicit';
  const continuity =
    depth === 'triage' || !takesMail
      ? undefined
      : await probeContinuity(context, { hosts, mtaSts, tlsRpt });
  signal.throwIfAborted();
  return assembleEvidence({
    domain: domainName.toLower(),
    collectedAt: formatTime(context.now),
    depth,
    helo: context.helo,
    smtpPort: context.smtpPort,
    route,
    hosts,
    mtaSts,
    tlsRpt,
    control,
    resolver: options.resolver.health().upstreams.map(({ label, state }) => ({ label, state })),
    sources: [...sources].sort(),
    continuity,
    trustStores: options.trustStore.sources,
  });
}

/** Fills in the defaults of the options for the probes of one domain. */
export function createProbeContext(domainName: Name, options: CollectOptions): ProbeContext {
  const { resolver, trustStore, clock = systemClock, reach = 'internet' } = options;
  return {
    network: reachable(options.network, reach),
    resolver,
    privateNames: reach === 'any',
    trustStore,
    clock,
    domain: domainName,
    depth: options.depth ?? 'triage',
    now: clock.now(),
    startedAt: clock.monotonic(),
    helo: options.helo ?? 'hermetic.invalid',
    smtpPort: options.smtpPort ?? 25,
    httpsPort: options.httpsPort ?? 443,
    implicitTls: false,
    submissionPorts: options.submissionPorts ?? [],
    timeoutMs: options.timeoutMs ?? 15_000,
    signal: options.signal,
    goals: options.goals,
    senders: options.senders ?? [],
    intrusive: options.intrusive ?? false,
    misplaced: {
      tlsa: options.misplaced ?? true,
      texts: options.misplaced ?? options.depth === 'inventory',
    },
    limiter: options.manners ?? new ConnectionLimiter({ budget: options.budget ?? DEFAULT_BUDGET }),
    policyVisitor: options.policyVisitor ?? unlimitedPolicyVisits,
    maximum: { hosts: options.maxHosts ?? 10, addresses: options.maxAddresses ?? 4 },
    spacingMs: options.spacingMs ?? 200,
    earlierEvidence: (hostName, address) =>
      options.earlier?.hosts
        .find((hostEvidence) => hostEvidence.name === hostName)
        ?.addresses.find((addressEvidence) => addressEvidence.ip === address) ??
      options.knownAt?.(address),
    progress: (what) => options.onProgress?.(what),
    report: (event) => options.onEvent?.(event),
  };
}

/** Maximum number of source addresses of this machine in the evidence. */
const MAX_SOURCES = 8;

/** Returns the network, with the local address of each connection added to `sources`. */
function notingSources(network: Network, sources: Set<string>): Network {
  return {
    exchange: (request) => network.exchange(request),
    dial: async (request) => {
      const dialled = await network.dial(request);
      if (dialled.ok && sources.size < MAX_SOURCES) sources.add(dialled.connection.local.address);
      return dialled;
    },
  };
}

async function probeHosts(
  context: ProbeContext,
  options: CollectOptions,
): Promise<{ route: Evidence['route']; hosts: HostEvidence[] }> {
  const { evidence: route, targets } = await probeRoute(context);
  const wanted: readonly RouteTarget[] = options.mx
    ? [{ name: options.mx, preference: 0 }]
    : targets.slice(0, context.maximum.hosts);
  const { kind, dnssec } = route;
  const names = wanted.map(({ name }) => name.toLower());
  context.report({ kind: 'route', route: kind, dnssec, hosts: names });
  const hosts = await Promise.all(
    wanted.map((routeTarget) => probeHost(context, routeTarget, options.address)),
  );
  if (options.mx) return { route: { kind: 'mx', dnssec: route.dnssec, status: 'found' }, hosts };
  const skipped = targets
    .slice(context.maximum.hosts)
    .map((routeTarget) => routeTarget.name.toLower());
  return { route: { ...route, skipped: skipped.length > 0 ? skipped : undefined }, hosts };
}

async function probeControl(
  context: ProbeContext,
  host: Name,
): Promise<NonNullable<NetworkEvidence['control']>> {
  const hostName = host.toLower();
  const found = await lookupAddresses(context.resolver, host, { signal: context.signal });
  const ipAddress = found.v4[0] ?? found.v6[0];
  if (ipAddress === undefined)
    return {
      host: hostName,
      starttls: 'unknown',
      failure: { code: found.failure?.code ?? 'no-address', detail: '' },
    };
  const alone = { ...context, goals: undefined, submissionPorts: [] };
  const connection = (
    await context.limiter.run(hostName, ipAddress, (purse) =>
      probeSmtp(alone, { host: hostName, ip: ipAddress }, purse),
    )
  ).connections[0];
  const failure = connection?.dial === 'open' ? connection.failure : connection?.dial;
  return {
    host: hostName,
    starttls: connection?.starttls ?? 'unknown',
    failure,
  };
}
