import type { CheckResult } from '../../evidence/index.js';
import {
  checkedHosts,
  cleanCheck,
  findingOf,
  kindOf,
  namesFinding,
  type SeenFinding,
} from './check-evidence.js';
import {
  compareReporters,
  failingHosts,
  hostsOf,
  type ReporterComparison,
} from './compare-reporters.js';
import { NOT_DESCRIBED, plus, type QuotedPolicy, type ReportedFacts } from './facts.js';
import { SPORADIC } from './cause-sentences.js';
import { isSameFault } from './same-fault.js';
import type { FailureGroup } from './group-failures.js';
import { appliedWithout, daysNamed, daysReplaced } from './outdated-policies.js';

/** The evidence about the cause of a failure: the input of the rules. */
export interface CauseEvidence {
  /** The recipient domain. */
  readonly domain: string;
  readonly group: FailureGroup;
  /** The finding of a check, on the days of the failure, that shows the same fault. */
  readonly found: SeenFinding | undefined;
  /** A check, on the days of the failure, that found no fault of the host or policy. */
  readonly clean: CheckResult | undefined;
  /**
   * Whether a check names the host as an MX host of the domain; undefined without a
   * check.
   */
  readonly ownHost: boolean | undefined;
  /** A policy that does not name the host and that an affected reporter applied. */
  readonly applied: QuotedPolicy | undefined;
  /**
   * Number of days for which the published policy has named the host, according to
   * checks; 0 if the policy does not name the host.
   */
  readonly namedFor: number | undefined;
  /**
   * Number of days for which the affected reporter applied its policy after all other
   * reporters had changed to a policy that names the host.
   */
  readonly replacedFor: number | undefined;
  readonly compared: ReporterComparison;
  /**
   * True if a reporter of the failure had sessions at another host and all of those
   * sessions succeeded.
   */
  readonly sparesHost: boolean;
  /**
   * True if an unaffected reporter had a failure of another kind over IPv4, so it uses
   * IPv4.
   */
  readonly usesIpv4: boolean;
  /** True if chance does not explain why the unaffected reporters had no failure. */
  readonly spared: boolean;
  /** Number of hosts at which the reporters of the group observed the failure. */
  readonly failingHosts: number;
  /**
   * True if the reporter verified the keys of these hosts by DANE in the same sessions,
   * so it received the certificates of the domain.
   */
  readonly matchesTlsa: boolean;
}

/** The probability below which chance does not explain why reporters were unaffected. */
const CHANCE = 1 / 1000;
/** The same probability limit if a check also found no fault of the host. */
const CHANCE_CHECKED = 1 / 100;
/**
 * Minimum number of failing days of a fault on the network path. An outage of some hours
 * affects at most two days, and a reporter may be unaffected only because it sent mail at
 * other hours.
 */
const MIN_PATH_DAYS = 3;
/**
 * Minimum number of unaffected reporters of which at least one presumably connects over
 * IPv4.
 */
const MIN_SPARED = 3;

/** Collects the evidence about the cause of a failure. */
export function gatherEvidence(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): CauseEvidence {
  const hosts = checkedHosts(reportedFacts.checks);
  const found = findingOf(failureGroup, reportedFacts.checks);
  const clean = found ? undefined : cleanCheck(failureGroup, reportedFacts.checks);
  const compared = compareReporters(failureGroup, reportedFacts, clean);
  const applied = appliedWithout(failureGroup, reportedFacts.policies);
  return {
    domain: reportedFacts.domain === '' ? 'YOUR-DOMAIN' : reportedFacts.domain,
    group: failureGroup,
    found,
    clean,
    ownHost: hosts?.has(failureGroup.mx),
    applied,
    namedFor: daysNamed(failureGroup, reportedFacts.checks),
    replacedFor: applied
      ? daysReplaced(applied, failureGroup.mx, reportedFacts.policies)
      : undefined,
    compared,
    sparesHost: sparesHost(failureGroup, reportedFacts),
    usesIpv4: reportedFacts.failures.some(
      ({ reporter, ip }) => ip.includes('.') && compared.unaffected.includes(reporter),
    ),
    spared: wasSpared(failureGroup, compared, clean !== undefined),
    failingHosts: [...failingHosts(failureGroup, reportedFacts)].filter((host) => host !== '')
      .length,
    matchesTlsa: matchesTlsa(failureGroup, reportedFacts),
  };
}

/**
 * Returns whether chance does not explain why reporters were unaffected. For a fault of
 * the policy file one unaffected reporter is enough: reports count sessions, and a policy
 * fetch is not a session.
 */
function wasSpared(
  failureGroup: FailureGroup,
  { unaffected, chance }: ReporterComparison,
  checked: boolean,
): boolean {
  if (kindOf(failureGroup.result) === 'policy-file') return unaffected.length > 0;
  return chance < (checked ? CHANCE_CHECKED : CHANCE);
}

/**
 * Returns whether a failure affects only a small share of the sessions, or is noise. For
 * a fault of the policy file the share proves nothing, because a policy fetch is not a
 * session.
 */
export function isSporadic({ group, compared }: CauseEvidence): boolean {
  if (kindOf(group.result) === 'policy-file') return false;
  return compared.rate < SPORADIC || compared.noise;
}

/**
 * Returns whether a finding of a check explains the failures. If the result type does not
 * name the finding, the failures must be more than noise. If the failures have no
 * description, at least half of the sessions must have failed.
 */
export function explainsMost({ group, compared, found }: CauseEvidence): boolean {
  if (group.result === NOT_DESCRIBED) return compared.ownRate >= 0.5;
  if (found && namesFinding(group.result, found.finding.id)) return true;
  return !compared.noise && compared.ownRate >= SPORADIC && compared.isShareKnown;
}

/** Returns whether a failure is noise: too few sessions, or only lost connections. */
export function isGroupNoise({ group: failureGroup, compared }: CauseEvidence): boolean {
  if (failureGroup.lostConnections || compared.noise) return true;
  if (compared.ownRate < SPORADIC && failureGroup.sessions > 0) return true;
  return failureGroup.sessions === 1 && failureGroup.reasons.length === 0 && compared.ownRate < 1;
}

/**
 * Returns whether a reporter of the failure had no failure at another MX host. A filter
 * or attacker on the network path of the reporter would remove STARTTLS at every host.
 * With DANE the policy domain of a report is the host of the sessions; otherwise only
 * failures name hosts.
 */
function sparesHost(group: FailureGroup, reportedFacts: ReportedFacts): boolean {
  const atHosts = reportedFacts.sessions.filter(
    (row) =>
      row.type === 'tlsa' &&
      row.domain !== group.domain &&
      row.domain !== group.mx &&
      row.day >= group.firstDay &&
      row.day <= group.lastDay &&
      group.reporters.includes(row.reporter),
  );
  const failing = new Set(atHosts.filter(({ failed }) => failed > 0).map(({ domain }) => domain));
  if (atHosts.some(({ domain, ok }) => ok > 0 && !failing.has(domain))) return true;
  const hosts = hostsOf(reportedFacts) ?? [];
  const failed = failingHosts(group, reportedFacts);
  return group.mx !== '' && hosts.some((host) => !failed.has(host));
}

/**
 * Returns whether an unaffected reporter used the address family that failed. A report
 * contains no addresses of successful sessions. The proof is therefore a check of the
 * host, or failures over both families. If only IPv4 failed, another failure of an
 * unaffected reporter over IPv4 is a proof, and so are three unaffected reporters.
 */
export function isSameFamily({ group, clean, usesIpv4, compared }: CauseEvidence): boolean {
  if (clean) return true;
  const v6 = group.ips.filter((ipAddress) => ipAddress.includes(':')).length;
  const v4 = group.ips.length - v6;
  return v4 > 0 && (v6 > 0 || usesIpv4 || compared.unaffected.length >= MIN_SPARED);
}

/**
 * Returns whether the fault cannot be at one of several servers behind an address. A load
 * balancer may send all connections of a reporter, or of one of its networks, to the same
 * server. The fault is elsewhere if it occurs at two hosts. It is also elsewhere if the
 * reporter had successful sessions on every day, and two other observers had no failure.
 */
export function notOneServer({ failingHosts: hosts, compared, clean }: CauseEvidence): boolean {
  if (hosts > 1) return true;
  return compared.isPartial && compared.unaffected.length + (clean ? 1 : 0) >= 2;
}

/** Returns whether the failure lasted longer than an outage of some hours. */
export function isLasting({ compared }: CauseEvidence): boolean {
  return compared.failingDays >= MIN_PATH_DAYS;
}

/**
 * Returns whether the only reporter also has sessions under DANE at every failing host on
 * these days. All of these sessions must be successful, and they must be at least as many
 * as the failed ones. RFC 8460 §4 counts a session under each policy that applies to it.
 */
function matchesTlsa(group: FailureGroup, reportedFacts: ReportedFacts): boolean {
  if (group.type !== 'sts' || kindOf(group.result) !== 'certificate') return false;
  if (group.reporters.length > 1) return false;
  return [...failingHosts(group, reportedFacts)].every((host) => {
    const underDane = reportedFacts.sessions.filter(
      ({ type, domain, reporter, day }) =>
        type === 'tlsa' &&
        domain === host &&
        group.reporters.includes(reporter) &&
        day >= group.firstDay &&
        day <= group.lastDay,
    );
    const failed = reportedFacts.failures
      .filter((row) => row.mx === host && group.reporters.includes(row.reporter))
      .filter((row) => isSameFault(group, { ...row, mx: group.mx }, reportedFacts.domain))
      .reduce((count, row) => plus(count, row.failed), 0);
    const matched = underDane.reduce((count, row) => plus(count, row.ok), 0);
    return matched > 0 && matched >= failed && underDane.every((row) => row.failed === 0);
  });
}

export function isOutdated({ applied, ownHost }: CauseEvidence): boolean {
  return applied !== undefined && ownHost === true;
}

/**
 * Returns whether the check without a fault obtained a certificate of the host that was
 * valid on the day of the check.
 */
export function showsDates({ clean, group }: CauseEvidence): boolean {
  const mailHost = clean?.hosts.find((h) => h.name === group.mx);
  return (
    mailHost?.addresses.some((address) =>
      address.certificates.some((certificate) => certificate.validity === 'valid'),
    ) ?? false
  );
}
