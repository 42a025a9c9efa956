import type { MailCertificate } from '../../evidence/index.js';
import { reportQuirks, resultTypes } from '../../tls-rpt/index.js';
import { dateOf, dayOfCheck, type DomainFacts } from './facts.js';
import type { FailureGroup } from './group-failures.js';
import { judgeFault, type Whose } from './judge-fault.js';
import { explainReason } from './reason-texts-registry.js';
import { resultTexts, unknownResult, type ResultText } from './result-texts-registry.js';

/** `kept-back`: not delivered, it waits at the sender and bounces in the end; `reported`: delivered all the same; `unprotected`: no policy asked for more. */
export type Fate = 'kept-back' | 'reported' | 'unprotected';

/** What a person needs to know of a group of failures. Dates are UTC days. */
export interface Explanation {
  readonly result: string;
  readonly policy: string;
  readonly policyDomain: string;
  readonly mode: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly sessions: number;
  readonly since: string;
  readonly last: string;
  /** Still failing on the last day that reports speak of. */
  readonly ongoing: boolean;
  readonly reporters: readonly string[];
  readonly networks: readonly string[];
  readonly says: string;
  /** Reasons as reported, with their meaning where it is known. */
  readonly reasons: readonly { readonly text: string; readonly means?: string }[];
  readonly fate: Fate;
  readonly whose: Whose;
  readonly because: string;
  /** What a check saw of the host's certificate, nearest to the failure. */
  readonly certificate?: {
    readonly names: readonly string[];
    readonly notBefore: string;
    readonly notAfter: string;
    readonly spkiSha256: string;
    readonly seen: string;
  };
  readonly todo: readonly string[];
}

/** Explains a group of failures by everything that is known. */
export function explainGroup(group: FailureGroup, facts: DomainFacts): Explanation {
  const text: ResultText =
    (resultTexts as Readonly<Record<string, ResultText>>)[group.result] ?? unknownResult;
  const { whose, because, finding } = judgeFault(group, text, facts);
  const certificate = certificateOf(group, facts);
  const lastReported = Math.max(...facts.days.map((d) => d.day));
  return {
    result: group.result,
    policy: group.type,
    policyDomain: group.domain,
    mode: group.mode,
    host: group.mx,
    addresses: group.ips,
    sessions: group.sessions,
    since: dateOf(group.firstDay),
    last: dateOf(group.lastDay),
    ongoing: group.lastDay >= lastReported,
    reporters: group.reporters,
    networks: group.networks,
    says: text.says(group),
    reasons: group.reasons.map((reason) => {
      const means = explainReason(reason);
      return { text: reason, ...(means === undefined ? {} : { means }) };
    }),
    fate: fateOf(group),
    whose,
    because,
    ...(certificate ? { certificate } : {}),
    todo:
      finding && finding.steps.length > 0
        ? [finding.fix, ...finding.steps.map((s) => s.text)]
        : todoFor(whose, group, text, because),
  };
}

function fateOf({ type, mode }: FailureGroup): Fate {
  if (type === 'tlsa' || mode === 'enforce') return 'kept-back';
  return type === 'sts' && mode === 'testing' ? 'reported' : 'unprotected';
}

function todoFor(
  whose: Whose,
  group: FailureGroup,
  text: ResultText,
  because: string,
): readonly string[] {
  const who = group.reporters.join(' and ');
  switch (whose) {
    case 'yours':
      return /does not name/.test(because)
        ? [
            `Add the line "mx: ${group.mx}" to the MTA-STS policy at https://mta-sts.${group.domain}/.well-known/mta-sts.txt.`,
            `Then change the id in the TXT record at _mta-sts.${group.domain}, so that senders fetch the policy anew.`,
            'Keep the mode as it is.',
          ]
        : text.fix(group);
    case 'theirs':
      return [`Nothing on your side. If it lasts, tell ${who}: the contact stands in its reports.`];
    case 'path':
      return [
        `Change nothing: ${fateOf(group) === 'kept-back' ? 'the policy does its work, and the mail waits rather than be read' : 'but note that no policy kept this mail back'}.`,
        `Look at ${group.mx} from another network: hermetic check ${group.domain} --transcript`,
        `Tell ${who} which of its networks are concerned${group.networks.length > 0 ? `: ${group.networks.slice(0, 3).join(', ')}` : ''}.`,
        ...(fateOf(group) === 'kept-back'
          ? []
          : [
              'With MTA-STS in mode enforce, or DANE, such mail would wait in the place of being read.',
            ]),
      ];
    case 'unclear':
      return [
        `Check the domain now: hermetic check ${group.domain}`,
        'If it finds nothing, wait for the next reports: a second reporter tells.',
      ];
  }
}

/** The certificate as the check nearest to the failure saw it. */
function certificateOf(
  { mx, ips, firstDay, lastDay }: FailureGroup,
  { checks }: DomainFacts,
): Explanation['certificate'] {
  const middle = (firstDay + lastDay) / 2;
  const [nearest] = [...checks].sort(
    (a, b) => Math.abs(dayOfCheck(a) - middle) - Math.abs(dayOfCheck(b) - middle),
  );
  const addresses = nearest?.hosts.find((h) => h.name === mx)?.addresses ?? [];
  const at = addresses.find((a) => ips.includes(a.ip)) ?? addresses[0];
  const found: MailCertificate | undefined = at?.certificates[0];
  if (!nearest || !found) return undefined;
  const { names, notBefore, notAfter, spkiSha256 } = found;
  return { names, notBefore, notAfter, spkiSha256, seen: nearest.checkedAt };
}

/** Result types in the order of RFC 8460 §4.3, for tables. */
export const knownResults: readonly string[] = resultTypes;

/** What a departure of a reporter means. */
export function explainNote(code: string): string {
  return (reportQuirks.entries as Readonly<Record<string, { says: string }>>)[code]?.says ?? '';
}
