import type { CheckResult, Finding } from '../../evidence/index.js';
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
import {
  dateOf,
  dayOfCheck,
  NOT_DESCRIBED,
  type ReportedFacts,
  type QuotedPolicy,
} from './facts.js';
import {
  alone,
  fewFailed,
  names,
  percent,
  receivedBy,
  sessionsOf,
  sparedDoing,
  SPORADIC,
} from './cause-sentences.js';
import type { FailureGroup } from './group-failures.js';
import { appliedWithout, daysNamed, daysReplaced } from './outdated-policies.js';
import { maxAgeOf, patternsOf } from './quoted.js';
import { withoutNoise } from './sources.js';

/**
 * The cause of a failure. `yours`: the domain, its mail hosts, its policy host or the
 * network in front of them. `theirs`: the reporter. `path`: something between the two,
 * which may be an attacker. `unclear`: not proved.
 */
export type FaultParty = 'yours' | 'theirs' | 'path' | 'unclear';

/** The subject of the advice, where the evidence says more than the result type. */
export type Remedy =
  'finding' | 'foreign-host' | 'missing-from-policy' | 'outdated-copy' | 'general';

/** The judged cause of a failure, as {@link rules} decide it. */
export interface CauseJudgement {
  readonly whose: FaultParty;
  readonly because: string;
  /** The evidence that would settle the cause; empty where it is proved. */
  readonly settle: string;
  readonly remedy: Remedy;
  /** The finding of a check that shows the same fault. */
  readonly finding: Finding | undefined;
}

/** The input of the rules. */
interface Evidence {
  /** The recipient domain. */
  readonly domain: string;
  readonly group: FailureGroup;
  /** The finding of a check on those days that shows the same fault. */
  readonly found: SeenFinding | undefined;
  /** A check of those days that found no fault of the host or policy. */
  readonly clean: CheckResult | undefined;
  /**
   * Whether a check names the host as an MX host of the domain; undefined without a
   * check.
   */
  readonly ownHost: boolean | undefined;
  /** A policy that an affected reporter applied, and that does not name the host. */
  readonly applied: QuotedPolicy | undefined;
  /**
   * Days for which the published policy has named the host, by checks; 0: it does not.
   */
  readonly namedFor: number | undefined;
  /**
   * Days between the change after which all other reporters quote a policy that names the
   * host, and the last report that quotes the applied one.
   */
  readonly replacedFor: number | undefined;
  readonly compared: ReporterComparison;
  /** A reporter of the failure had sessions at another host, and none failed. */
  readonly sparesHost: boolean;
  /** An unaffected reporter had a failure of another kind over IPv4. */
  readonly usesIpv4: boolean;
  /** The unaffected reporters were spared by more than chance. */
  readonly spared: boolean;
}

interface Rule {
  /** The condition of the rule in words, for the reader of this table. */
  readonly condition: string;
  readonly applies: (evidence: Evidence) => boolean;
  readonly cause: FaultParty;
  /** The reason why the condition proves the cause, or why it proves none. */
  readonly reason: (evidence: Evidence) => string;
  /** The evidence that would settle it; only where the cause is unclear. */
  readonly settle?: (evidence: Evidence) => string;
  readonly remedy?: Remedy;
}

/** Below this probability, chance does not explain which reporters were spared. */
const CHANCE = 1 / 1000;
/** The same where a check also found no fault of the host. */
const CHANCE_CHECKED = 1 / 100;
/**
 * A report covers a day and names no hour. An outage of some hours touches at most two
 * days, and a reporter that sent in other hours was not spared by its path.
 */
const MIN_PATH_DAYS = 3;

/**
 * The rules of judging a cause. The first one that applies decides. A cause other than
 * `unclear` needs a proof; any other cause names the missing proof.
 */
export const rules: readonly Rule[] = [
  {
    condition: 'A check found the MX hosts of the domain, and this host is not among them.',
    applies: (evidence) => evidence.group.mx !== '' && evidence.ownHost === false,
    cause: 'unclear',
    reason: ({ group }) =>
      `${group.mx} is not one of your mail hosts: an attack, or a record we do not know. If you did not change your MX records, an attacker forged DNS answers to this sender.`,
    settle: ({ group }) => `Whether ${group.mx} was ever in the MX records of the domain.`,
    remedy: 'foreign-host',
  },
  {
    condition: 'Few sessions failed, without a reason that tells a fault from a lost connection.',
    applies: (evidence) =>
      kindOf(evidence.group.result) === 'any' &&
      evidence.applied === undefined &&
      isNoise(evidence),
    cause: 'unclear',
    reason: fewFailed,
    settle: () => 'The reasons in the reports, or the logs of the mail server for these times.',
  },
  {
    condition: 'A check on those days found the same fault.',
    applies: (evidence) => evidence.found !== undefined && explainsMost(evidence),
    cause: 'yours',
    reason: ({ found }) =>
      `hermetic check found it too, on ${checkDate(found?.check)}: ${found?.finding.title ?? ''}.`,
    remedy: 'finding',
  },
  {
    condition:
      'The applied policy does not name an MX host that the published policy has named for longer than max_age.',
    applies: (evidence) =>
      isOutdated(evidence) &&
      (evidence.namedFor ?? 0) > (maxAgeOf(evidence.applied as QuotedPolicy) ?? Infinity),
    cause: 'theirs',
    reason: (evidence) =>
      `${names(evidence.group.reporters)} applied a policy that does not name ${evidence.group.mx}. The published one has named it for longer than the max_age of that copy (RFC 8461 §3.2).`,
  },
  {
    condition:
      'A reporter quotes a policy that all others replaced, by reports longer than max_age ago.',
    applies: (evidence) =>
      evidence.applied !== undefined &&
      (evidence.replacedFor ?? 0) > (maxAgeOf(evidence.applied) ?? Infinity),
    cause: 'theirs',
    reason: (evidence) =>
      `${names(evidence.group.reporters)} applied a policy that does not name ${evidence.group.mx}. All other reporters have quoted one that names it for longer than the max_age of that copy (RFC 8461 §3.2).`,
  },
  {
    condition: 'The applied policy does not name an MX host that the published policy names now.',
    applies: (evidence) => isOutdated(evidence) && (evidence.namedFor ?? 0) > 0,
    cause: 'unclear',
    reason: (evidence) =>
      `${names(evidence.group.reporters)} applied an older policy that does not name ${evidence.group.mx}; the published one does.`,
    settle: () =>
      'When the id in the _mta-sts record changed: a sender may apply its copy until it checks the record again.',
    remedy: 'outdated-copy',
  },
  {
    condition: 'The applied policy does not name an MX host of the domain.',
    applies: (evidence) => isOutdated(evidence),
    cause: 'yours',
    reason: ({ group, applied }) =>
      `The MTA-STS policy that ${names(group.reporters)} applied does not name ${group.mx}; it names ${applied ? patternsOf(applied).join(', ') : 'other hosts'}.`,
    remedy: 'missing-from-policy',
  },
  {
    condition: 'Few of many sessions failed.',
    applies: isSporadic,
    cause: 'unclear',
    reason: ({ group, compared }) =>
      compared.rate < SPORADIC
        ? `Only ${percent(compared.rate)} of the sessions of these reporters failed.`
        : `${sessionsOf(group)} failed in this way: too few to tell a fault from chance.`,
    settle: ({ domain }) =>
      `A check of every address, several times a day: hermetic check ${domain}`,
  },
  {
    condition:
      'Two independent reporters saw the failure, and a check on those days found no fault.',
    applies: (evidence) => evidence.compared.sources > 1 && evidence.clean !== undefined,
    cause: 'unclear',
    reason: ({ compared, clean }) =>
      `${compared.sources} reporters saw it independently, but hermetic check found no fault on ${checkDate(clean)}.`,
    settle: ({ domain }) =>
      `A check from a different network, several times a day: hermetic check ${domain}`,
  },
  {
    condition:
      'Two independent reporters saw the failure, and chance explains each comparable reporter without it.',
    applies: (evidence) => evidence.compared.sources > 1 && !evidence.spared,
    cause: 'yours',
    reason: ({ compared }) =>
      `${compared.sources} reporters saw it independently, and so did every reporter that applied the same policy to the same host.`,
  },
  {
    condition: 'Two independent reporters saw the failure, and others did not.',
    applies: (evidence) => evidence.compared.sources > 1,
    cause: 'unclear',
    reason: ({ group, compared }) =>
      `${names(compared.affected)} saw it; ${names(compared.unaffected)} ${sparedDoing(group)} without this failure.`,
    settle: ({ domain }) =>
      `A property that the affected senders share: an address family, a TLS library, a network. Check every address: hermetic check ${domain}`,
  },
  {
    condition:
      'STARTTLS is missing for one network only, on three days or more. Others had TLS sessions over the same address family.',
    applies: (evidence) =>
      kindOf(evidence.group.result) === 'starttls' &&
      evidence.group.reporters.length === 1 &&
      evidence.group.networks.length <= 2 &&
      evidence.spared &&
      evidence.compared.failingDays >= MIN_PATH_DAYS &&
      evidence.compared.isShareKnown &&
      !evidence.sparesHost &&
      isSameFamily(evidence),
    cause: 'path',
    reason: ({ group, compared, clean }) =>
      `Only ${names(group.reporters)} saw it${from(group)}, while ${names(compared.unaffected)} had TLS sessions with the same host on the same days${clean ? ', and hermetic check found no fault' : ''}. Something between this sender and the host removes STARTTLS: a filter, or an attacker.`,
  },
  {
    condition:
      'The certificate was valid when one reporter called it expired; others validated it.',
    applies: (evidence) =>
      evidence.group.result === 'certificate-expired' &&
      evidence.clean !== undefined &&
      evidence.spared &&
      showsDates(evidence),
    cause: 'unclear',
    reason: ({ group, compared, clean }) =>
      `hermetic check saw a valid certificate on ${checkDate(clean)}, and so did ${names(compared.unaffected)}. Either the clock of ${names(group.reporters)} is wrong, or it received another certificate: from one of several servers behind the address, or from an attacker.`,
    settle: ({ group }) =>
      `The certificate that ${names(group.reporters)} received, and the time of its clock: ask the contact named in its reports.`,
  },
  {
    condition:
      'A reporter received an invalid policy file, more than once; none received a valid one.',
    applies: (evidence) =>
      evidence.group.result === 'sts-policy-invalid' &&
      evidence.group.sessions > 1 &&
      !evidence.spared &&
      evidence.clean === undefined,
    cause: 'yours',
    reason: ({ group }) =>
      `${names(group.reporters)} received a policy file that is invalid. The file arrives over HTTPS with a verified certificate (RFC 8461 §3.3), so nothing between your policy host and a sender changes it.`,
  },
  {
    condition: 'The applied policy does not name a host, and no check shows the owner of the host.',
    applies: (evidence) => evidence.applied !== undefined && evidence.ownHost === undefined,
    cause: 'unclear',
    reason: ({ group, applied }) =>
      `The MTA-STS policy that ${names(group.reporters)} applied names ${applied ? patternsOf(applied).join(', ') : 'other hosts'}, and not ${group.mx}. It is unknown whether that is one of your mail hosts.`,
    settle: ({ domain }) => `A check, which reads your MX records: hermetic check ${domain}`,
    remedy: 'missing-from-policy',
  },
  {
    condition: 'One reporter saw the failure; others that could have seen it did not.',
    applies: (evidence) => evidence.spared,
    cause: 'unclear',
    reason: ({ group, compared }) =>
      `Only ${names(group.reporters)} saw it; ${names(compared.unaffected)} ${sparedDoing(group)} on the same days without this failure. The cause is at this reporter or between it and you, and reports do not tell which.`,
    settle: ({ group }) =>
      `${receivedBy(group)} that ${names(group.reporters)} received: ask the contact named in its reports.`,
  },
  {
    condition: 'One reporter saw the failure, and a check on those days found no fault.',
    applies: (evidence) => evidence.clean !== undefined,
    cause: 'unclear',
    reason: ({ group, clean }) =>
      `Only ${names(group.reporters)} reports it, and hermetic check found no fault on ${checkDate(clean)}. No other reporter can be compared with it.`,
    settle: () => 'A second reporter that applies the same policy to the same host.',
  },
  {
    condition: 'One reporter saw the failure, and nothing can be compared.',
    applies: () => true,
    cause: 'unclear',
    reason: alone,
    settle: ({ domain }) =>
      `A check on the same day (hermetic check ${domain}), or a second reporter that applies the same policy.`,
  },
];

/**
 * Judges the cause of a failure by checks, by the quoted policies and by the other
 * reporters.
 */
export function judgeFault(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): CauseJudgement {
  const core = withoutNoise(failureGroup.core ?? failureGroup, reportedFacts);
  const evidence = gatherEvidence(core, reportedFacts);
  const rule = rules.find((r) => r.applies(evidence)) as Rule;
  return {
    whose: rule.cause,
    because: rule.reason(evidence),
    settle: rule.settle?.(evidence) ?? '',
    remedy: rule.remedy ?? 'general',
    finding: rule.remedy === 'finding' ? evidence.found?.finding : undefined,
  };
}

function gatherEvidence(failureGroup: FailureGroup, reportedFacts: ReportedFacts): Evidence {
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
  };
}

/**
 * A fetch is not a session, so for the policy file the reporters count and not their
 * sessions.
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
 * A fetch is not a session, so the share of sessions says nothing about the policy file.
 */
function isSporadic({ group, compared }: Evidence): boolean {
  if (kindOf(group.result) === 'policy-file') return false;
  return compared.rate < SPORADIC || compared.noise;
}

/**
 * Returns whether a finding of a check explains the failures. Under another name than its
 * own it explains no noise, and sessions without a description only if it hit most.
 */
function explainsMost({ group, compared, found }: Evidence): boolean {
  if (group.result === NOT_DESCRIBED) return compared.ownRate >= 0.5;
  if (found && namesFinding(group.result, found.finding.id)) return true;
  return !compared.noise && compared.ownRate >= SPORADIC && compared.isShareKnown;
}

/** A failure of no particular kind: too few sessions, or only lost connections. */
function isNoise({ group: failureGroup, compared }: Evidence): boolean {
  if (failureGroup.lostConnections || compared.noise) return true;
  if (compared.ownRate < SPORADIC && failureGroup.sessions > 0) return true;
  return failureGroup.sessions === 1 && failureGroup.reasons.length === 0 && compared.ownRate < 1;
}

/**
 * Returns whether a reporter of the failure had no failure at another MX host. A filter
 * or attacker on its path removes STARTTLS at every host. With DANE a report
 * names the host of its sessions, as the policy domain; else the failures name hosts.
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
 * names no address of sessions that succeeded, so a check of the host shows it, or
 * failures over both families do. Where IPv4 failed, an unaffected reporter with another
 * failure over IPv4 shows it.
 */
function isSameFamily({ group, clean, usesIpv4 }: Evidence): boolean {
  if (clean) return true;
  const v6 = group.ips.filter((ipAddress) => ipAddress.includes(':')).length;
  const v4 = group.ips.length - v6;
  return v4 > 0 && (v6 > 0 || usesIpv4);
}

function isOutdated({ applied, ownHost }: Evidence): boolean {
  return applied !== undefined && ownHost === true;
}

/**
 * Returns whether the clean check saw a certificate of the host that was valid on its
 * day.
 */
function showsDates({ clean, group }: Evidence): boolean {
  const mailHost = clean?.hosts.find((h) => h.name === group.mx);
  return (
    mailHost?.addresses.some((address) =>
      address.certificates.some((certificate) => certificate.validity === 'valid'),
    ) ?? false
  );
}

function checkDate(check: CheckResult | undefined): string {
  return check ? dateOf(dayOfCheck(check)) : '';
}

function from({ networks }: FailureGroup): string {
  return networks.length > 0 ? `, from ${networks.join(' and ')}` : '';
}
