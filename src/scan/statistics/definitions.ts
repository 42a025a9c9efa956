import type { Exposure } from '../../tls-policy/index.js';
import { classIds, classRegistry } from '../classes/class-registry.js';
import type { DomainGrade } from '../grade/grade-domain.js';

/**
 * The answer of one domain to a statistic: `yes` counts in the number; `yes` and `no`
 * count in the total. `unknown` counts in neither, and is reported as a share. `outside`:
 * the statistic does not apply to the domain.
 */
export type StatisticAnswer = 'yes' | 'no' | 'unknown' | 'outside';

/** The pages of the statistics. */
export const statisticPages = [
  'overview',
  'starttls',
  'certificates',
  'mta-sts',
  'dane',
  'tls-rpt',
  'exposure',
  'classes',
] as const;
export type StatisticPage = (typeof statisticPages)[number];

/**
 * The definition of one statistic: the property that it counts, and the domains it is a
 * share of.
 */
export interface StatisticDefinition {
  /** Stable. */
  readonly id: string;
  readonly page: StatisticPage;
  /** The property, as the end of "domains ...". */
  readonly says: string;
  /**
   * The domains among which the property is counted, as the end of "of the domains ...".
   */
  readonly of: string;
  answer(grade: DomainGrade): StatisticAnswer;
}

const WITH_MAIL = 'that accept mail';

/**
 * Returns a function that answers for domains that accept mail, `unknown` if the route is
 * unknown, and `outside` for other domains.
 */
function ofMail(
  answer: (grade: DomainGrade) => StatisticAnswer,
): (grade: DomainGrade) => StatisticAnswer {
  return (grade) => {
    const { mail } = grade.measures;
    if (mail === 'no') return 'outside';
    return mail === 'unknown' ? 'unknown' : answer(grade);
  };
}

const yesIf = (isYes: boolean): StatisticAnswer => (isYes ? 'yes' : 'no');

/** Returns a function that answers `yes` for some values of a measure. */
function byValue<K extends 'starttls' | 'certificates' | 'mtaSts' | 'dane' | 'tlsRpt' | 'signed'>(
  measure: K,
  ...values: readonly DomainGrade['measures'][K][]
): (grade: DomainGrade) => StatisticAnswer {
  return ofMail(({ measures }) => {
    const value = measures[measure];
    if (value === 'unknown') return 'unknown';
    return value === 'not-applicable' ? 'outside' : yesIf(values.includes(value));
  });
}

const stsModes = ['enforce', 'testing', 'none'] as const;
const stsRecords = [...stsModes, 'invalid', 'unobtainable'] as const;
const tlsaStates = ['protected', 'partial', 'mismatch', 'unusable', 'inert'] as const;

/** Defines a statistic of the domains with any MTA-STS record. */
function ofSts(...values: readonly (typeof stsRecords)[number][]) {
  return ofMail(({ measures: { mtaSts } }) => {
    if (mtaSts === 'absent') return 'outside';
    return mtaSts === 'unknown' ? 'unknown' : yesIf(values.includes(mtaSts));
  });
}

/** Defines a statistic of the domains with any TLSA record. */
function ofTlsa(...values: readonly (typeof tlsaStates)[number][]) {
  return ofMail(({ measures: { dane } }) => {
    if (dane === 'absent') return 'outside';
    if (dane === 'not-applicable') return 'outside';
    return dane === 'unknown' ? 'unknown' : yesIf(values.includes(dane));
  });
}

/** Defines a statistic of the domains with at least one server that completed TLS. */
function byVersion(isYes: (versions: readonly string[]) => boolean) {
  return ofMail(({ measures: { tls, starttls } }) => {
    if (tls.length > 0) return yesIf(isYes(tls));
    return starttls === 'none' ? 'outside' : 'unknown';
  });
}

/**
 * Defines a statistic: a sender of this class delivers to an attacker or in plaintext
 * under the attack.
 */
function exposed(sender: keyof Exposure, attack: keyof Exposure[keyof Exposure]) {
  return ofMail(({ exposure }) => {
    const cell = exposure[sender][attack];
    if (cell === 'unknown') return 'unknown';
    return yesIf(cell === 'cleartext' || cell === 'to-attacker');
  });
}

const withSts = 'with an MTA-STS record';
const withTlsa = 'with TLSA records';

/** Every statistic, in the order of the pages. */
export const statisticDefinitions: readonly StatisticDefinition[] = [
  {
    id: 'mail',
    page: 'overview',
    says: 'that accept mail',
    of: 'of the list',
    answer: ({ measures: { mail } }) => (mail === 'unknown' ? mail : yesIf(mail === 'yes')),
  },
  {
    id: 'enforced',
    page: 'overview',
    says: 'with TLS enforced by DANE or MTA-STS',
    of: WITH_MAIL,
    answer: ofMail(({ measures: { mtaSts, dane } }) => {
      if (mtaSts === 'enforce' || dane === 'protected') return 'yes';
      return mtaSts === 'unknown' || mtaSts === 'unobtainable' || dane === 'unknown'
        ? 'unknown'
        : 'no';
    }),
  },
  {
    id: 'starttls',
    page: 'starttls',
    says: 'with STARTTLS at every server',
    of: WITH_MAIL,
    answer: byValue('starttls', 'all'),
  },
  {
    id: 'starttls-none',
    page: 'starttls',
    says: 'without STARTTLS at any server',
    of: WITH_MAIL,
    answer: byValue('starttls', 'none'),
  },
  {
    id: 'tls13',
    page: 'starttls',
    says: 'with TLS 1.3 at every server',
    of: 'with TLS',
    answer: byVersion((versions) => versions.every((version) => version === 'TLSv1.3')),
  },
  {
    id: 'tls-old',
    page: 'starttls',
    says: 'with a server that reaches at most TLS 1.1',
    of: 'with TLS',
    answer: byVersion((versions) =>
      versions.some((version) => version !== 'TLSv1.3' && version !== 'TLSv1.2'),
    ),
  },
  {
    id: 'certificates',
    page: 'certificates',
    says: 'with valid certificates for their hosts',
    of: 'with certificates',
    answer: byValue('certificates', 'valid'),
  },
  {
    id: 'sts-record',
    page: 'mta-sts',
    says: withSts,
    of: WITH_MAIL,
    answer: byValue('mtaSts', ...stsRecords),
  },
  ...stsModes.map((mode): StatisticDefinition => ({
    id: `sts-${mode}`,
    page: 'mta-sts',
    says: `with a policy in mode ${mode}`,
    of: withSts,
    answer: ofSts(mode),
  })),
  {
    id: 'sts-misconfigured',
    page: 'mta-sts',
    says: 'with a faulty record, policy or policy host',
    of: withSts,
    answer: ofMail((grade) => {
      const { mtaSts } = grade.measures;
      if (mtaSts === 'absent') return 'outside';
      if (mtaSts === 'unknown') return 'unknown';
      return yesIf(grade.classes.some((id) => id.startsWith('sts-') && id !== 'sts-mode-none'));
    }),
  },
  {
    id: 'sts-defers',
    page: 'mta-sts',
    says: 'whose enforced policy defers mail',
    of: withSts,
    answer: ofMail(({ measures: { mtaSts }, classes }) => {
      if (mtaSts === 'absent') return 'outside';
      return mtaSts === 'unknown' ? mtaSts : yesIf(classes.includes('sts-enforce-fails'));
    }),
  },
  {
    id: 'signed',
    page: 'dane',
    says: 'with a signed mail route',
    of: WITH_MAIL,
    answer: byValue('signed', 'yes'),
  },
  {
    id: 'tlsa',
    page: 'dane',
    says: withTlsa,
    of: WITH_MAIL,
    answer: byValue('dane', ...tlsaStates),
  },
  {
    id: 'dane',
    page: 'dane',
    says: 'protected by DANE at every server',
    of: withTlsa,
    answer: ofTlsa('protected'),
  },
  {
    id: 'tlsa-mismatch',
    page: 'dane',
    says: 'with TLSA records that match no certificate',
    of: withTlsa,
    answer: ofTlsa('mismatch'),
  },
  {
    id: 'tlsa-inert',
    page: 'dane',
    says: 'with TLSA records in an unsigned zone',
    of: withTlsa,
    answer: ofTlsa('inert'),
  },
  {
    id: 'tlsrpt',
    page: 'tls-rpt',
    says: 'with a TLS-RPT record',
    of: WITH_MAIL,
    answer: byValue('tlsRpt', 'found', 'invalid'),
  },
  {
    id: 'tlsrpt-invalid',
    page: 'tls-rpt',
    says: 'with an invalid TLS-RPT record',
    of: 'with a TLS-RPT record',
    answer: ofMail(({ measures: { tlsRpt } }) => {
      if (tlsRpt === 'unknown') return 'unknown';
      return tlsRpt === 'found' || tlsRpt === 'invalid' ? yesIf(tlsRpt === 'invalid') : 'outside';
    }),
  },
  {
    id: 'exposed-opportunistic',
    page: 'exposure',
    says: 'whose mail an attacker reads by removing STARTTLS, from senders without policies',
    of: WITH_MAIL,
    answer: exposed('opportunistic', 'stripStarttls'),
  },
  {
    id: 'exposed-sts',
    page: 'exposure',
    says: 'whose mail an attacker reads by removing STARTTLS, from senders with MTA-STS',
    of: WITH_MAIL,
    answer: exposed('mtaStsCached', 'stripStarttls'),
  },
  {
    id: 'exposed-dane',
    page: 'exposure',
    says: 'whose mail an attacker reads by removing STARTTLS, from senders with DANE',
    of: WITH_MAIL,
    answer: exposed('dane', 'stripStarttls'),
  },
  ...classIds.map((id): StatisticDefinition => ({
    id: `class-${id}`,
    page: 'classes',
    says: `with: ${classRegistry[id].says}`,
    of: 'of the list',
    answer: ({ classes, verdict }) => {
      if (classes.includes(id)) return 'yes';
      return verdict === 'inconclusive' && id !== 'could-not-tell' ? 'unknown' : 'no';
    },
  })),
];
