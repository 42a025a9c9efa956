import { countOf } from '../../base/index.js';
import type { CheckResult, MailAddress } from '../../evidence/index.js';
import type { Attack, DeliveryResult, SenderClass } from '../../tls-policy/index.js';
import { whyUnclear } from '../findings/views.js';
import { senderNames } from './words.js';

/** Every attack of the exposure table. */
const hostile: readonly Attack[] = ['stripStarttls', 'swapCertificate', 'spoofMx', 'suppress'];

/**
 * Groups of senders that a sentence names together, each with its rows of the exposure
 * table.
 */
const groups = {
  plain: ['opportunistic'],
  dane: ['dane'],
  sts: ['mtaStsFirst', 'mtaStsCached'],
  both: ['bothFirst', 'bothCached'],
} as const satisfies Record<string, readonly SenderClass[]>;
/** The name of a group of senders. */
type Group = keyof typeof groups;
/** Every group, in the order in which a sentence names them. */
const all = Object.keys(groups) as readonly Group[];

/**
 * Outcomes of mail today, worst first. Plaintext is worse than a deferred message: the
 * sender of a deferred message is informed by a bounce, but no party notices a copied
 * message.
 */
const worstFirst: readonly DeliveryResult[] = [
  'cleartext',
  'to-attacker',
  'deferred',
  'unknown',
  'unverified',
  'verified',
];

/** The outcome as a predicate of "mail". */
const happens: Readonly<Record<DeliveryResult, string>> = {
  cleartext: 'travels in plaintext',
  'to-attacker': 'is delivered to an attacker',
  deferred: 'is deferred and finally bounces',
  unknown: 'could not be determined from here',
  unverified: 'travels encrypted but unverified',
  verified: 'travels encrypted and verified',
  'not-applicable': 'is not expected',
};

/**
 * States the outcome of this domain's mail today, the reason for a failed or inconclusive
 * check, and the effect of an attack. The first sentence names the worst outcome of any
 * sender, host and address.
 */
export function headline(checkResult: CheckResult): string {
  return headlineParts(checkResult).join(' ');
}

/**
 * Returns the headline as separate paragraphs: mail today, the reason of a FAIL, mail
 * under attack. Empty parts are omitted.
 */
export function headlineParts(checkResult: CheckResult): readonly string[] {
  const { route, findings } = checkResult;
  const nonexistent = findings.find((finding) => finding.id === 'domain-nonexistent');
  if (nonexistent) return [`${nonexistent.title}.`];
  if (route.kind === 'null-mx') return ['This domain declares that it accepts no mail.'];
  if (route.kind === 'none')
    return ['This domain has no mail host: mail to it bounces immediately.'];
  return [today(checkResult), reason(checkResult), attacked(checkResult)].filter(
    (sentence) => sentence !== '',
  );
}

/** Returns the outcome of a group: the worst outcome of its rows. */
function outcomeOf({ exposure }: CheckResult, group: Group): DeliveryResult {
  const found = groups[group].map((sender) => exposure[sender].none);
  return worstFirst.find((outcome) => found.includes(outcome)) ?? 'not-applicable';
}

/**
 * Returns the paragraph on mail without an attack. The paragraph names addresses without
 * working TLS first, since mail that is partly in plaintext is the worst case of a domain
 * that looks protected.
 */
function today(checkResult: CheckResult): string {
  const groupsWith = (outcome: DeliveryResult): readonly Group[] =>
    all.filter((group) => outcomeOf(checkResult, group) === outcome);
  const met = worstFirst.filter((outcome) => groupsWith(outcome).length > 0);
  const minority = met.includes('cleartext') ? unevenTls(checkResult) : undefined;
  if (minority !== undefined) {
    const rest = met.filter((outcome) => outcome !== 'cleartext');
    const others = rest.map(
      (outcome) => `mail from ${named(groupsWith(outcome))} ${happens[outcome]}`,
    );
    return `${minority}${others.length > 0 ? `; ${others.join('; ')}` : ''}.`;
  }
  if (met.length > 1) {
    if (met.every((outcome) => outcome === 'verified' || outcome === 'unverified'))
      return `Today all mail travels encrypted, and ${named(groupsWith('verified'))} verify the server.`;
    const parts = met.map((outcome) => `${named(groupsWith(outcome))} ${happens[outcome]}`);
    return `Today mail from ${parts.join('; mail from ')}.`;
  }
  switch (met[0]) {
    case 'cleartext':
      return 'Today mail travels in plaintext.';
    case 'deferred':
      return 'Today no mail is delivered: it is deferred and finally bounces.';
    case 'unverified':
      return 'Today mail travels encrypted, but no sender verifies the server.';
    case 'unknown':
    case undefined:
      return unclear(checkResult);
    default:
      return `Today mail ${happens[met[0]]}.`;
  }
}

/**
 * Returns a phrase with the number of reached addresses that leave part of the mail in
 * plaintext. Undefined if no address leaves mail in plaintext, or every address leaves
 * all mail in plaintext.
 */
function unevenTls({ hosts }: CheckResult): string | undefined {
  const reached = hosts.flatMap((mailHost) =>
    mailHost.addresses.filter((address) => address.status === 'reachable'),
  );
  const open = reached.filter((address) => address.exposure?.opportunistic.none === 'cleartext');
  const atTimes = open.filter(({ certificates }) => certificates.length > 0);
  const of = `${open.length} of ${countOf(reached.length, 'address')}`;
  const verb = open.length === 1 ? 'offers' : 'offer';
  const effect = 'part of the mail travels in plaintext';
  if (open.length > 0 && atTimes.length === open.length)
    return `${of} ${verb} working TLS on some connections only: ${effect}`;
  if (open.length === 0 || open.length === reached.length) return undefined;
  const fault = open.every(({ starttls }) => isMissing(starttls))
    ? 'no STARTTLS'
    : 'no working TLS';
  return `${of} ${verb} ${fault}: ${effect}`;
}

const isMissing = (starttls: MailAddress['starttls']): boolean =>
  ['absent', 'mangled', 'refused'].includes(starttls);

/** States that the outcome is unknown, with the cause if one finding explains it. */
function unclear(checkResult: CheckResult): string {
  const why = whyUnclear(checkResult);
  // The list of hosts already explains a server without an answer.
  const because =
    why && why.id !== 'mx-inconclusive'
      ? `: ${why.title.charAt(0).toLowerCase()}${why.title.slice(1)}`
      : '';
  return `The outcome of mail today could not be determined from here${because}.`;
}

/** Returns the reason for a FAIL: the worst finding, and the number of further ones. */
function reason({ verdict, findings }: CheckResult): string {
  if (verdict !== 'fail') return '';
  const failed = findings.filter((finding) => finding.severity === 'fail');
  const [worst] = failed;
  if (!worst) return '';
  const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
  const subject = worst.title.includes(worst.subject) ? '' : ` (${worst.subject})`;
  return `Reason for FAIL: ${worst.title}${subject}${more}.`;
}

/**
 * Describes mail under attack, from the exposure of every class of sender. The paragraph
 * makes no claim about a sender with an unknown outcome.
 */
function attacked({ exposure }: CheckResult): string {
  const every = Object.keys(senderNames) as SenderClass[];
  const held = every.filter((sender) =>
    hostile.every((attack) => exposure[sender][attack] === 'deferred'),
  );
  const lost = every.filter((sender) =>
    hostile.some((attack) => ['cleartext', 'to-attacker'].includes(exposure[sender][attack])),
  );
  if (lost.length === every.length) return 'An on-path attacker can read the mail of every sender.';
  const isOpen = held.length + lost.length < every.length;
  if (held.length > 0 && lost.length > 0 && isOpen)
    return `Attacks on mail from ${protectedNames(held)} are defeated. An on-path attacker can read mail of unprotected senders; for other senders it could not be determined.`;
  if (held.length > 0 && lost.length > 0) {
    const first = lost.includes('mtaStsFirst') && held.includes('mtaStsCached');
    const firstMail = first ? ' and the first message of senders with MTA-STS' : '';
    return `Attacks on mail from ${protectedNames(held)} are defeated. An on-path attacker can read mail of other senders${firstMail}.`;
  }
  if (lost.length > 0)
    return `An on-path attacker can read mail of ${lost.length === 1 ? 'senders without DANE or MTA-STS' : 'unprotected senders'}; for other senders it could not be determined.`;
  return held.length === every.length
    ? 'Every attack is defeated: the mail is deferred.'
    : 'The effect of an attack could not be determined.';
}

/**
 * Returns the protected senders in words. The caller mentions the first message of an
 * MTA-STS sender, since no cached policy protects it.
 */
function protectedNames(senders: readonly SenderClass[]): string {
  const sts = senders.includes('mtaStsCached');
  const both = senders.includes('bothCached');
  return named([
    ...(senders.includes('dane') ? (['dane'] as const) : []),
    ...(sts ? (['sts'] as const) : []),
    ...(both ? (['both'] as const) : []),
  ]);
}

/** Returns the groups in words, without a claim about any other group. */
function named(members: readonly Group[]): string {
  const [plain, dane, sts, both] = all.map((group) => members.includes(group));
  if (plain) {
    if (dane) return sts ? 'most senders' : 'senders without MTA-STS';
    if (sts) return 'senders without DANE';
    return both
      ? 'senders without DANE or MTA-STS, or with both,'
      : 'senders without DANE or MTA-STS';
  }
  if (dane && sts) return 'senders with DANE or MTA-STS';
  const alone = both ? '' : ' alone';
  if (dane) return `senders with DANE${alone}`;
  if (sts) return `senders with MTA-STS${alone}`;
  return 'senders with both DANE and MTA-STS';
}
