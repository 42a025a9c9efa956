import { countOf, displayName } from '../../../base/index.js';
import type {
  CheckResult,
  MailAddress,
  MailCertificate,
  MailHost,
} from '../../../evidence/index.js';
import type { Exposure } from '../../../tls-policy/index.js';
import {
  badge,
  badgeItem,
  definitions,
  markup,
  type Markup,
  type Piece,
  type Tone,
} from '../../../page/index.js';
import { decryptedLaterWords, senderWords } from '../key-exchange-words.js';
import { suiteStrength } from '../suite-strength.js';
import { because, rootWords, tlsVersions, versionList, versionName } from '../words.js';
import { exposureTable } from './exposure-table.js';

/**
 * Returns one MX host: its state in DNSSEC, DANE and MTA-STS, then each address with TLS
 * and certificates.
 */
export function hostReport(mailHost: MailHost, checkResult: CheckResult): Markup {
  return markup`<section class="card" aria-label="${mailHost.name}">
    <div class="host-head">
      <h3>${displayName(mailHost.name)}</h3>
      <span class="soft">preference ${mailHost.preference}</span>
    </div>
    <ul class="chips">
      ${mailHost.passedOver !== undefined && badgeItem('no such host: senders skip it', 'fair')}
      ${badgeItem(`DNSSEC ${mailHost.dnssec}`, dnssecTones[mailHost.dnssec])}
      ${badgeItem(`TLSA ${mailHost.tlsa.status}`, tlsaTones[mailHost.tlsa.status])} ${stsBadge(mailHost)}
    </ul>
    ${recorded(mailHost)}
    ${mailHost.tlsa.records.length > 0 && tlsaRecords(mailHost.tlsa)}
    ${mailHost.addresses.map((address) => addressReport(address, checkResult, mailHost.addresses.length > 1))}
    ${checkResult.hosts.length > 1 && alone(mailHost.exposure, checkResult.exposure, `If ${mailHost.name} were the only host`)}
  </section> `;
}

/** States whether mail that is recorded today can be decrypted later. */
function recorded(mailHost: MailHost): Markup | false {
  const words = decryptedLaterWords(mailHost);
  return (
    words !== undefined && markup`<p class="soft">Recorded today, decrypted later: ${words}.</p>`
  );
}

/** The tone of a DNSSEC state. The absence of a signature is not a fault in itself. */
const dnssecTones: Readonly<Record<MailHost['dnssec'], Tone>> = {
  secure: 'good',
  insecure: 'quiet',
  indeterminate: 'quiet',
  bogus: 'bad',
};

/** The tone of a TLSA lookup. A failed lookup is bad, since senders defer. */
const tlsaTones: Readonly<Record<MailHost['tlsa']['status'], Tone>> = {
  usable: 'good',
  unusable: 'fair',
  absent: 'quiet',
  insecure: 'fair',
  bogus: 'bad',
  tempfail: 'bad',
};

/**
 * The tone of a record's role in a key change. A stale record is bad: it matches no key,
 * and can hide that the key in use has no record.
 */
const roleTones: Readonly<Record<string, Tone>> = {
  current: 'good',
  next: 'good',
  stale: 'bad',
  unknown: 'fair',
};

/** Returns the TLSA records of a host, each with its role. */
function tlsaRecords({ records, roles }: MailHost['tlsa']): Markup {
  const item = (record: string, index: number): Markup => {
    const tlsaRole = roles?.[index];
    return markup`<li>${tlsaRole && badge(tlsaRole, roleTones[tlsaRole] ?? 'quiet')} <code>${record}</code></li> `;
  };
  return markup`<h4>TLSA records</h4>
    <ul class="records">
      ${records.map(item)}
    </ul>`;
}

/**
 * Returns the outcome for mail through one host or address, if it differs from the
 * domain's outcome.
 */
function alone(exposure: Exposure | undefined, whole: Exposure, caption: string): Markup | false {
  if (!exposure || JSON.stringify(exposure) === JSON.stringify(whole)) return false;
  return markup`<h4>${caption}</h4>${exposureTable(exposure, caption)}`;
}

/** States whether the policy lists the host; empty without a policy. */
function stsBadge({ mtaStsMatch }: MailHost): Markup | false {
  if (mtaStsMatch === 'not-applicable') return false;
  return mtaStsMatch === 'match'
    ? badgeItem('in the MTA-STS policy', 'good')
    : badgeItem('not in the MTA-STS policy', 'bad');
}

/** The tone of the STARTTLS state of an address. */
const starttlsTones: Readonly<Record<MailAddress['starttls'], Tone>> = {
  offered: 'good',
  unknown: 'fair',
  absent: 'bad',
  mangled: 'bad',
  refused: 'bad',
};

/** Returns the state of an address in one badge. */
function stateBadge(address: MailAddress): Markup {
  const { status, starttls } = address;
  if (status === 'reachable') return badge(`STARTTLS ${starttls}`, starttlsTones[starttls]);
  return badge(`${status}${because(address)}`, status === 'unreachable' ? 'bad' : 'fair');
}

/**
 * Returns one address: its state, TLS, certificates and submission ports. A submission
 * port has the same form, since the check asks it the same questions.
 */
function addressReport(address: MailAddress, checkResult: CheckResult, several: boolean): Markup {
  const { depth, exposure } = checkResult;
  const { ip, status, starttls, tls, certificates, connections } = address;
  const reached = status === 'reachable';
  const ended = because(address);
  const ports = (address.submission ?? []).map(({ port, ...there }) =>
    addressReport({ ...there, ip: `port ${port}` }, checkResult, false),
  );
  return markup`<div class="address">
    <div class="host-head">
      <h4 class="mono">${ip}</h4>
      ${stateBadge(address)} ${reached && ended !== '' && badge(`no session inside TLS${ended}`, 'bad')}
      <span class="soft">${countOf(connections, 'connection')}</span>
    </div>
    ${reached && starttls === 'offered' && inventory(tls, depth === 'inventory')} ${certificates.map(certificate)}
    ${senderWords(address).length > 0 && markup`<h4>The session of each sender</h4>${definitions(senderWords(address))}`}
    ${several && alone(address.exposure, exposure, `If ${ip} were the only address`)} ${ports}
  </div> `;
}

/** The badge of a suite; a strong one needs no badge. */
const strengthBadges: Readonly<Record<string, Markup>> = {
  weak: badge('weak', 'bad'),
  dated: badge('dated', 'quiet'),
};

/** Renders a suite, with a mark if it is weak or dated. */
function suiteItem({ name }: MailAddress['tls']['suites'][number]): Markup {
  const mark = strengthBadges[suiteStrength(name) ?? ''];
  return markup`<li><code>${name}</code> ${mark}</li> `;
}

/**
 * Returns the TLS of an address. With `whole`, the suites and groups are all that the
 * server accepts; otherwise they are those of the connections that the check made.
 */
function inventory(
  { versions, suites, order, groups }: MailAddress['tls'],
  whole: boolean,
): Markup {
  const having = (settled: string) =>
    tlsVersions.filter((version) => versions[version] === settled);
  const tone = (version: string): Tone =>
    version === 'TLSv1.3' || version === 'TLSv1.2' ? 'good' : 'fair';
  const others = (settled: string, words: string): Markup | false =>
    having(settled).length > 0 &&
    markup`<span class="soft">${words}: ${versionList(having(settled))}. </span>`;
  const suiteRow = (version: string): readonly [string, Piece] => [
    `${whole ? 'Suites of' : 'Suites seen in'} ${versionName(version)}`,
    [
      markup`<ul class="suites">${suites.filter((cipherSuite) => cipherSuite.version === version).map(suiteItem)}</ul>`,
      markup`${order[version] && order[version] !== 'unknown' && markup`<span class="soft">the ${order[version]}'s order decides</span>`}`,
    ],
  ];
  return definitions([
    [
      'Versions',
      [
        markup`<ul class="chips">${having('accepted').map((version) => badgeItem(versionName(version), tone(version)))}</ul>`,
        markup`${others('refused', 'Refused')} ${others('unknown', 'Not tested')}`,
      ],
    ],
    ...[...new Set(suites.map((cipherSuite) => cipherSuite.version))].map(suiteRow),
    [
      whole ? 'Groups' : 'Groups seen',
      groups.length > 0 && markup`<code>${groups.join(', ')}</code>`,
    ],
  ]);
}

const matchTones: Readonly<Record<string, Tone>> = { match: 'good', mismatch: 'bad' };

/** The state of the chain in words. */
const chainNames: Readonly<Record<MailCertificate['chain'], string>> = {
  trusted: 'public CA',
  incomplete: 'intermediate missing',
  'self-signed': 'self-signed',
  'unknown-ca': 'unknown CA',
  unknown: 'chain not judged',
};

/** The state of the dates in words. */
const validityNames: Readonly<Record<MailCertificate['validity'], string>> = {
  valid: 'in date',
  expired: 'expired',
  'not-yet-valid': 'not yet valid',
};

/** Returns a judgement by one kind of sender; empty if that kind does not apply. */
function matchBadge(mechanism: string, match: string | undefined): Markup | false {
  if (match === undefined || match === 'not-applicable') return false;
  return badgeItem(`${mechanism} ${match}`, matchTones[match] ?? 'fair');
}

/**
 * Returns one certificate. DANE and MTA-STS have a badge each, because one sender can
 * accept a certificate that another refuses.
 */
function certificate(certificate: MailCertificate): Markup {
  const named = certificate.nameMatch === 'match';
  return markup`<h4>Certificate with ${certificate.keyAlgorithm} ${certificate.keyBits}</h4>
    <ul class="chips">
      ${badgeItem(chainNames[certificate.chain], certificate.chain === 'trusted' ? 'good' : 'fair')}
      ${badgeItem(named ? 'name matches' : 'other name', named ? 'good' : 'fair')}
      ${badgeItem(validityNames[certificate.validity], certificate.validity === 'valid' ? 'good' : 'bad')}
      ${matchBadge('DANE', certificate.dane)} ${matchBadge('MTA-STS', certificate.mtaSts)}
    </ul>
    ${definitions([
      ['Names', certificate.names.join(', ') || 'none'],
      ['Valid', `${certificate.notBefore.slice(0, 10)} to ${certificate.notAfter.slice(0, 10)}`],
      ['Signature', certificate.signature],
      ['Chain as sent', certificate.chainAsSent.join(' → ')],
      ['Root', rootWords(certificate)],
      ['Key (SHA-256)', markup`<code>${certificate.spkiSha256}</code>`],
      [
        'Matching TLSA',
        certificate.daneRecord !== undefined && markup`<code>${certificate.daneRecord}</code>`,
      ],
    ])} `;
}
