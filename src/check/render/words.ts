import type {
  Finding,
  FixStep,
  MailAddress,
  Severity,
  TlsVersion,
  Verdict,
} from '../../evidence/index.js';
import type { Attack, DeliveryResult, SenderClass } from '../../tls-policy/index.js';

/** How good or bad something is, for colour; never the only sign of it. */
export type Tone = 'good' | 'fair' | 'bad' | 'quiet';

export const senderNames: Readonly<Record<SenderClass, string>> = {
  opportunistic: 'checks nothing',
  mtaStsFirst: 'MTA-STS, first mail',
  mtaStsCached: 'MTA-STS, policy kept',
  dane: 'DANE',
  bothFirst: 'both, first mail',
  bothCached: 'both, policy kept',
};

export const attackNames: Readonly<Record<Attack, string>> = {
  none: 'today',
  stripStarttls: 'strip TLS',
  swapCertificate: 'false cert',
  spoofMx: 'forged DNS',
  suppress: 'block all',
};

/** What the attacker on the path does in each column. */
export const attackDeeds: Readonly<Record<Attack, string>> = {
  none: 'nobody interferes',
  stripStarttls: 'removes STARTTLS from the answer of the server',
  swapCertificate:
    'answers in the place of the server, with a certificate that no public CA issued for its name',
  spoofMx: 'forges every DNS answer that is not signed',
  suppress: 'removes STARTTLS and blocks policy, TLSA and TXT lookups',
};

export const outcomeWords: Readonly<
  Record<DeliveryResult, { readonly word: string; readonly tone: Tone; readonly means: string }>
> = {
  verified: {
    word: 'verified',
    tone: 'good',
    means: 'encrypted, and delivered to the right server only',
  },
  unverified: { word: 'unverified', tone: 'fair', means: 'encrypted, but to whoever answers' },
  cleartext: {
    word: 'CLEAR TEXT',
    tone: 'bad',
    means: 'sent in clear: everybody on the path reads it',
  },
  'to-attacker': { word: 'ATTACKER', tone: 'bad', means: 'delivered to the attacker' },
  deferred: {
    word: 'waits',
    tone: 'quiet',
    means: "stays in the sender's queue and finally bounces; nobody reads it",
  },
  'not-applicable': { word: '-', tone: 'quiet', means: 'there is no mail to protect' },
  unknown: { word: '?', tone: 'fair', means: 'could not be told from here' },
};

export const verdictTones: Readonly<Record<Verdict, Tone>> = {
  pass: 'good',
  warn: 'fair',
  fail: 'bad',
  inconclusive: 'fair',
  'not-applicable': 'quiet',
};

export const severityTones: Readonly<Record<Severity, Tone>> = {
  fail: 'bad',
  warn: 'fair',
  info: 'quiet',
  good: 'good',
};

export const ownerNames: Readonly<Record<Finding['owner'], string>> = {
  domain: 'the domain',
  'mail-host': 'the mail host',
  'dns-host': 'the DNS host',
  'own-network': 'this network',
};

export const stepNames: Readonly<Record<FixStep['kind'], string>> = {
  dns: 'DNS',
  config: 'configure',
  command: 'run',
  wait: 'wait',
  confirm: 'make sure',
};

/** Newest first. */
export const tlsVersions: readonly TlsVersion[] = [
  'TLSv1.3',
  'TLSv1.2',
  'TLSv1.1',
  'TLSv1',
  'SSLv3',
  'SSLv2',
];

/** `TLSv1` is TLS 1.0. */
export function versionName(version: string): string {
  return version
    .replace(/^TLSv1$/, 'TLS 1.0')
    .replace('TLSv', 'TLS ')
    .replace('SSLv', 'SSL ');
}

/**
 * Why an address is not what it should be: the server's own reply, else a failure code.
 */
export function because({ reason, reply }: Pick<MailAddress, 'reason' | 'reply'>): string {
  const code = reason === undefined ? '' : ` (${reason})`;
  return reply === undefined ? code : `${code}: "${reply}"`;
}

export function counted(n: number, thing: string): string {
  const plural = thing.endsWith('s') ? 'es' : 's';
  return `${n} ${thing}${n === 1 ? '' : plural}`;
}
