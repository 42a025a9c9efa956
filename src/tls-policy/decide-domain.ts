import { formatTime, type Failure } from '../base/index.js';
import type { Dnssec, UnsupportedZone } from '../dns/index.js';
import { expiresAt, type StsState } from '../mta-sts/index.js';
import { decideHost, type Decision, type Reason, type Rules } from './decide-host.js';
import type {
  DomainDecision,
  Exemption,
  Rationale,
  HostDecision,
  SenderSettings,
  StsDecision,
  LookupFailure,
  Waiver,
} from './domain-decision.js';
import { reasonTable } from './explain.js';
import { referenceNames } from './reference-names.js';

/**
 * The lookups of one domain, as input of {@link decideDomain}. Times are milliseconds
 * since 1970, names A-labels in lower case.
 */
export interface DomainFacts {
  readonly domain: string;
  /** Time of the decision. */
  readonly at: number;
  /** The MX lookup (RFC 5321 §5.1). */
  readonly route: {
    readonly kind: DomainDecision['route']['kind'];
    readonly dnssec: Dnssec;
    readonly failure?: Failure;
  };
  /**
   * The last name of the alias chain of the domain, or the domain itself if it has no
   * alias.
   */
  readonly canonicalDomain: string;
  readonly hosts: readonly HostFacts[];
  /** The state of MTA-STS; undefined if the sender does not use MTA-STS. */
  readonly mtaSts: StsState | undefined;
  /** The earliest expiry of any DNS answer. */
  readonly until: number;
  /**
   * True if no configured resolver gives a usable answer. In that case a failed lookup
   * proves nothing about the domain, and is reported as a fault of this machine.
   */
  readonly resolverAtFault: boolean;
}

/** The lookups of one MX host: its addresses and its TLSA records. */
export interface HostFacts {
  readonly name: string;
  readonly preference: number;
  readonly addresses: readonly string[];
  readonly dnssec: Dnssec;
  readonly unsupported?: UnsupportedZone;
  readonly failure?: Failure;
  readonly tlsa: Omit<HostDecision['tlsa'], 'trouble'> & { readonly failure?: Failure };
  readonly until: number;
}

/** The sender's settings. */
export interface DecideOptions extends Partial<SenderSettings> {
  /**
   * Whether to report mail that would be deferred without enforcing anything: a trial run
   * before DANE or MTA-STS is enabled (RFC 7672 §9.1 [7672-9.1-1]).
   */
  readonly observe?: boolean;
  /**
   * Domains with an exemption from enforcement until a date, each with the operator's
   * reason.
   */
  readonly exemptions?: readonly Exemption[];
  /**
   * Whether the message has the header field `TLS-Required: No` (RFC 8689 §4.2.2);
   * `require` overrides the field.
   */
  readonly tlsRequiredNo?: boolean;
}

/**
 * Decides from the lookups and the sender's settings whether mail may be delivered, to
 * which hosts, and how each must be authenticated. Pure: the same facts give the same
 * decision. The requirement for a single host comes only from {@link decideHost}; this
 * function adds the route, the waivers and the time until which the decision is valid.
 */
export function decideDomain(
  domainFacts: DomainFacts,
  options: DecideOptions = {},
): DomainDecision {
  const {
    dane = true,
    mtaSts = true,
    daneSuffices = false,
    daneWithInsecureMx = true,
    require,
  } = options;
  const settings: SenderSettings = {
    dane,
    mtaSts,
    daneSuffices,
    daneWithInsecureMx,
    require,
  };
  const rules: Rules = { ...settings, mtaSts: mtaSts ? domainFacts.mtaSts?.policy : 'not-used' };
  const waiver = waiverOf(domainFacts, options);
  const hosts = domainFacts.hosts.map((host) => decide(host, domainFacts, rules));
  const { kind, dnssec, failure } = domainFacts.route;
  const ends = [
    domainFacts.until,
    domainFacts.mtaSts?.until ?? Infinity,
    waiver && 'until' in waiver ? Date.parse(waiver.until) : Infinity,
  ];
  return {
    schema: 'hermetic.policy/1',
    domain: domainFacts.domain,
    decidedAt: formatTime(domainFacts.at),
    validUntil: formatTime(
      Math.max(domainFacts.at, Math.min(domainFacts.at + MAX_VALIDITY_MS, ...ends)),
    ),
    action: actionFor(kind, hosts, waiver),
    route: { kind, dnssec, trouble: failure && troubleOf(failure, domainFacts) },
    mtaSts: stsDecision(domainFacts),
    hosts,
    settings,
    waiver,
  };
}

/**
 * Returns the action for a message: permanent rejection for a null MX (RFC 7505 §3) or
 * for a domain without mail hosts. In every other case without a usable host, mail is
 * deferred: the domain may repair its policy or its DNS while the mail is in the queue
 * (RFC 8461 §5 [8461-5-4]).
 */
function actionFor(
  kind: DomainFacts['route']['kind'],
  hosts: readonly HostDecision[],
  waiver: Waiver | undefined,
): DomainDecision['action'] {
  if (kind === 'null-mx' || kind === 'none') return 'reject';
  return hosts.some((host) => mayTry(host, waiver)) ? 'deliver' : 'wait';
}

/**
 * Returns the requirement that a sender enforces for a host: the decision itself, or
 * opportunistic TLS (RFC 3207, RFC 7435) if a waiver sets the decision aside.
 */
export function enforced({ decision }: HostDecision, waiver: Waiver | undefined): Decision {
  return waiver
    ? { action: 'use', tls: 'opportunistic', authenticate: [], reasons: decision.reasons }
    : decision;
}

/** A decision expires after a day, even if the TTLs of its answers are longer. */
const MAX_VALIDITY_MS = 86_400_000;

function mayTry(host: HostDecision, waiver: Waiver | undefined): boolean {
  return host.addresses.length > 0 && enforced(host, waiver).action === 'use';
}

/**
 * Returns the exemption of a domain that is in force at a time, in milliseconds since
 * 1970.
 */
export function exemptionOf(
  exemptions: readonly Exemption[],
  domain: string,
  at: number,
): Exemption | undefined {
  return exemptions.find(
    (exemption) =>
      exemption.domain.toLowerCase().replace(/\.$/, '') === domain &&
      Date.parse(exemption.until) > at,
  );
}

/**
 * Returns the waiver that applies. REQUIRETLS overrides every waiver: the author of the
 * message prefers a bounce to a delivery without authenticated TLS (RFC 8689 §4.1).
 */
function waiverOf(
  { domain, at }: DomainFacts,
  { observe, exemptions = [], tlsRequiredNo, require }: DecideOptions,
): Waiver | undefined {
  if (require === 'verified') return undefined;
  const exempt = exemptionOf(exemptions, domain, at);
  if (exempt) return { kind: 'exemption', until: exempt.until, reason: exempt.reason };
  // `TLS-Required: No` overrides the policy that the domain publishes (RFC 8689 §4.2.2),
  // not a requirement that the operator of this sender configured.
  if (tlsRequiredNo && require === undefined) return { kind: 'tls-required-no' };
  return observe ? { kind: 'observe' } : undefined;
}

function decide(host: HostFacts, domainFacts: DomainFacts, rules: Rules): HostDecision {
  const { name, preference, addresses, dnssec, unsupported, failure } = host;
  const { failure: tlsaFailure, ...tlsa } = host.tlsa;
  const decision = decideHost({ name, dnssec, tlsa: tlsa.status }, domainFacts.route.dnssec, rules);
  return {
    name,
    preference,
    addresses,
    dnssec,
    unsupported,
    trouble: failure && troubleOf(failure, domainFacts),
    tlsa: { ...tlsa, trouble: tlsaFailure && troubleOf(tlsaFailure, domainFacts) },
    decision,
    // The TLSA base domain if its records are used (RFC 7672 §8.1
    // [7672-8.1-1, 7671-7-2]), otherwise the MX host (RFC 8461 §7.1).
    sni: decision.action === 'use' && decision.authenticate.includes('dane') ? tlsa.base : name,
    referenceNames: referenceNames(tlsa.base, domainFacts),
    grounds: decision.reasons.map((reason) => groundOf(reason, host, domainFacts)),
  };
}

function groundOf(reason: Reason, host: HostFacts, domainFacts: DomainFacts): Rationale {
  const { record, until } = sourceOf(reason, host, domainFacts.mtaSts?.policy);
  const failure = failureBehind(reason, host, domainFacts);
  return {
    reason,
    ...reasonTable[reason],
    record,
    until: until === undefined ? undefined : formatTime(until),
    trouble: failure && troubleOf(failure, domainFacts),
  };
}

/** Grounds that depend on the TLSA records of a host. */
const restOnTlsa: ReadonlySet<Reason> = new Set([
  'dane-usable',
  'dane-unusable',
  'dane-insecure',
  'dane-insecure-mx',
]);

/** Grounds that depend on the text of the MTA-STS policy. */
const restOnPolicy: ReadonlySet<Reason> = new Set([
  'sts-enforce',
  'sts-testing',
  'sts-none',
  'sts-mx-mismatch',
]);

/**
 * Returns the published record that a ground quotes, and the time at which it expires
 * (milliseconds).
 */
function sourceOf(
  reason: Reason,
  host: HostFacts,
  cachedPolicy: NonNullable<DomainFacts['mtaSts']>['policy'],
): { readonly record?: string; readonly until?: number } {
  if (restOnTlsa.has(reason)) {
    const records = host.tlsa.records.map((record) => `${host.tlsa.base} TLSA ${record}`);
    return { record: records.join('; '), until: host.until };
  }
  if (restOnPolicy.has(reason) && cachedPolicy)
    return { record: policyText(cachedPolicy), until: expiresAt(cachedPolicy) };
  return {};
}

/** Returns the lookup whose failure a ground reports. */
function failureBehind(
  reason: Reason,
  { failure, tlsa }: HostFacts,
  { route }: DomainFacts,
): Failure | undefined {
  switch (reason) {
    case 'dane-bogus':
    case 'dane-tempfail':
      return tlsa.failure;
    case 'address-bogus':
    case 'dane-not-told':
      return route.dnssec === 'bogus' || route.dnssec === 'indeterminate'
        ? (route.failure ?? failure ?? tlsa.failure)
        : (failure ?? tlsa.failure);
    default:
      return undefined;
  }
}

function policyText({
  id,
  mode,
  mx,
}: {
  readonly id: string;
  readonly mode: string;
  readonly mx: readonly string[];
}): string {
  return [`policy ${id}`, `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`)].join('; ');
}

function stsDecision(domainFacts: DomainFacts): StsDecision {
  const { mtaSts } = domainFacts;
  if (!mtaSts) return { how: 'none', record: { status: 'not-asked' } };
  const { policy: cachedPolicy, how, record, failure } = mtaSts;
  return {
    how,
    policy: cachedPolicy && {
      id: cachedPolicy.id,
      mode: cachedPolicy.mode,
      mx: cachedPolicy.mx,
      maxAge: cachedPolicy.maxAge,
      fetchedAt: formatTime(cachedPolicy.fetchedAt),
      expiresAt: formatTime(expiresAt(cachedPolicy)),
      body: cachedPolicy.body,
    },
    record,
    trouble: failure && troubleOf(failure, domainFacts),
  };
}

/**
 * Attributes a failed lookup. A resolver that is silent, refuses or strips DNSSEC is a
 * fault of this machine (`ours`). A correct answer about a broken zone is a fault of the
 * domain (`theirs`): only its operator can fix it.
 */
function troubleOf(
  { code, detail, blame }: Failure,
  { resolverAtFault }: DomainFacts,
): LookupFailure {
  const ours = blame === 'local' || (code.startsWith('dns') && resolverAtFault);
  return { code, detail, blame, whose: ours ? 'ours' : 'theirs' };
}
