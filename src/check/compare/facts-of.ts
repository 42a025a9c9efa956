import type { CheckResult, MailAddress, MailCertificate, MailHost } from '../../evidence/index.js';
import { attacks, senders, type Attack, type DeliveryResult } from '../../tls-policy/index.js';
import { attackNames, senderNames, versionName } from '../render/words.js';

/** One fact of a result that can be compared with the same fact of another result. */
export interface ComparableFact {
  /** The domain, a host, or an address of a host. */
  readonly subject: string;
  /** The name of the fact. Subject and name together identify the fact. */
  readonly what: string;
  /** The value as printed. Two facts are equal if their values are equal. */
  readonly value: string;
  /**
   * The rank of the value; a higher rank is better. `unknown` if the check could not
   * determine the value; undefined if no value is better than another.
   */
  readonly worth?: number | 'unknown';
  /**
   * True for a fact observed inside TLS. Such a fact is compared only if both results
   * have a session: otherwise a blocked port would appear as many changes.
   */
  readonly inside?: true;
  /**
   * True for a fact that is compared only if both results have it, such as a field that
   * older versions did not record.
   */
  readonly common?: true;
}

/** The name of the fact on root stores. */
const ROOT_STORES = 'root stores of this program';

/** The rank of each value of a fact. */
type Worths = Readonly<Record<string, number | 'unknown'>>;

/**
 * Ranks compare values of one fact only. Unknown values have no rank, so a check with
 * fewer observations is never reported as a decline of the domain.
 */
const verdicts: Worths = { pass: 3, warn: 2, fail: 0, inconclusive: 'unknown' };
const severities: Worths = { good: 3, info: 2, warn: 1, fail: 0 };
const dnssec: Worths = { secure: 2, insecure: 1, bogus: 0, indeterminate: 'unknown' };
/**
 * Records without effect rank like absent records, since neither makes a sender require
 * TLS.
 */
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
/** The ranks of a version that should be accepted. */
const accepted: Worths = { accepted: 1, refused: 0, unknown: 'unknown' };
/** The ranks of a version that should be refused. */
const refused: Worths = { accepted: 0, refused: 1, unknown: 'unknown' };
/**
 * The ranks of good and unknown judgements of a certificate; every other value ranks 0.
 */
const certificateWorths: Worths = {
  trusted: 1,
  valid: 1,
  match: 1,
  unknown: 'unknown',
  unverifiable: 'unknown',
};

/**
 * Outcomes without an attack: a deferred message is as bad as one delivered in plaintext.
 */
const today: Worths = {
  verified: 3,
  unverified: 2,
  cleartext: 1,
  deferred: 1,
  'to-attacker': 0,
  unknown: 'unknown',
};

/**
 * Outcomes under attack: a deferred message is protected, so it ranks like one that was
 * delivered to a verified server.
 */
const attacked: Worths = {
  verified: 3,
  deferred: 3,
  unverified: 2,
  cleartext: 0,
  'to-attacker': 0,
  unknown: 'unknown',
};

/**
 * Returns every fact of a result that can be compared, the most significant first. Facts
 * without a value are omitted.
 */
export function comparableFactsOf(checkResult: CheckResult): readonly ComparableFact[] {
  const { domain, exposure, route, mtaSts, tlsRpt, findings } = checkResult;
  const fact = factor(domain);
  return [
    fact('verdict', checkResult.verdict, verdicts),
    ...storeFacts(checkResult),
    ...senders.flatMap((sender) =>
      attacks.map((attack) =>
        mailFact(fact, attack, exposure[sender][attack], senderNames[sender]),
      ),
    ),
    ...findings.map((finding) => factor(finding.subject)(finding.id, finding.severity, severities)),
    fact('route', route.kind),
    fact('DNSSEC of the MX record', route.dnssec, dnssec),
    fact('MTA-STS', mtaSts.mode ?? mtaSts.status, policies),
    fact('MTA-STS id', mtaSts.id),
    fact('MTA-STS max_age', mtaSts.maxAge?.toString()),
    fact('MTA-STS mx', mtaSts.mx?.join(', ')),
    fact('TLS-RPT', tlsRpt.status, reports),
    fact('TLS-RPT rua', tlsRpt.rua.join(', ')),
    ...checkResult.hosts.flatMap((mailHost) =>
      hostFacts(mailHost, checkResult.depth === 'inventory'),
    ),
  ].filter((fact) => fact.value !== '');
}

/** A function that makes facts on one subject. */
type Factor = (what: string, value: string | undefined, worths?: Worths) => ComparableFact;

/** Returns a function that makes facts on the subject. */
function factor(subject: string): Factor {
  return (what, value = '', worths = {}) => {
    const worth = worths[value];
    return { subject, what, value, worth };
  };
}

/** Returns one cell of the exposure table as a fact. */
function mailFact(
  fact: Factor,
  attack: Attack,
  outcome: DeliveryResult,
  sender: string,
): ComparableFact {
  const when = attack === 'none' ? 'today' : `under "${attackNames[attack]}"`;
  return fact(`mail ${when}, sender: ${sender}`, outcome, attack === 'none' ? today : attacked);
}

/**
 * Returns the facts on one MX host. Records are sorted, since DNS answers have no order.
 */
function hostFacts(mailHost: MailHost, whole: boolean): readonly ComparableFact[] {
  const fact = factor(mailHost.name);
  return [
    fact('preference', String(mailHost.preference)),
    fact('DNSSEC', mailHost.dnssec, dnssec),
    fact('TLSA', mailHost.tlsa.status, tlsaRecord),
    fact('TLSA records', [...mailHost.tlsa.records].sort().join(', ')),
    fact('in the MTA-STS policy', mailHost.mtaStsMatch, { match: 1, mismatch: 0 }),
    ...mailHost.addresses.flatMap((address) =>
      addressFacts(`${mailHost.name} [${address.ip}]`, address, whole),
    ),
  ];
}

/**
 * Returns the facts on one address. Suites and groups are compared between inventories
 * only: at a lesser depth they are a sample that differs from run to run.
 */
function addressFacts(
  subject: string,
  { status, starttls: offer, tls, certificates }: MailAddress,
  whole: boolean,
): readonly ComparableFact[] {
  const fact = factor(subject);
  const versions = Object.entries(tls.versions).map(([version, settled]) =>
    fact(
      versionName(version),
      settled,
      version === 'TLSv1.2' || version === 'TLSv1.3' ? accepted : refused,
    ),
  );
  const surface = [
    ...tls.suites.map(({ version, name }) => fact(`${versionName(version)} ${name}`, 'accepted')),
    ...tls.groups.map((groupName) => fact(`group ${groupName}`, 'accepted')),
  ];
  const inside = [
    ...versions,
    ...(whole ? surface : []),
    ...certificates.flatMap((certificate) => certificateFacts(fact, certificate)),
  ];
  const sealed = status === 'reachable' && offer === 'offered';
  return [
    fact('address', status, statuses),
    fact('STARTTLS', offer, starttls),
    ...(sealed ? inside.map((fact) => ({ ...fact, inside: true as const })) : []),
  ];
}

/**
 * Returns the facts on one certificate, named by its key algorithm: a server may have one
 * certificate of each algorithm, in no stable order.
 */
function certificateFacts(
  fact: Factor,
  mailCertificate: MailCertificate,
): readonly ComparableFact[] {
  const about = (what: string, value: string, worths?: Worths): ComparableFact =>
    fact(`${mailCertificate.keyAlgorithm} certificate: ${what}`, value, worths);
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
 * Returns the root stores of a result: with another store, a chain that did not change
 * can be judged differently. A result without recorded root stores has no fact on them.
 */
function storeFacts({ domain, provenance }: CheckResult): readonly ComparableFact[] {
  const { trustStores } = provenance ?? {};
  if (!trustStores) return [];
  const value = trustStores
    .map(({ name, version, sha256 }) => `${version ?? name} (SHA-256 ${sha256.slice(0, 16)})`)
    .join('; ');
  return [{ subject: domain, what: ROOT_STORES, value, common: true }];
}
