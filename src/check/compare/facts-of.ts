import type { CheckResult, MailAddress, MailCertificate, MailHost } from '../../evidence/index.js';
import { attacks, senders, type Attack, type DeliveryResult } from '../../tls-policy/index.js';
import { attackNames, senderNames, versionName } from '../render/words.js';

/** One comparable fact of a result. */
export interface Fact {
  readonly subject: string;
  readonly what: string;
  readonly value: string;
  /**
   * Higher is better; `unknown` was not determined; undefined is neither good nor bad.
   */
  readonly worth?: number | 'unknown';
  /** Observed inside TLS: compared only if both results have a TLS session. */
  readonly inside?: true;
  /** Compared only where both results have it. */
  readonly common?: true;
}

const ROOT_STORES = 'root stores of this program';

type Worths = Readonly<Record<string, number | 'unknown'>>;

const verdicts: Worths = { pass: 3, warn: 2, fail: 0, inconclusive: 'unknown' };
const severities: Worths = { good: 3, info: 2, warn: 1, fail: 0 };
const dnssec: Worths = { secure: 2, insecure: 1, bogus: 0, indeterminate: 'unknown' };
const tlsaRecord: Worths = {
  usable: 2,
  unusable: 1,
  absent: 1,
  insecure: 1,
  bogus: 0,
  tempfail: 0,
};
const statuses: Worths = {
  reachable: 1,
  unreachable: 0,
  inconclusive: 'unknown',
  skipped: 'unknown',
};
const starttls: Worths = { offered: 1, absent: 0, mangled: 0, refused: 0, unknown: 'unknown' };
const policies: Worths = {
  enforce: 3,
  testing: 2,
  none: 1,
  absent: 1,
  invalid: 0,
  tempfail: 'unknown',
};
const reports: Worths = { found: 2, absent: 1, invalid: 0, tempfail: 'unknown' };
const accepted: Worths = { accepted: 1, refused: 0, unknown: 'unknown' };
const refused: Worths = { accepted: 0, refused: 1, unknown: 'unknown' };
const certificateWorths: Worths = {
  trusted: 1,
  valid: 1,
  match: 1,
  unknown: 'unknown',
  unverifiable: 'unknown',
};
/**
 * Without an attack a deferred mail is a loss; under attack deferral is the protection.
 */
const today: Worths = {
  verified: 3,
  unverified: 2,
  cleartext: 1,
  deferred: 1,
  'to-attacker': 0,
  unknown: 'unknown',
};
const attacked: Worths = {
  verified: 3,
  deferred: 3,
  unverified: 2,
  cleartext: 0,
  'to-attacker': 0,
  unknown: 'unknown',
};

/** Returns every comparable fact of a result, most important first. */
export function factsOf(result: CheckResult): readonly Fact[] {
  const { domain, exposure, route, mtaSts, tlsRpt, findings } = result;
  const of = factor(domain);
  return [
    of('verdict', result.verdict, verdicts),
    ...storeFacts(result),
    ...senders.flatMap((sender) =>
      attacks.map((attack) => mailFact(of, attack, exposure[sender][attack], senderNames[sender])),
    ),
    ...findings.map((finding) => factor(finding.subject)(finding.id, finding.severity, severities)),
    of('route', route.kind),
    of('DNSSEC of the MX record', route.dnssec, dnssec),
    of('MTA-STS', mtaSts.mode ?? mtaSts.status, policies),
    of('MTA-STS id', mtaSts.id),
    of('MTA-STS max_age', mtaSts.maxAge?.toString()),
    of('MTA-STS mx', mtaSts.mx?.join(', ')),
    of('TLS-RPT', tlsRpt.status, reports),
    of('TLS-RPT rua', tlsRpt.rua.join(', ')),
    ...result.hosts.flatMap((host) => hostFacts(host, result.depth === 'inventory')),
  ].filter((fact) => fact.value !== '');
}

type Factor = (what: string, value: string | undefined, worths?: Worths) => Fact;

function factor(subject: string): Factor {
  return (what, value = '', worths = {}) => {
    const worth = worths[value];
    return { subject, what, value, worth };
  };
}

function mailFact(of: Factor, attack: Attack, outcome: DeliveryResult, sender: string): Fact {
  const when = attack === 'none' ? 'today' : `under "${attackNames[attack]}"`;
  return of(`mail ${when}, sender: ${sender}`, outcome, attack === 'none' ? today : attacked);
}

function hostFacts(host: MailHost, whole: boolean): readonly Fact[] {
  const of = factor(host.name);
  return [
    of('preference', String(host.preference)),
    of('DNSSEC', host.dnssec, dnssec),
    of('TLSA', host.tlsa.status, tlsaRecord),
    of('TLSA records', [...host.tlsa.records].sort().join(', ')),
    of('in the MTA-STS policy', host.mtaStsMatch, { match: 1, mismatch: 0 }),
    ...host.addresses.flatMap((address) =>
      addressFacts(`${host.name} [${address.ip}]`, address, whole),
    ),
  ];
}

/**
 * Suites and groups are compared between inventories only: at a lesser depth they are a
 * sample.
 */
function addressFacts(
  subject: string,
  { status, starttls: offer, tls, certificates }: MailAddress,
  whole: boolean,
): readonly Fact[] {
  const of = factor(subject);
  const versions = Object.entries(tls.versions).map(([version, settled]) =>
    of(
      versionName(version),
      settled,
      version === 'TLSv1.2' || version === 'TLSv1.3' ? accepted : refused,
    ),
  );
  const surface = [
    ...tls.suites.map(({ version, name }) => of(`${versionName(version)} ${name}`, 'accepted')),
    ...tls.groups.map((group) => of(`group ${group}`, 'accepted')),
  ];
  const inside = [
    ...versions,
    ...(whole ? surface : []),
    ...certificates.flatMap((certificate) => certificateFacts(of, certificate)),
  ];
  const sealed = status === 'reachable' && offer === 'offered';
  return [
    of('address', status, statuses),
    of('STARTTLS', offer, starttls),
    ...(sealed ? inside.map((fact) => ({ ...fact, inside: true as const })) : []),
  ];
}

function certificateFacts(of: Factor, mailCertificate: MailCertificate): readonly Fact[] {
  const about = (what: string, value: string, worths?: Worths): Fact =>
    of(`${mailCertificate.keyAlgorithm} certificate: ${what}`, value, worths);
  const judged = (value: string): Worths => ({ [value]: 0, ...certificateWorths });
  return [
    about('key', mailCertificate.spkiSha256),
    about('until', mailCertificate.notAfter),
    about('chain', mailCertificate.chain, judged(mailCertificate.chain)),
    about('date', mailCertificate.validity, judged(mailCertificate.validity)),
    about('name', mailCertificate.nameMatch, judged(mailCertificate.nameMatch)),
    ...(mailCertificate.dane === 'not-applicable'
      ? []
      : [about('DANE', mailCertificate.dane, judged(mailCertificate.dane))]),
  ];
}

/**
 * The root stores of a result: with another store, a chain that did not change can be
 * judged otherwise. A result without recorded stores has no such fact.
 */
function storeFacts({ domain, provenance }: CheckResult): readonly Fact[] {
  const { trustStores } = provenance ?? {};
  if (!trustStores) return [];
  const value = trustStores
    .map(({ name, version, sha256 }) => `${version ?? name} (SHA-256 ${sha256.slice(0, 16)})`)
    .join('; ');
  return [{ subject: domain, what: ROOT_STORES, value, common: true }];
}
