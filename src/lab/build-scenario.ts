import { createHash } from 'node:crypto';
import { spkiSha256, parseCertificate } from '../x509/index.js';
import { parseDomain } from '../base/index.js';
import { mailServer, type ReceivedMail } from './actors/mail-server.js';
import type { PolicyHost } from './actors/policy-host.js';
import { stripStarttls } from './attackers/strip-starttls.js';
import type { ZoneSpec } from './dns/zone.js';
import type { LabNetwork } from './network/lab-network.js';
import type { HostTraits, Scenario, StsTraits, TlsaTraits } from './scenarios/scenario.js';
import { places, type LabPki } from './actors/pki.js';
import type { Issued } from '../pki/index.js';

/** The parts of the lab in which scenarios are built. */
export interface ScenarioSite {
  readonly pki: LabPki;
  readonly network: LabNetwork;
  readonly policyHost: PolicyHost;
  readonly attackers: boolean;
  readonly onMail: (mail: ReceivedMail) => void;
}

const SMTP = 25;

/** AES-GCM and AES-CBC with forward secrecy, then the suites with static RSA. */
const suites = [0xc030, 0xc02f, 0xc028, 0xc027, 0xc014, 0xc013, 0x0035, 0x002f];
const groups = [29, 23, 24];
const oldSurfaces = {
  'old-versions': {
    versions: [0x0301, 0x0302, 0x0303],
    suites: [...suites, 0x000a, 0x0005],
    groups,
  },
  /** Refuses a hello with more than 64 suites, as some servers of the past do. */
  'short-hellos': { versions: [0x0303], suites: [0xc030, 0xc02f], groups, maxSuites: 64 },
  ssl3: { versions: [0x0300, 0x0301, 0x0302, 0x0303], suites, groups },
} as const;

/** Starts the servers of a scenario and returns its zone. */
export async function buildScenario(scenario: Scenario, site: ScenarioSite): Promise<ZoneSpec> {
  const apex = asciiOf(scenario.domain);
  const { hosts = [{}], zone = {}, sts } = scenario;
  const lines: ZoneLine[] = [zone.records ?? ''];
  const own: string[] = [];
  for (const [index, host] of hosts.entries()) {
    const { name = 'mx' } = host;
    if (!zone.withoutMx) lines.push(`@ MX ${10 * (index + 1)} ${name}`);
    own.push(absolute(name, apex));
    if (!name.endsWith('.'))
      lines.push(...(await buildHost(host, absolute(name, apex), scenario, site)));
  }
  if (sts) lines.push(...publishPolicy(sts, apex, own, site));
  const tlsRptRecord =
    scenario.rpt ?? (sts !== undefined || hosts.some((host) => host.tlsa !== undefined));
  const rua = `v=TLSRPTv1; rua=mailto:tls-reports@${apex}`;
  if (tlsRptRecord !== false)
    lines.push(`_smtp._tls TXT "${tlsRptRecord === true ? rua : tlsRptRecord}"`);
  return {
    apex,
    records: () => lines.map((line) => (typeof line === 'string' ? line : line())).join('\n'),
    signed: zone.signed,
    fault: zone.fault,
  };
}

/** Zone file text; a function where it needs a certificate. */
type ZoneLine = string | (() => string);

/** Returns the A-labels of a scenario's domain. */
export function asciiOf(domain: string): string {
  const parsed = parseDomain(domain);
  if (!parsed.ok) throw new TypeError(`${domain}: ${parsed.failure.detail}`);
  return parsed.value.toLower();
}

/**
 * Starts the server of one host and returns its records. A host without a server still
 * has an address: its connections are refused or dropped.
 */
async function buildHost(
  host: HostTraits,
  fullName: string,
  scenario: Scenario,
  site: ScenarioSite,
): Promise<ZoneLine[]> {
  const { pki, network } = site;
  const { name = 'mx', certificate = 'trusted', tlsa = [], tlsaAt, dial, v6, beside } = host;
  const owner = name === '@' ? '' : `.${name}`;
  const address = pki.nextAddress();
  const lines: ZoneLine[] = [`${name} A ${address}`];
  if (v6) {
    const ipv6 = ipv6Of(address);
    lines.push(`${name} AAAA ${ipv6}`);
    network.block(ipv6, SMTP, 'no-route');
  }
  if (dial) {
    network.block(address, SMTP, dial);
    return lines;
  }
  const certificates = pki.certificatesFor(fullName, certificate);
  await startServer(address, { ...host, name: fullName, certificates }, scenario, site);
  if (beside) {
    const next = pki.nextAddress();
    const second = beside.family === 6 ? ipv6Of(next) : next;
    lines.push(`${name} ${beside.family === 6 ? 'AAAA' : 'A'} ${second}`);
    const own = beside.certificate
      ? pki.certificatesFor(fullName, beside.certificate)
      : certificates;
    await startServer(second, { ...beside, name: fullName, certificates: own }, scenario, site);
  }
  const tlsaOwner = tlsaAt ?? `_${SMTP}._tcp${owner}`;
  if (tlsaAt) lines.push(`_${SMTP}._tcp${owner} CNAME ${tlsaAt}`);
  // A function: the certificate is issued when the zone is first queried.
  for (const kind of tlsa) lines.push(() => `${tlsaOwner} TLSA ${tlsaOf(kind, certificates, pki)}`);
  return lines;
}

const ipv6Of = (address: string): string => `2001:db8::${address.split('.')[3] ?? '1'}`;

type Server = Pick<
  HostTraits,
  'habit' | 'greeting' | 'speaks' | 'suites' | 'admits' | 'submission'
> & {
  readonly name: string;
  readonly certificates: readonly Issued[];
};

/** Starts a mail server at an address, and the attacker in front of it. */
async function startServer(
  address: string,
  server: Server,
  scenario: Scenario,
  { network, pki, attackers, onMail }: ScenarioSite,
): Promise<void> {
  const { name, certificates, habit = 'good', greeting, speaks, suites: only, admits } = server;
  // A chosen list of suites is one of TLS 1.2, and a scripted surface completes in 1.2.
  const maxVersion = only !== undefined || speaks ? 'TLSv1.2' : undefined;
  await network.listenTcp(
    address,
    SMTP,
    mailServer({
      name,
      certificates: habit === 'no-starttls' ? [] : certificates,
      habit,
      onMail,
      greeting,
      admits,
      suites: only,
      scripted: speaks && oldSurfaces[speaks],
      maxVersion,
    }),
  );
  if (server.submission) {
    await network.listenTcp(address, 587, mailServer({ name, certificates, onMail }));
    await network.listenTcp(
      address,
      465,
      mailServer({ name, certificates, onMail, implicitTls: true }),
    );
  }
  const { strip, swap } = scenario.attack ?? {};
  if (attackers && strip) {
    const target = network.targetOf(address, SMTP);
    if (target)
      await network.listenTcp(address, SMTP, stripStarttls(network.outside, target, strip));
  }
  if (attackers && swap) {
    const forged = [pki.forgedCertificate(name)];
    const toAttacker = (mail: ReceivedMail): void => onMail({ ...mail, server: 'attacker' });
    await network.listenTcp(
      address,
      SMTP,
      mailServer({ name, certificates: forged, onMail: toAttacker }),
    );
  }
}

/** Publishes the policy on the shared policy host, and returns its DNS records. */
function publishPolicy(
  stsTraits: StsTraits,
  apex: string,
  hosts: readonly string[],
  { pki, policyHost }: ScenarioSite,
): string[] {
  const {
    mode,
    mx = hosts,
    record,
    habit = 'good',
    certificate = 'trusted',
    copies = 1,
    maxAge = 604800,
  } = stsTraits;
  const name = `mta-sts.${apex}`;
  const lines = stsTraits.lines ?? [
    'version: STSv1',
    `mode: ${mode}`,
    ...(mode === 'none' ? [] : mx.map((pattern) => `mx: ${pattern}`)),
    `max_age: ${maxAge}`,
  ];
  const issued = pki.certificatesFor(name, certificate)[0];
  if (issued)
    policyHost.add(name, {
      certificate: issued,
      policy: lines.map((line) => `${line}\r\n`).join(''),
      habit,
    });
  const records = Array.from(
    { length: copies },
    (_, copy) => `_mta-sts TXT "${record ?? `v=STSv1; id=2026112${copy};`}"`,
  );
  return [...records, `mta-sts A ${places.policyHost}`];
}

/** Returns the data of a TLSA record (RFC 6698 §2.1): usage, selector, matching type, data. */
function tlsaOf(kind: TlsaTraits, [certificate]: readonly Issued[], pki: LabPki): string {
  switch (kind) {
    case 'ee':
      return `3 1 1 ${spki(certificate)}`;
    case 'ta':
      return `2 1 1 ${spki(pki.intermediate)}`;
    case 'root':
      return `2 1 1 ${spki(pki.root)}`;
    case 'ta-as-ee':
      return `3 1 1 ${spki(pki.intermediate)}`;
    case 'stale-sha512':
      return `3 1 2 ${'0d'.repeat(64)}`;
    case 'sha1':
      return `3 1 1 ${'0d'.repeat(20)}`;
    case 'next':
      return `3 1 1 ${'5e'.repeat(32)}`;
    case 'ee-certificate':
      return `3 0 1 ${createHash('sha256')
        .update(certificate?.der ?? '')
        .digest('hex')}`;
    case 'unrelated':
      return `2 1 1 ${'7a'.repeat(32)}`;
    case 'stale':
      return `3 1 1 ${'0d'.repeat(32)}`;
    case 'unusable':
      return `1 1 1 ${'ab'.repeat(32)}`;
  }
}

function spki(certificate: Issued | undefined): string {
  const parsed = certificate && parseCertificate(certificate.der);
  if (!parsed?.ok) throw new TypeError('no certificate to match');
  return spkiSha256(parsed.value);
}

function absolute(name: string, apex: string): string {
  if (name === '@') return apex;
  return name.endsWith('.') ? name.slice(0, -1) : `${name}.${apex}`;
}
