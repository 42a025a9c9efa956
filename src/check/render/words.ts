import { countOf } from '../../base/index.js';
import type {
  Finding,
  FixStep,
  MailAddress,
  MailCertificate,
  Severity,
  TlsVersion,
  Verdict,
} from '../../evidence/index.js';
import type { Attack, DeliveryResult, SenderClass } from '../../tls-policy/index.js';
import type { Tone } from '../../page/index.js';

/** The classes of senders as rows of the exposure table. */
export const senderNames: Readonly<Record<SenderClass, string>> = {
  dane: 'Sender with DANE',
  mtaStsCached: 'Sender with MTA-STS, policy cached',
  mtaStsFirst: 'Sender with MTA-STS, policy not cached yet',
  bothCached: 'Sender with both, policy cached',
  bothFirst: 'Sender with both, policy not cached yet',
  opportunistic: 'Sender without DANE or MTA-STS',
};

/**
 * The rows of senders that the domain's settings protect, then the row that no setting
 * can protect.
 */
export const senderRows: Readonly<Record<'protected' | 'outside', readonly SenderClass[]>> = {
  protected: ['dane', 'mtaStsCached', 'mtaStsFirst', 'bothCached', 'bothFirst'],
  outside: ['opportunistic'],
};

/** The attacks as columns of the exposure table. */
export const attackNames: Readonly<Record<Attack, string>> = {
  none: 'No attack',
  stripStarttls: 'TLS stripped',
  swapCertificate: 'Fake certificate',
  spoofMx: 'Forged DNS',
  suppress: 'DNS and HTTPS blocked',
};

/** The action of the on-path attacker in each column, as a predicate. */
export const attackDeeds: Readonly<Record<Attack, string>> = {
  none: 'does nothing',
  stripStarttls: "removes STARTTLS from the server's reply",
  swapCertificate:
    'answers as the server, with a certificate that no public CA issued for its name',
  spoofMx: 'forges every DNS answer that is not signed',
  suppress: 'removes STARTTLS and blocks policy, TLSA and TXT lookups',
};

/**
 * One cell of the exposure table: the word that is printed, its tone, and the meaning for
 * the legend.
 */
export interface Cell {
  /** At most eleven characters: a cell is twelve columns wide. */
  readonly word: string;
  readonly tone: Tone;
  /** The meaning as a phrase, for the legend. */
  readonly means: string;
}

/**
 * The cell of each outcome. Colour is never the only sign: bad outcomes are also in
 * capitals.
 */
const outcomeCells: Readonly<Record<DeliveryResult, Cell>> = {
  verified: { word: 'verified', tone: 'good', means: 'encrypted, to the right server only' },
  unverified: {
    word: 'unverified',
    tone: 'fair',
    means: 'encrypted, but the sender does not verify the server',
  },
  cleartext: {
    word: 'PLAINTEXT',
    tone: 'bad',
    means: 'unencrypted: an on-path attacker reads the mail',
  },
  'to-attacker': { word: 'ATTACKER', tone: 'bad', means: 'delivered to the attacker' },
  deferred: {
    word: 'DEFERRED',
    tone: 'bad',
    means: 'not delivered: the sender retries and finally bounces the mail',
  },
  'not-applicable': { word: '-', tone: 'quiet', means: 'no mail to protect' },
  unknown: { word: '?', tone: 'fair', means: 'could not be determined from here' },
};

/**
 * Deferred mail under attack. The outcome is good: the sender queues the mail, and the
 * attacker cannot read it.
 */
const defeated: Cell = {
  word: 'defeated',
  tone: 'good',
  means: 'mail deferred: the sender retries, the attacker reads nothing',
};

/**
 * The outcomes of a domain with every protection. The sender causes the bad outcomes in
 * this table, and no setting of the domain changes a bad outcome.
 */
export const bestPossible: Readonly<Record<SenderClass, Readonly<Record<Attack, DeliveryResult>>>> =
  {
    opportunistic: row('unverified', 'cleartext', 'to-attacker', 'to-attacker', 'cleartext'),
    mtaStsFirst: row('verified', 'deferred', 'deferred', 'to-attacker', 'cleartext'),
    mtaStsCached: row('verified', 'deferred', 'deferred', 'deferred', 'deferred'),
    dane: row('verified', 'deferred', 'deferred', 'deferred', 'deferred'),
    bothFirst: row('verified', 'deferred', 'deferred', 'deferred', 'deferred'),
    bothCached: row('verified', 'deferred', 'deferred', 'deferred', 'deferred'),
  };

/** Names the outcomes of one row in the order of the columns. */
function row(...outcomes: readonly DeliveryResult[]): Record<Attack, DeliveryResult> {
  const [none, stripStarttls, swapCertificate, spoofMx, suppress] = outcomes;
  return { none, stripStarttls, swapCertificate, spoofMx, suppress } as Record<
    Attack,
    DeliveryResult
  >;
}

/**
 * Returns the cell of an outcome. A deferral is a failure without an attack, and a
 * success of the protection under an attack. An outcome that no setting of the domain
 * changes has the tone `quiet`, and is in brackets under an attack.
 */
export function cellOf(sender: SenderClass, attack: Attack, outcome: DeliveryResult): Cell {
  if (outcome === 'deferred' && attack !== 'none') return defeated;
  const cell = outcomeCells[outcome];
  const outside = attack !== 'none' && senderRows.outside.includes(sender);
  const unavoidable =
    cell.tone !== 'good' &&
    outcome !== 'unknown' &&
    (outside || outcome === bestPossible[sender][attack]);
  if (!unavoidable) return cell;
  const word = cell.word.toLowerCase();
  return { ...cell, word: attack === 'none' ? word : `(${word})`, tone: 'quiet' };
}

/** The tone of each verdict. An inconclusive result is as prominent as a warning. */
export const verdictTones: Readonly<Record<Verdict, Tone>> = {
  pass: 'good',
  warn: 'fair',
  fail: 'bad',
  inconclusive: 'fair',
  'not-applicable': 'quiet',
};

/** The printed name of each verdict, the same in every report. */
export const verdictNames: Readonly<Record<Verdict, string>> = {
  pass: 'PASS',
  warn: 'WARN',
  fail: 'FAIL',
  inconclusive: 'COULD NOT TELL',
  'not-applicable': 'NOT APPLICABLE',
};

/** Verdicts, the worst first. */
export const verdictOrder: readonly Verdict[] = [
  'fail',
  'inconclusive',
  'warn',
  'pass',
  'not-applicable',
];

/** The tone of each severity. */
export const severityTones: Readonly<Record<Severity, Tone>> = {
  fail: 'bad',
  warn: 'fair',
  info: 'quiet',
  good: 'good',
};

/** The party that can fix a finding. */
export const ownerNames: Readonly<Record<Finding['owner'], string>> = {
  domain: 'the domain',
  'mail-host': 'the mail host',
  'dns-host': 'the DNS host',
  'own-network': 'this network',
};

/** The label of a step, an imperative. */
export const stepNames: Readonly<Record<FixStep['kind'], string>> = {
  dns: 'DNS',
  config: 'Configure',
  command: 'Run',
  wait: 'Wait',
  confirm: 'Verify',
};

/** TLS versions, newest first: the order of every list in a report. */
export const tlsVersions: readonly TlsVersion[] = [
  'TLSv1.3',
  'TLSv1.2',
  'TLSv1.1',
  'TLSv1',
  'SSLv3',
  'SSLv2',
];

/** Returns the common name of a version; the label `TLSv1` means TLS 1.0. */
export function versionName(version: string): string {
  return version
    .replace(/^TLSv1$/, 'TLS 1.0')
    .replace('TLSv', 'TLS ')
    .replace('SSLv', 'SSL ');
}

/** Joins versions and writes their common prefix once: `TLS 1.3, 1.2`. */
export function versionList(versions: readonly string[]): string {
  return versions
    .map(versionName)
    .join(', ')
    .replace(/(?<=TLS.*), TLS/g, ',');
}

/**
 * Returns the reason for the state of an address, after a space: the server's own reply,
 * otherwise a failure code. The reply is text from the server, which the caller
 * neutralises.
 */
export function because({ reason, reply }: Pick<MailAddress, 'reason' | 'reply'>): string {
  const code = reason === undefined ? '' : ` (${reason})`;
  return reply === undefined ? code : `${code}: "${reply}"`;
}

/**
 * Returns a duration in the largest unit that is exact enough: `7 days`, `90 minutes`.
 */
export function duration(seconds: number): string {
  const days = Math.round(seconds / 8640) / 10;
  if (days >= 1) return countOf(days, 'day');
  if (seconds >= 3600) return countOf(Math.round(seconds / 3600), 'hour');
  return seconds >= 60 ? countOf(Math.round(seconds / 60), 'minute') : countOf(seconds, 'second');
}

/**
 * Returns the root of a trusted chain and the dates at which the trust ends; undefined
 * for other chains and in results of earlier versions.
 */
export function rootWords({ trustPath }: MailCertificate): string | undefined {
  if (!trustPath) return undefined;
  const { root, rootNotAfter, issuersNotAfter } = trustPath;
  const issuers =
    issuersNotAfter === undefined
      ? ''
      : `, its CA certificates until ${issuersNotAfter.slice(0, 10)}`;
  return `${root} until ${rootNotAfter.slice(0, 10)}${issuers}`;
}
