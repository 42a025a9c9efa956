import { displayName, wrap } from '../../base/index.js';
import type { CheckResult, MailAddress, MailCertificate, MailHost } from '../../evidence/index.js';
import { decryptedLaterWords, senderWords } from './key-exchange-words.js';
import { suiteStrength } from './suite-strength.js';
import { because, rootWords, tlsVersions, versionList, versionName } from './words.js';

/**
 * Returns every mail host with its addresses, in lines of at most `width` columns.
 * `quiet` paints facts that only depth `inventory` lists.
 */
export function hostLines(
  checkResult: CheckResult,
  lineWidth: number,
  quiet: (outputText: string) => string,
): readonly string[] {
  const { hosts, depth } = checkResult;
  return hosts.flatMap((mailHost) => [
    ...wrap(
      `${String(mailHost.preference).padStart(4)} ${hostLine(mailHost)}`,
      lineWidth,
      '',
      '       ',
    ),
    ...mailHost.addresses.flatMap((address) => [
      ...addressLines(address, depth, lineWidth),
      ...senderLines(address, lineWidth),
      ...(address.submission ?? []).flatMap(({ port, ...there }) =>
        addressLines({ ...there, ip: `port ${port}` }, depth, lineWidth),
      ),
      ...(depth === 'inventory'
        ? [
            ...rootLines(address).flatMap((line) =>
              wrap(line, lineWidth, '         ', '           '),
            ),
            ...surface(address, hosts, lineWidth),
          ].map(quiet)
        : []),
    ]),
    ...recordedLines(mailHost, lineWidth),
  ]);
}

/** States whether mail that is recorded today can be decrypted later. */
function recordedLines(mailHost: MailHost, lineWidth: number): readonly string[] {
  const words = decryptedLaterWords(mailHost);
  if (words === undefined) return [];
  return wrap(`recorded today, decrypted later: ${words}`, lineWidth, '       ', '         ');
}

/** Returns the root of each trusted chain, and the dates at which its trust ends. */
function rootLines({ certificates }: MailAddress): readonly string[] {
  return certificates.flatMap((certificate) => {
    const words = rootWords(certificate);
    return words === undefined ? [] : [`${certificate.keyAlgorithm} chain: ${words}`];
  });
}

/** Returns the session of each sender whose recorded hello was sent. */
function senderLines(address: MailAddress, lineWidth: number): readonly string[] {
  return senderWords(address).flatMap(([sender, result]) =>
    wrap(`${sender}: ${result}`, lineWidth, '         ', '           '),
  );
}

/**
 * The words on the policy after a host. Those on a host that the policy omits are in
 * capitals, since the omission may stop mail.
 */
const policyWords: Readonly<Record<MailHost['mtaStsMatch'], string>> = {
  match: ', in the MTA-STS policy',
  mismatch: ', NOT in the MTA-STS policy',
  'not-applicable': '',
};

/**
 * Returns one MX host with its DNSSEC state, its TLSA roles, and whether the policy lists
 * it.
 */
function hostLine(mailHost: MailHost): string {
  const { name, dnssec, tlsa, mtaStsMatch, passedOver, addressLookup } = mailHost;
  if (passedOver !== undefined) return `${name}  no such host, senders skip it`;
  if (addressLookup === 'failed') return `${displayName(name)}  its address lookup failed`;
  const roles = tlsa.roles && tlsa.roles.length > 1 ? ` (${tlsa.roles.join(', ')})` : '';
  return `${displayName(name)}  DNSSEC ${dnssec}, TLSA ${tlsa.status}${roles}${policyWords[mtaStsMatch]}`;
}

/**
 * Returns the state of a server in one line or, if that is too long, in one line for each
 * certificate. The line mentions a session that fails inside TLS even if the handshake
 * succeeded.
 */
function addressLines(
  address: MailAddress,
  depth: CheckResult['depth'],
  lineWidth: number,
): readonly string[] {
  const { ip, status, starttls, tls, certificates } = address;
  const line = (outputText: string): readonly string[] =>
    wrap(`${ip}  ${outputText}`, lineWidth, '       ', '         ');
  if (status !== 'reachable') return line(`${status}${because(address)}`);
  if (starttls !== 'offered') return line(`STARTTLS ${starttls}${because(address)}`);
  if (certificates.length === 0 || tls.suites.length === 0)
    return line('STARTTLS offered, no TLS session');
  const versions = versionWords(tls, depth);
  const ended = because(address);
  const words = [
    ...certificates.map(certificateWords),
    ...(ended === '' ? [] : [`no session inside TLS${ended}`]),
  ];
  const inOne = line([versions, ...words].join('; '));
  return inOne.length === 1
    ? inOne
    : [...line(versions), ...words.flatMap((phrase) => wrap(phrase, lineWidth, '         '))];
}

/**
 * Returns the text of a version. A version without an answer is printed as unknown or not
 * tested: if omitted, it would look refused.
 */
function versionWords(
  { versions, suites }: MailAddress['tls'],
  depth: CheckResult['depth'],
): string {
  const accepted = tlsVersions.filter((version) => versions[version] === 'accepted');
  const known = accepted.length > 0 ? versionList(accepted) : versionName(suites[0]?.version ?? '');
  const open = tlsVersions.filter((version) => versions[version] === 'unknown');
  if (open.length === 0) return known;
  if (depth === 'triage') return `${known} (others not tested)`;
  return `${known} (unknown: ${open.map(versionName).join(', ')})`;
}

/**
 * Returns one certificate as a phrase. Faults are spelled out, and passing facts are
 * omitted.
 */
function certificateWords(certificate: MailCertificate): string {
  const { keyAlgorithm, keyBits, chain, nameMatch, dane } = certificate;
  const name = nameMatch === 'match' ? '' : ', other name';
  const match = dane === 'not-applicable' ? '' : `, DANE ${dane}`;
  return `${keyAlgorithm} ${keyBits}, ${chain}${name}, ${dateWords(certificate)}${match}`;
}

/**
 * Returns the expiry date of a valid certificate. Invalid dates are in capitals, since
 * they can stop mail.
 */
function dateWords({ validity, notBefore, notAfter }: MailCertificate): string {
  const until = notAfter.slice(0, 10);
  if (validity === 'expired') return `EXPIRED ${until}`;
  if (validity === 'not-yet-valid') return `NOT VALID BEFORE ${notBefore.slice(0, 10)}`;
  return `until ${until}`;
}

/**
 * Returns the suites by version with the side whose preference applies, and then the
 * groups, by IANA names without their common prefix. A server with the same values as an
 * earlier server is printed in one line.
 */
function surface(
  { ip, tls }: MailAddress,
  all: readonly MailHost[],
  lineWidth: number,
): readonly string[] {
  const lines = surfaceLines(tls);
  const wrapped = (text: readonly string[]): readonly string[] =>
    text.flatMap((textLine) => wrap(textLine, lineWidth, '         ', '           '));
  const alike = all
    .flatMap((mailHost) => mailHost.addresses)
    .find((other) => surfaceLines(other.tls).join() === lines.join());
  return lines.length > 0 && alike && alike.ip !== ip
    ? wrapped([`suites, order and groups as at ${alike.ip}`])
    : wrapped(lines);
}

/** The mark after a suite: on a terminal only a weak suite has a mark. */
const weakMark = (name: string): string => (suiteStrength(name) === 'weak' ? ' (WEAK)' : '');

/**
 * Returns the suites of each version and the groups, as lines that are not wrapped yet.
 */
function surfaceLines({ suites, order, groups }: MailAddress['tls']): readonly string[] {
  const versions = [...new Set(suites.map((cipherSuite) => cipherSuite.version))];
  const outputLines = versions.map((version) => {
    const decides =
      order[version] && order[version] !== 'unknown' ? ` (${order[version]}'s order)` : '';
    const names = suites
      .filter((cipherSuite) => cipherSuite.version === version)
      .map(
        (cipherSuite) => `${cipherSuite.name.replace(/^TLS_/, '')}${weakMark(cipherSuite.name)}`,
      );
    return `${versionName(version)}${decides}: ${names.join(', ')}`;
  });
  return groups.length > 0 ? [...outputLines, `groups: ${groups.join(', ')}`] : outputLines;
}
