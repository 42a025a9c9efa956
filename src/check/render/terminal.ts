import type { CheckResult, MailAddress, MailCertificate, MailHost } from '../../evidence/index.js';
import { attacks, senders } from '../../tls-policy/index.js';
import { headline } from './headline.js';
import {
  attackNames,
  because,
  outcomeWords,
  ownerNames,
  senderNames,
  severityTones,
  tlsVersions,
  verdictTones,
  versionName,
  type Tone,
} from './words.js';
import { clip, wrap } from '../../base/index.js';

export interface TerminalOptions {
  /** Columns, 80 to 120. Default 80. */
  readonly width?: number;
  readonly color?: boolean;
  /** Every step of every finding, not only of the first. */
  readonly steps?: boolean;
}

type Paint = (text: string, style: keyof typeof styles) => string;
const styles = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const;
const toneStyle: Readonly<Record<Tone, keyof typeof styles>> = {
  good: 'green',
  fair: 'yellow',
  bad: 'red',
  quiet: 'dim',
};

/**
 * One screen: what happens to the mail, then the hosts, then what to fix and who can.
 * Ends with a line feed.
 */
export function renderTerminal(result: CheckResult, options: TerminalOptions = {}): string {
  const width = Math.min(120, Math.max(80, options.width ?? 80));
  const paint: Paint = (text, style) =>
    options.color ? `\x1b[${styles[style]}m${text}\x1b[0m` : text;
  const mail =
    result.route.kind === 'mx' || result.route.kind === 'implicit' || result.route.kind === 'error';
  const blocks = [
    head(result, width, paint),
    ...(mail ? [table(result, paint), hosts(result, width, paint)] : []),
    toFix(result, width, paint, options.steps ?? false),
    notes(result, width, paint),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function head(result: CheckResult, width: number, paint: Paint): string[] {
  const verdict = result.verdict.toUpperCase();
  const domain = clip(result.domain, width - verdict.length - 2);
  const gap = ' '.repeat(width - domain.length - verdict.length);
  return [
    `${paint(domain, 'bold')}${gap}${paint(verdict, toneStyle[verdictTones[result.verdict]])}`,
    ...wrap(headline(result), width),
  ];
}

function table({ exposure }: CheckResult, paint: Paint): string[] {
  const heading = `  ${'sender'.padEnd(22)}${attacks.map((a) => attackNames[a].padEnd(11)).join('')}`;
  const rows = senders.map((sender) => {
    const cells = attacks.map((attack) => {
      const { word, tone } = outcomeWords[exposure[sender][attack]];
      return paint(word, toneStyle[tone]) + ' '.repeat(11 - word.length);
    });
    return `  ${senderNames[sender].padEnd(22)}${cells.join('')}`.trimEnd();
  });
  return [paint(heading.trimEnd(), 'dim'), ...rows];
}

function hosts(
  { hosts: all, mtaSts, tlsRpt, route, depth }: CheckResult,
  width: number,
  paint: Paint,
): string[] {
  const lines = all.flatMap((host) => [
    ...wrap(`${String(host.preference).padStart(4)} ${hostLine(host)}`, width, '', '       '),
    ...host.addresses.flatMap((address) => [
      ...addressLines(address, depth, width),
      ...(address.submission ?? []).flatMap(({ port, ...there }) =>
        addressLines({ ...there, ip: `port ${port}` }, depth, width),
      ),
      ...(depth === 'inventory'
        ? surface(address, all, width).map((text) => paint(text, 'dim'))
        : []),
    ]),
  ]);
  const days = Math.round((mtaSts.maxAge ?? 0) / 8640) / 10;
  const sts = mtaSts.status === 'found' ? `${mtaSts.mode ?? ''}, kept ${days} days` : mtaSts.status;
  const rpt = tlsRpt.status === 'found' ? tlsRpt.rua.join(', ') : tlsRpt.status;
  return [
    paint(`Mail hosts (MX ${route.dnssec})`, 'bold'),
    ...lines,
    ...wrap(`MTA-STS ${sts};  TLS-RPT ${rpt}`, width, '  ', '    '),
  ];
}

function hostLine({ name, dnssec, tlsa, mtaStsMatch, passedOver }: MailHost): string {
  if (passedOver !== undefined) return `${name}  no such host, senders pass over it`;
  const sts = {
    match: ', in the MTA-STS policy',
    mismatch: ', NOT in the MTA-STS policy',
    'not-applicable': '',
  }[mtaStsMatch];
  const roles = tlsa.roles && tlsa.roles.length > 1 ? ` (${tlsa.roles.join(', ')})` : '';
  return `${name}  DNSSEC ${dnssec}, TLSA ${tlsa.status}${roles}${sts}`;
}

/**
 * Where a server stands, in one line or, where that is too long, one for each
 * certificate.
 */
function addressLines(
  address: MailAddress,
  depth: CheckResult['depth'],
  width: number,
): readonly string[] {
  const { ip, status, starttls, tls, certificates } = address;
  const line = (text: string): readonly string[] =>
    wrap(`${ip}  ${text}`, width, '       ', '         ');
  if (status !== 'reachable') return line(`${status}${because(address)}`);
  if (starttls !== 'offered') return line(`STARTTLS ${starttls}${because(address)}`);
  if (certificates.length === 0 || tls.suites.length === 0)
    return line('STARTTLS offered, no TLS session');
  const spoken = tlsVersions
    .filter((version) => tls.versions[version] === 'accepted')
    .map(versionName);
  const known =
    spoken.length > 0
      ? spoken.join(', ').replace(/(?<=TLS.*), TLS/g, ',')
      : versionName(tls.suites[0]?.version ?? '');
  const open = tlsVersions.filter((version) => tls.versions[version] === 'unknown');
  const versions = `${known}${unsettledVersions(open, depth)}`;
  const ended = because(address);
  const words = [
    ...certificates.map(certificateWords),
    ...(ended === '' ? [] : [`inside TLS no session${ended}`]),
  ];
  const inOne = line([versions, ...words].join('; '));
  return inOne.length === 1
    ? inOne
    : [...line(versions), ...words.flatMap((text) => wrap(text, width, '         '))];
}

/** A version without an answer is printed as such: left out, it would look refused. */
function unsettledVersions(open: readonly string[], depth: CheckResult['depth']): string {
  if (open.length === 0) return '';
  return depth === 'triage'
    ? ' (others not asked)'
    : ` (unknown: ${open.map(versionName).join(', ')})`;
}

function certificateWords(certificate: MailCertificate): string {
  const name = certificate.nameMatch === 'match' ? '' : ', other name';
  const dane = certificate.dane === 'not-applicable' ? '' : `, DANE ${certificate.dane}`;
  const date = `${certificate.validity === 'expired' ? 'EXPIRED' : 'until'} ${certificate.notAfter.slice(0, 10)}`;
  return `${certificate.keyAlgorithm} ${certificate.keyBits}, ${certificate.chain}${name}, ${date}${dane}`;
}

/**
 * Suites by version with whose order decides, then groups: names as IANA has them,
 * without their common beginning. What is alike is said once.
 */
function surface(
  { ip, tls }: MailAddress,
  all: readonly MailHost[],
  width: number,
): readonly string[] {
  const lines = surfaceLines(tls);
  const told = (text: readonly string[]): readonly string[] =>
    text.flatMap((one) => wrap(one, width, '         ', '           '));
  const alike = all
    .flatMap((host) => host.addresses)
    .find((a) => surfaceLines(a.tls).join() === lines.join());
  return lines.length > 0 && alike && alike.ip !== ip
    ? told([`suites, order and groups as at ${alike.ip}`])
    : told(lines);
}

function surfaceLines({ suites, order, groups }: MailAddress['tls']): readonly string[] {
  const versions = [...new Set(suites.map((s) => s.version))];
  const lines = versions.map((version) => {
    const decides =
      order[version] && order[version] !== 'unknown' ? ` (${order[version]}'s order)` : '';
    const names = suites
      .filter((s) => s.version === version)
      .map((s) => s.name.replace(/^TLS_/, ''));
    return `${versionName(version)}${decides}: ${names.join(', ')}`;
  });
  return groups.length > 0 ? [...lines, `groups: ${groups.join(', ')}`] : lines;
}

function toFix({ findings }: CheckResult, width: number, paint: Paint, every: boolean): string[] {
  const wanted = findings.filter((f) => f.severity === 'fail' || f.severity === 'warn');
  if (wanted.length === 0) return [];
  const lines = [paint('To fix', 'bold') + paint(', the most worth first', 'dim')];
  wanted.forEach((finding, i) => {
    const word = finding.severity.padEnd(4);
    const [first = '', ...rest] = wrap(`${finding.title}  (${finding.id})`, width - 7, '', '');
    lines.push(
      `  ${paint(word, toneStyle[severityTones[finding.severity]])} ${first}`,
      ...rest.map((line) => `       ${line}`),
    );
    lines.push(
      ...wrap(
        `${finding.subject}; by ${ownerNames[finding.owner]}; ${finding.reference}`,
        width,
        '       ',
      ).map((line) => paint(line, 'dim')),
    );
    if (finding.reason) lines.push(...wrap(finding.reason, width, '       '));
    if (i === 0 || every) {
      lines.push(...wrap(finding.why, width, '       '));
      finding.steps.forEach((step, n) =>
        lines.push(...wrap(`${n + 1}. ${step.text}`, width, '       ', '          ')),
      );
    } else lines.push(...wrap(finding.fix, width, '       '));
  });
  if (wanted.length > 1 && !every)
    lines.push(paint('  --steps prints the steps of every finding.', 'dim'));
  return lines;
}

function notes({ findings, exposure }: CheckResult, width: number, paint: Paint): string[] {
  const lines = findings
    .filter((f) => f.severity === 'info' || f.severity === 'good')
    .flatMap((f) =>
      wrap(
        `${f.title} (${f.subject}).${f.reason ? ` ${f.reason}.` : ''}${f.owner === 'own-network' ? ` ${f.fix}` : ''}`,
        width,
        f.severity === 'good' ? '  + ' : '  - ',
        '    ',
      ),
    );
  if (Object.values(exposure).some((row) => Object.values(row).includes('deferred')))
    lines.push(
      ...wrap(
        "waits: the mail stays in the sender's queue and finally bounces; nobody reads it.",
        width,
        '  ',
      ).map((l) => paint(l, 'dim')),
    );
  return lines;
}
