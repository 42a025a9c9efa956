import { inconclusiveFindings } from '../check/index.js';
import type { CheckResult, Finding } from '../evidence/index.js';

/** Checks in a row before a fault is reported as begun, worse or ended. */
export const CHECKS_TO_CONFIRM = 2;
/**
 * Milliseconds without a certain result that raise an alarm: three days.
 */
export const UNSEEN_MS = 3 * 86_400_000;
/**
 * Minimum number of checks within the three days without a certain result before an
 * alarm.
 */
export const MIN_CHECKS_UNSEEN = 3;
/**
 * Shortest outage of this machine that raises an alarm, in milliseconds. A round checks
 * its domains within seconds, so a restart of the resolver hides all domains.
 */
export const OUTAGE_MS = 5 * 60_000;

/** Levels of a fault: each step up is reported as worse. */
export const levels = { weaker: 1, warn: 1, fail: 2 } as const;

/**
 * Findings that are steps of one fault: the same fault continues when one replaces the
 * other. Every other finding is a separate fault.
 */
const steps: Readonly<Record<string, string>> = {
  'cert-near-expiry': 'cert-expiry',
  'cert-expired': 'cert-expiry',
};

/** Returns the rule that a finding belongs to. */
export function ruleOf({ id }: Finding): string {
  return steps[id] ?? id;
}

/** Returns whether one of these finding ids belongs to the rule. */
export function includesRule(ids: readonly string[], rule: string): boolean {
  return ids.some((id) => (steps[id] ?? id) === rule);
}

/**
 * Findings about the conditions of the check, not about the domain. They raise no alarm,
 * unless they hide a domain for three days.
 */
const views: ReadonlySet<string> = new Set([
  ...inconclusiveFindings,
  'dane-tempfail',
  'address-family-failed',
]);

/** Findings that name a cause on this machine. */
const ownCauses = new Set([
  ...['port-25-blocked', 'own-network-strips', 'resolver-no-dnssec', 'own-validation-fails'],
]);

/** Returns whether a finding is a fault of the domain that the watch reports. */
export function isFault({ id, severity, owner }: Finding): boolean {
  return (severity === 'fail' || severity === 'warn') && owner !== 'own-network' && !views.has(id);
}

/** Returns whether the result names a cause on this machine that hides the domain. */
export function namesOwnCause({ findings }: CheckResult): boolean {
  return findings.some(({ id }) => ownCauses.has(id));
}

/**
 * Returns whether the result answers every question of a watch: its absences are
 * evidence.
 */
export function isCertain(checkResult: CheckResult): boolean {
  return (
    checkResult.verdict !== 'inconclusive' &&
    checkResult.route.kind !== 'error' &&
    !namesOwnCause(checkResult)
  );
}

/** A protection that a domain can lose without any other fault. */
export interface ProtectionRule {
  readonly rule: string;
  readonly topic: string;
  /**
   * Returns the level of a protection: a greater number is stronger. Undefined if the
   * result does not show it.
   */
  level(checkResult: CheckResult): number | undefined;
  /** The levels in words, from 0. */
  readonly levelNames: readonly string[];
  readonly says: string;
  /** The first step to restore the protection. */
  readonly todo: string;
}

const modes = { enforce: 3, testing: 2, none: 1 } as const;

/**
 * The protections, the most important first. If several protections are lost, the first
 * of these names the alarm.
 */
export const protections: readonly ProtectionRule[] = [
  {
    rule: 'route-lost',
    topic: 'mx',
    level: ({ route: { kind } }) => (kind === 'mx' || kind === 'implicit' ? 1 : 0),
    levelNames: ['accepts no mail', 'accepts mail'],
    says: 'The domain no longer accepts mail: it has no MX record, or it does not exist.',
    todo: 'Examine the MX record of DOMAIN and its registration.',
  },
  {
    rule: 'dnssec-lost',
    topic: 'dnssec',
    level: ({ route: { dnssec } }) => ({ secure: 1, insecure: 0 })[dnssec as 'secure'],
    levelNames: ['unsigned MX record', 'signed MX record'],
    says: 'The MX record is no longer signed. DANE no longer protects this domain.',
    todo: 'Examine the DS record in the parent zone and the signer of the zone.',
  },
  {
    rule: 'dane-lost',
    topic: 'dane',
    level: daneLevel,
    levelNames: [
      'no host with usable TLSA records',
      'some hosts with usable TLSA records',
      'every host with usable TLSA records',
    ],
    says: 'Fewer mail hosts have usable TLSA records than before.',
    todo: 'Publish the TLSA records of the current keys again: hermetic records prints them.',
  },
  {
    rule: 'sts-weaker',
    topic: 'mta-sts',
    level({ mtaSts: { mode, status } }) {
      if (status === 'tempfail') return undefined;
      return status === 'found' && mode !== undefined ? modes[mode] : 0;
    },
    levelNames: [
      'no MTA-STS policy',
      'MTA-STS mode none',
      'MTA-STS mode testing',
      'MTA-STS mode enforce',
    ],
    says: 'The MTA-STS policy is weaker than before, or senders can no longer obtain it.',
    todo: 'Fetch https://mta-sts.DOMAIN/.well-known/mta-sts.txt and read its mode.',
  },
  {
    rule: 'tlsrpt-lost',
    topic: 'tls-rpt',
    level({ tlsRpt: { status } }) {
      if (status === 'tempfail') return undefined;
      return status === 'found' ? 1 : 0;
    },
    levelNames: ['no TLS-RPT record', 'TLS-RPT record'],
    says: 'The TLS-RPT record is missing or invalid. Senders report no failures.',
    todo: 'Examine the TXT record at _smtp._tls.DOMAIN.',
  },
];

/**
 * Returns 2 if every host has usable TLSA records, 1 if some hosts have, and 0 if no host
 * has.
 */
function daneLevel({ hosts }: CheckResult): number | undefined {
  const statuses = hosts.map(({ tlsa }) => tlsa.status);
  if (statuses.some((status) => status === 'tempfail' || status === 'bogus')) return undefined;
  const usable = statuses.filter((status) => status === 'usable').length;
  if (usable === 0) return 0;
  return usable === statuses.length ? 2 : 1;
}
