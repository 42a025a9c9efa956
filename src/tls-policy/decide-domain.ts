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
 * What was looked up of a domain. Times are milliseconds since 1970, names A-labels in
 * lower case.
 */
export interface DomainFacts {
  readonly domain: string;
  readonly at: number;
  readonly route: {
    readonly kind: DomainDecision['route']['kind'];
    readonly dnssec: Dnssec;
    readonly failure?: Failure;
  };
  /** Where aliases of the domain led; the domain itself without any. */
  readonly canonicalDomain: string;
  readonly hosts: readonly HostFacts[];
  /**
   * Undefined: not asked, since the sender does not use it or nothing of the kind
   * applies.
   */
  readonly mtaSts: StsState | undefined;
  /** The soonest end of any DNS answer. */
  readonly until: number;
  /** Our own resolver keeps us from telling what DNSSEC says. */
  readonly resolverAtFault: boolean;
}

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

/** The sender's choices. */
export interface DecideOptions extends Partial<SenderSettings> {
  /**
   * Say what would have to wait, and let it go: nothing is enforced (RFC 7672 §9.1
   * [7672-9.1-1]).
   */
  readonly observe?: boolean;
  readonly exemptions?: readonly Exemption[];
  /** The message says `TLS-Required: No` (RFC 8689 §4.2.2); `require` outweighs it. */
  readonly tlsRequiredNo?: boolean;
}

/**
 * Facts and the sender's choices to a decision; what each host needs comes from {@link
 * decideHost} alone.
 */
export function decideDomain(facts: DomainFacts, options: DecideOptions = {}): DomainDecision {
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
    ...(require ? { require } : {}),
  };
  const rules: Rules = { ...settings, mtaSts: mtaSts ? facts.mtaSts?.policy : 'not-used' };
  const waiver = waiverOf(facts, options);
  const hosts = facts.hosts.map((host) => decide(host, facts, rules));
  const { kind, dnssec, failure } = facts.route;
  const ends = [
    facts.until,
    facts.mtaSts?.until ?? Infinity,
    waiver && 'until' in waiver ? Date.parse(waiver.until) : Infinity,
  ];
  return {
    schema: 'hermetic.policy/1',
    domain: facts.domain,
    decidedAt: formatTime(facts.at),
    validUntil: formatTime(Math.max(facts.at, Math.min(facts.at + LONGEST, ...ends))),
    action:
      kind === 'null-mx' || kind === 'none'
        ? 'reject'
        : hosts.some((host) => mayTry(host, waiver))
          ? 'deliver'
          : 'wait',
    route: { kind, dnssec, ...(failure ? { trouble: troubleOf(failure, facts) } : {}) },
    mtaSts: stsDecision(facts),
    hosts,
    settings,
    ...(waiver ? { waiver } : {}),
  };
}

/**
 * What a sender obeys: the decision, or with a waiver opportunistic TLS to any host that
 * DNS names.
 */
export function enforced({ decision }: HostDecision, waiver: Waiver | undefined): Decision {
  return waiver
    ? { action: 'use', tls: 'opportunistic', authenticate: [], reasons: decision.reasons }
    : decision;
}

/** No decision is kept longer than a day. */
const LONGEST = 86_400_000;

function mayTry(host: HostDecision, waiver: Waiver | undefined): boolean {
  return host.addresses.length > 0 && enforced(host, waiver).action === 'use';
}

/**
 * REQUIRETLS outweighs every waiver: whoever asked for it wants no mail rather than an
 * unsafe one (RFC 8689 §4.1).
 */
function waiverOf(
  { domain, at }: DomainFacts,
  { observe, exemptions = [], tlsRequiredNo, require }: DecideOptions,
): Waiver | undefined {
  if (require === 'verified') return undefined;
  const exempt = exemptions.find(
    (e) => e.domain.toLowerCase().replace(/\.$/, '') === domain && Date.parse(e.until) > at,
  );
  if (exempt) return { kind: 'exemption', until: exempt.until, reason: exempt.reason };
  // What a message asks for sets aside what the domain publishes, not what this sender
  // insists on.
  if (tlsRequiredNo && require === undefined) return { kind: 'tls-required-no' };
  return observe ? { kind: 'observe' } : undefined;
}

function decide(host: HostFacts, facts: DomainFacts, rules: Rules): HostDecision {
  const { name, preference, addresses, dnssec, unsupported, failure } = host;
  const { failure: tlsaFailure, ...tlsa } = host.tlsa;
  const decision = decideHost({ name, dnssec, tlsa: tlsa.status }, facts.route.dnssec, rules);
  return {
    name,
    preference,
    addresses,
    dnssec,
    ...(unsupported ? { unsupported } : {}),
    ...(failure ? { trouble: troubleOf(failure, facts) } : {}),
    tlsa: { ...tlsa, ...(tlsaFailure ? { trouble: troubleOf(tlsaFailure, facts) } : {}) },
    decision,
    // RFC 7672 §8.1 [7672-8.1-1, 7671-7-2]: the base domain where its records count; RFC
    // 8461 §7.1: else the MX host.
    sni: decision.action === 'use' && decision.authenticate.includes('dane') ? tlsa.base : name,
    referenceNames: referenceNames(tlsa.base, facts),
    grounds: decision.reasons.map((reason) => groundOf(reason, host, facts)),
  };
}

function groundOf(reason: Reason, host: HostFacts, facts: DomainFacts): Rationale {
  const { policy } = facts.mtaSts ?? {};
  const found =
    /^dane-(usable|unusable|insecure|insecure-mx)$/.test(reason) &&
    host.tlsa.records.map((record) => `${host.tlsa.base} TLSA ${record}`);
  const record = found
    ? found.join('; ')
    : /^sts-(enforce|testing|none|mx-mismatch)$/.test(reason) && policy
      ? policyText(policy)
      : undefined;
  const until = found ? host.until : record !== undefined && policy ? expiresAt(policy) : undefined;
  const failure = failureBehind(reason, host, facts);
  return {
    reason,
    ...reasonTable[reason],
    ...(record === undefined ? {} : { record }),
    ...(until === undefined ? {} : { until: formatTime(until) }),
    ...(failure ? { trouble: troubleOf(failure, facts) } : {}),
  };
}

/** The lookup whose failure a ground reports. */
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

function stsDecision(facts: DomainFacts): StsDecision {
  const { mtaSts } = facts;
  if (!mtaSts) return { how: 'none', record: { status: 'not-asked' } };
  const { policy, how, record, failure } = mtaSts;
  return {
    how,
    ...(policy
      ? {
          policy: {
            id: policy.id,
            mode: policy.mode,
            mx: policy.mx,
            maxAge: policy.maxAge,
            fetchedAt: formatTime(policy.fetchedAt),
            expiresAt: formatTime(expiresAt(policy)),
            body: policy.body,
          },
        }
      : {}),
    record,
    ...(failure ? { trouble: troubleOf(failure, facts) } : {}),
  };
}

/**
 * A silent or refusing resolver, or one that strips, is ours; what it truthfully tells of
 * a broken zone is theirs.
 */
function troubleOf(
  { code, detail, blame }: Failure,
  { resolverAtFault }: DomainFacts,
): LookupFailure {
  const ours = blame === 'local' || (code.startsWith('dns') && resolverAtFault);
  return { code, detail, blame, whose: ours ? 'ours' : 'theirs' };
}
