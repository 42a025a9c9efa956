import type { CheckResult, Finding } from '../../evidence/index.js';
import {
  explainsMost,
  gatherEvidence,
  isLasting,
  isGroupNoise,
  isOutdated,
  isSameFamily,
  isSporadic,
  notOneServer,
  showsDates,
  type CauseEvidence,
} from './cause-evidence.js';
import {
  alone,
  fewFailed,
  names,
  rarelyFailed,
  receivedBy,
  sparedDoing,
} from './cause-sentences.js';
import { kindOf, namesOtherAddress } from './check-evidence.js';
import { dateOf, dayOfCheck, type ReportedFacts, type QuotedPolicy } from './facts.js';
import type { FailureGroup } from './group-failures.js';
import { maxAgeOf, patternsOf } from './quoted.js';
import { withoutNoise } from './sources.js';

/**
 * The cause of a failure. `yours`: the domain, its mail hosts, its policy host or the
 * network in front of these hosts. `theirs`: the reporter. `path`: the network between
 * reporter and hosts, or an on-path attacker. `unclear`: no cause is proved.
 */
export type FaultParty = 'yours' | 'theirs' | 'path' | 'unclear';

/**
 * The kind of advice. `general` follows from the result type; the other kinds need more
 * specific evidence.
 */
export type Remedy =
  'finding' | 'foreign-host' | 'missing-from-policy' | 'outdated-copy' | 'general';

/** The cause of a failure according to the first rule of {@link rules} that applies. */
export interface CauseJudgement {
  readonly whose: FaultParty;
  readonly because: string;
  /** The evidence that would prove the cause; empty if the cause is proved. */
  readonly settle: string;
  readonly remedy: Remedy;
  /** The finding of a check that shows the same fault. */
  readonly finding: Finding | undefined;
}

interface Rule {
  /** The condition of the rule in words, for the reader of this table. */
  readonly condition: string;
  readonly applies: (evidence: CauseEvidence) => boolean;
  readonly cause: FaultParty;
  /**
   * Returns the sentence that explains why the condition proves the cause, or why it
   * proves none.
   */
  readonly reason: (evidence: CauseEvidence) => string;
  /** Returns the evidence that would prove the cause; only if the cause is unclear. */
  readonly settle?: (evidence: CauseEvidence) => string;
  readonly remedy?: Remedy;
}

/**
 * The rules for judging a cause. The first rule that applies decides. A rule for a cause
 * other than `unclear` requires a proof. A rule for an unclear cause names the missing
 * proof.
 */
export const rules: readonly Rule[] = [
  {
    condition: 'A check found the MX hosts of the domain, but not this host.',
    applies: (evidence) => evidence.group.mx !== '' && evidence.ownHost === false,
    cause: 'unclear',
    reason: ({ group }) =>
      `${group.mx} is not one of your mail hosts: an attack, or an unknown record. If you did not change your MX records, an attacker forged DNS answers to this sender.`,
    settle: ({ group }) => `Whether ${group.mx} was ever in the MX records of the domain.`,
    remedy: 'foreign-host',
  },
  {
    condition: 'Few sessions failed, and no reason distinguishes a fault from a lost connection.',
    applies: (evidence) =>
      kindOf(evidence.group.result) === 'any' &&
      evidence.applied === undefined &&
      isGroupNoise(evidence),
    cause: 'unclear',
    reason: fewFailed,
    settle: () => 'The reasons in the reports, or the logs of the mail server for these times.',
  },
  {
    condition: 'A check on those days found the same fault.',
    applies: (evidence) => evidence.found !== undefined && explainsMost(evidence),
    cause: 'yours',
    reason: foundToo,
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
      `${names(evidence.group.reporters)} applied a policy that does not name ${evidence.group.mx}. The published policy has named this host for longer than the max_age of the applied copy (RFC 8461 §3.2).`,
  },
  {
    condition:
      'A reporter quotes a policy that all other reporters replaced longer than max_age ago.',
    applies: (evidence) =>
      evidence.applied !== undefined &&
      (evidence.replacedFor ?? 0) > (maxAgeOf(evidence.applied) ?? Infinity),
    cause: 'theirs',
    reason: (evidence) =>
      `${names(evidence.group.reporters)} applied a policy that does not name ${evidence.group.mx}. All other reporters have quoted a policy that names this host for longer than the max_age of the applied copy (RFC 8461 §3.2).`,
  },
  {
    condition: 'The applied policy does not name an MX host that the published policy names now.',
    applies: (evidence) => isOutdated(evidence) && (evidence.namedFor ?? 0) > 0,
    cause: 'unclear',
    reason: (evidence) =>
      `${names(evidence.group.reporters)} applied an older policy that does not name ${evidence.group.mx}; the published policy does.`,
    settle: () =>
      'The time when the id in the _mta-sts record changed: a sender may apply its copy until it checks the record again.',
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
    reason: rarelyFailed,
    settle: ({ domain }) =>
      `A check of every address, several times a day: hermetic check ${domain}`,
  },
  {
    condition:
      'Two independent reporters saw the failure, and a check on those days found no fault.',
    applies: (evidence) => evidence.compared.sources > 1 && evidence.clean !== undefined,
    cause: 'unclear',
    reason: ({ compared, clean }) =>
      `${compared.sources} reporters saw the failure independently, but hermetic check found no fault on ${checkDate(clean)}.`,
    settle: ({ domain }) =>
      `A check from a different network, several times a day: hermetic check ${domain}`,
  },
  {
    condition:
      'Two independent reporters saw the failure, and other reporters may have missed it by chance.',
    applies: (evidence) => evidence.compared.sources > 1 && !evidence.spared,
    cause: 'yours',
    reason: ({ compared }) =>
      `${compared.sources} reporters saw the failure independently, as did every reporter that applied the same policy to the same host.`,
  },
  {
    condition: 'Three independent reporters saw the failure, and others did not.',
    applies: (evidence) => evidence.compared.sources > 2,
    cause: 'yours',
    reason: ({ group, compared }) =>
      `${compared.sources} reporters saw the failure independently, so neither they nor their networks are the cause. ${names(compared.unaffected)} ${sparedDoing(group)} without this failure, which may affect an address, a server or a version of TLS that they do not use.`,
  },
  {
    condition: 'Two independent reporters saw the failure, and others did not.',
    applies: (evidence) => evidence.compared.sources > 1,
    cause: 'unclear',
    reason: ({ group, compared }) =>
      `${names(compared.affected)} saw the failure; ${names(compared.unaffected)} ${sparedDoing(group)} without this failure.`,
    settle: ({ domain }) =>
      `A property that the affected senders share: an address family, a TLS library, a network. Check every address: hermetic check ${domain}`,
  },
  {
    condition:
      'STARTTLS is missing for one network only, on three days or more. Others had TLS sessions over the same address family. One faulty server does not explain the failure.',
    applies: (evidence) =>
      kindOf(evidence.group.result) === 'starttls' &&
      evidence.group.reporters.length === 1 &&
      evidence.group.networks.length <= 2 &&
      evidence.spared &&
      isLasting(evidence) &&
      evidence.compared.isShareKnown &&
      !evidence.sparesHost &&
      notOneServer(evidence) &&
      isSameFamily(evidence),
    cause: 'path',
    reason: ({ group, compared, clean }) =>
      `Only ${names(group.reporters)} saw the failure${from(group)}, while ${names(compared.unaffected)} had TLS sessions with the same host on the same days${clean ? ', and hermetic check found no fault' : ''}. Something between this sender and the host removes STARTTLS: a filter, or an attacker.`,
  },
  {
    condition:
      'One reporter rejects the certificates of two hosts or more, and verified their keys by DANE in the same sessions. Others accept the certificates.',
    applies: (evidence) => evidence.matchesTlsa && evidence.spared && evidence.failingHosts > 1,
    cause: 'theirs',
    reason: ({ group, compared }) =>
      `Only ${names(group.reporters)} rejects the certificates. Its DANE sessions with the same hosts on the same days verified their keys, so it received your certificates, and ${names(compared.unaffected)} accepted them. Its clock or its trust store is wrong.`,
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
      'A reporter received an invalid policy file more than once, and no reporter received a valid file.',
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
      `The MTA-STS policy that ${names(group.reporters)} applied names ${applied ? patternsOf(applied).join(', ') : 'other hosts'}, and not ${group.mx}. It is unknown whether ${group.mx} is one of your mail hosts.`,
    settle: ({ domain }) => `A check, which reads your MX records: hermetic check ${domain}`,
    remedy: 'missing-from-policy',
  },
  {
    condition: 'One reporter saw the failure; other reporters that could have seen it did not.',
    applies: (evidence) => evidence.spared,
    cause: 'unclear',
    reason: ({ group, compared }) =>
      `Only ${names(group.reporters)} saw the failure; ${names(compared.unaffected)} ${sparedDoing(group)} on the same days without this failure. The cause is at this reporter, or between the reporter and you.`,
    settle: ({ group }) =>
      `${receivedBy(group)} that ${names(group.reporters)} received: ask the contact named in its reports.`,
  },
  {
    condition: 'One reporter saw the failure, and a check on those days found no fault.',
    applies: (evidence) => evidence.clean !== undefined,
    cause: 'unclear',
    reason: ({ group, clean }) =>
      `Only ${names(group.reporters)} reports the failure, and hermetic check found no fault on ${checkDate(clean)}. No other reporter is comparable.`,
    settle: () => 'A second reporter that applies the same policy to the same host.',
  },
  {
    condition: 'One reporter saw the failure, and no other reporter is comparable.',
    applies: () => true,
    cause: 'unclear',
    reason: alone,
    settle: ({ domain }) =>
      `A check on the same day (hermetic check ${domain}), or a second reporter that applies the same policy.`,
  },
];

/**
 * Returns the cause of a failure, judged by checks, quoted policies and the other
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

function checkDate(check: CheckResult | undefined): string {
  return check ? dateOf(dayOfCheck(check)) : '';
}

function foundToo({ found, group }: CauseEvidence): string {
  if (!found) return '';
  const says = `hermetic check also found the fault, on ${checkDate(found.check)}: ${found.finding.title}.`;
  if (!namesOtherAddress(found.finding, group)) return says;
  return `${says} The reports name another address than the check.`;
}

function from({ networks }: FailureGroup): string {
  return networks.length > 0 ? `, from ${networks.join(' and ')}` : '';
}
