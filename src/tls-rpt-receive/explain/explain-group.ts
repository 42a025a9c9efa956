import type { MailCertificate } from '../../evidence/index.js';
import { reportQuirks } from '../../tls-rpt/index.js';
import { checkedHosts, kindOf, mayBeFetch } from './check-evidence.js';
import { dateOf, dayOfCheck, type ReportedFacts } from './facts.js';
import { isOngoing, type FailureGroup } from './group-failures.js';
import { judgeFault, type CauseJudgement, type FaultParty } from './judge-fault.js';
import { explainReason } from './reason-texts-registry.js';
import { textOf, type FailureTarget } from './result-texts-registry.js';
import type { Steps } from './steps.js';

/**
 * The effect of a failure on the mail. `kept-back`: the sender does not deliver to this
 * host; it defers the mail, which finally bounces. `reported`: the sender delivers
 * anyway, because the policy is in mode testing. `unprotected`: no policy in force
 * required TLS. `cached-policy`: the policy fetch failed, a cached policy stayed in force
 * (RFC 8461 §5.1), and no mail was deferred because of this failure. `unknown`: the
 * reporter does not name the mode that it applied, or reports an unknown kind of policy.
 */
export type DeliveryImpact = 'kept-back' | 'reported' | 'unprotected' | 'cached-policy' | 'unknown';

/**
 * A group of failures with its cause, its effect and the steps to take. Dates are UTC
 * days.
 */
export interface Explanation {
  readonly result: string;
  readonly policy: string;
  readonly policyDomain: string;
  readonly mode: string;
  readonly host: string;
  readonly addresses: readonly string[];
  /** Number of failed sessions; 0 if the reporters give no count. */
  readonly sessions: number;
  readonly since: string;
  readonly last: string;
  /**
   * False after every reporter that observed the failure has reported a later day without
   * it.
   */
  readonly ongoing: boolean;
  readonly reporters: readonly string[];
  readonly networks: readonly string[];
  readonly says: string;
  /** The reasons as reported, each with its meaning if that is known. */
  readonly reasons: readonly { readonly text: string; readonly means?: string | undefined }[];
  readonly fate: DeliveryImpact;
  readonly whose: FaultParty;
  readonly because: string;
  /** The evidence that would prove the cause; only if the cause is unclear. */
  readonly settle?: string | undefined;
  /** The certificate of the host in the check nearest in time to the failure. */
  readonly certificate?:
    | {
        readonly names: readonly string[];
        readonly notBefore: string;
        readonly notAfter: string;
        readonly spkiSha256: string;
        readonly seen: string;
      }
    | undefined;
  readonly todo: readonly string[];
}

/** Returns the explanation of a group of failures from all known facts, in steps. */
export function* explainGroup(
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): Steps<Explanation> {
  const fault = judgeFault(failureGroup, reportedFacts);
  yield;
  const certificate = certificateOf(failureGroup, reportedFacts);
  return {
    result: failureGroup.result,
    policy: failureGroup.type,
    policyDomain: failureGroup.domain,
    mode: failureGroup.mode,
    host: failureGroup.mx,
    addresses: failureGroup.ips,
    sessions: failureGroup.sessions,
    since: dateOf(failureGroup.firstDay),
    last: dateOf(failureGroup.lastDay),
    ongoing: isOngoing(failureGroup, reportedFacts),
    reporters: failureGroup.reporters,
    networks: failureGroup.networks,
    says: textOf(failureGroup).says(failureGroup),
    reasons: failureGroup.reasons.map((text) => ({ text, means: explainReason(text) })),
    fate: fateOf(failureGroup),
    whose: fault.whose,
    because: fault.because,
    settle: fault.settle === '' ? undefined : fault.settle,
    certificate,
    todo: stepsFor(fault, failureGroup, reportedFacts),
  };
}

/**
 * Returns the effect on the mail. Under DANE or a policy in mode enforce the sender
 * defers the mail (RFC 7672 §2.2, RFC 8461 §5). In the modes testing and none the sender
 * delivers. If the mode is unknown, the effect is unknown too.
 */
function fateOf(failureGroup: FailureGroup): DeliveryImpact {
  const { type, mode, result } = failureGroup;
  if (type === 'tlsa') return 'kept-back';
  if (type === 'no-policy-found') return 'unprotected';
  if (type !== 'sts') return 'unknown';
  if (kindOf(result) === 'policy-file') return mode === '' ? 'unknown' : 'cached-policy';
  if (mode === 'testing') return 'reported';
  if (mode === 'none') return 'unprotected';
  return mode === 'enforce' && !mayBeFetch(failureGroup) ? 'kept-back' : 'unknown';
}

/**
 * Returns the steps that fix a fault. If a check has a finding about the fault, returns
 * the steps of the finding: they name the host and the record, which a report does not.
 */
function stepsFor(
  fault: CauseJudgement,
  failureGroup: FailureGroup,
  reportedFacts: ReportedFacts,
): readonly string[] {
  const target = targetOf(failureGroup, reportedFacts);
  const { finding, remedy } = fault;
  if (finding && finding.steps.length > 0)
    return [finding.fix, ...finding.steps.map((step) => step.text)];
  if (remedy === 'foreign-host')
    return [
      `Compare with your MX records: dig +short MX ${target.domain}`,
      'Do not add a host to the MTA-STS policy because a report names it.',
      'With DNSSEC and DANE, or MTA-STS in mode enforce, a sender refuses a forged MX host.',
    ];
  if (remedy === 'missing-from-policy') return policySteps(target);
  if (remedy === 'outdated-copy')
    return [
      `Make sure that the id in the TXT record at _mta-sts.${target.domain} changed together with the policy.`,
      'Wait until the max_age of the old policy has passed.',
    ];
  return stepsByCause(fault.whose, failureGroup, target);
}

function policySteps({ domain, host }: FailureTarget): readonly string[] {
  const textLine =
    host === undefined ? 'a line for each missing MX host' : `the line "mx: ${host}"`;
  return [
    ...(host === undefined ? [`List your MX hosts: dig +short MX ${domain}`] : []),
    `Add ${textLine} to the MTA-STS policy at https://mta-sts.${domain}/.well-known/mta-sts.txt.`,
    `Then change the id in the TXT record at _mta-sts.${domain}, so that senders fetch the policy again.`,
    'Keep the mode unchanged.',
  ];
}

function stepsByCause(
  whose: FaultParty,
  failureGroup: FailureGroup,
  target: FailureTarget,
): readonly string[] {
  const who = failureGroup.reporters.join(' and ');
  const deferred = fateOf(failureGroup) === 'kept-back';
  switch (whose) {
    case 'yours':
      return textOf(failureGroup).fix(target);
    case 'theirs':
      return [
        `Change nothing on your side. If the failure continues, inform ${who}: the reports name a contact.`,
      ];
    case 'path':
      return [
        `Change nothing: ${deferred ? 'the policy works, and senders defer the mail, so no attacker reads it' : 'but note that no policy deferred this mail'}.`,
        'If several servers share this address, make sure that each of them offers STARTTLS.',
        `Check the host from another network: hermetic check ${target.domain} --transcript`,
        `Inform ${who} which of its networks are affected${failureGroup.networks.length > 0 ? `: ${failureGroup.networks.slice(0, 3).join(', ')}` : ''}.`,
        ...(deferred
          ? []
          : [
              'Publish DANE or MTA-STS in mode enforce: senders then defer such mail, and no attacker reads it.',
            ]),
      ];
    case 'unclear':
      return [
        `Check the domain now: hermetic check ${target.domain}`,
        'If the check finds no fault, wait for the next reports: a second reporter decides the cause.',
      ];
  }
}

function targetOf({ mx }: FailureGroup, { domain, checks }: ReportedFacts): FailureTarget {
  const isOwn = mx !== '' && checkedHosts(checks)?.has(mx) === true;
  return { domain: domain === '' ? 'YOUR-DOMAIN' : domain, host: isOwn ? mx : undefined };
}

/** Returns the certificate of the host in the check nearest in time to the failure. */
function certificateOf(
  { mx, ips, firstDay, lastDay }: FailureGroup,
  { checks }: ReportedFacts,
): Explanation['certificate'] {
  const middle = (firstDay + lastDay) / 2;
  const [nearest] = [...checks].sort(
    (left, right) => Math.abs(dayOfCheck(left) - middle) - Math.abs(dayOfCheck(right) - middle),
  );
  const addresses = nearest?.hosts.find((host) => host.name === mx)?.addresses ?? [];
  const at = addresses.find((address) => ips.includes(address.ip)) ?? addresses[0];
  const found: MailCertificate | undefined = at?.certificates[0];
  if (!nearest || !found) return undefined;
  const { names, notBefore, notAfter, spkiSha256 } = found;
  return { names, notBefore, notAfter, spkiSha256, seen: nearest.checkedAt };
}

/** Returns the sentence about a departure of a reporter from RFC 8460. */
export function explainNote(code: string): string {
  return reportQuirks.find(code)?.message ?? '';
}
