import { createHash } from 'node:crypto';
import { spkiSha256, parseCertificate } from '../x509/index.js';
import { parseDomain } from '../base/index.js';
import { mailServer, type ReceivedMail } from './actors/mail-server.js';
import type { PolicyHost } from './actors/policy-host.js';
import { dropLargeHellos } from './attackers/drop-large-hellos.js';
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
  readonly onMail: (receivedMail: ReceivedMail) => void;
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
  /** Refuses a hello with more than 64 suites, as some old servers do. */
  'short-hellos': { versions: [0x0303], suites: [0xc030, 0xc02f], groups, maxSuites: 64 },
  ssl3: { versions: [0x0300, 0x0301, 0x0302, 0x0303], suites, groups },
} as const;

/** Starts the servers of a scenario and returns its zone. */
export async function buildScenario(
  scenario: Scenario,
  scenarioSite: ScenarioSite,
): Promise<ZoneSpec> {
  const apex = asciiOf(scenario.domain);
  const { hosts = [{}], zone = {}, sts } = scenario;
  const zoneLines: ZoneLine[] = [zone.records ?? ''];
  const own: string[] = [];
  for (const [index, host] of hosts.entries()) {
    const { name: ownerName = 'mx' } = host;
    if (!zone.withoutMx) zoneLines.push(`@ MX ${10 * (index + 1)} ${ownerName}`);
    own.push(absolute(ownerName, apex));
    if (!ownerName.endsWith('.'))
      zoneLines.push(...(await buildHost(host, absolute(ownerName, apex), scenario, scenarioSite)));
  }
  if (sts) zoneLines.push(...publishPolicy(sts, apex, own, scenarioSite));
  const tlsRptRecord =
    scenario.rpt ?? (sts !== undefined || hosts.some((host) => host.tlsa !== undefined));
  const rua = `v=TLSRPTv1; rua=mailto:tls-reports@${apex}`;
  if (tlsRptRecord !== false)
    zoneLines.push(`_smtp._tls TXT "${tlsRptRecord === true ? rua : tlsRptRecord}"`);
  return {
    apex,
    records: () =>
      zoneLines
        .map((zoneLine) => (typeof zoneLine === 'string' ? zoneLine : zoneLine()))
        .join('\n'),
    signed: zone.signed,
    fault: zone.fault,
  };
}

/** Zone file text; a function if the text needs a certificate. */
type ZoneLine = string | (() => string);

/** Returns the A-labels of a scenario's domain. */
export function asciiOf(domainName: string): string {
  const parsed = parseDomain(domainName);
  if (!parsed.ok) throw new TypeError(`${domainName}: ${parsed.failure.detail}`);
  return parsed.value.toLower();
}

/**
 * Starts the server of one host and returns its records. A host without a server still
 * has an address, at which connections are refused or dropped.
 */
async function buildHost(
  host: HostTraits,
  fullName: string,
  scenario: Scenario,
  scenarioSite: ScenarioSite,
): Promise<ZoneLine[]> {
  const { pki: labPki, network } = scenarioSite;
  const {
    name: ownerName = 'mx',
    certificate = 'trusted',
    tlsa = [],
    tlsaAt,
    dial,
    v6,
    beside,
  } = host;
  const owner = ownerName === '@' ? '' : `.${ownerName}`;
  const address = labPki.nextAddress();
  const zoneLines: ZoneLine[] = [`${ownerName} A ${address}`];
  if (v6) {
    const ipv6 = ipv6Of(address);
    zoneLines.push(`${ownerName} AAAA ${ipv6}`);
    network.block(ipv6, SMTP, 'no-route');
  }
  if (dial) {
    network.block(address, SMTP, dial);
    return zoneLines;
  }
  const certificates = labPki.certificatesFor(fullName, certificate);
  await startServer(address, { ...host, name: fullName, certificates }, scenario, scenarioSite);
  if (beside) {
    const next = labPki.nextAddress();
    const second = beside.family === 6 ? ipv6Of(next) : next;
    zoneLines.push(`${ownerName} ${beside.family === 6 ? 'AAAA' : 'A'} ${second}`);
    const own = beside.certificate
      ? labPki.certificatesFor(fullName, beside.certificate)
      : certificates;
    await startServer(
      second,
      { ...beside, name: fullName, certificates: own },
      scenario,
      scenarioSite,
    );
  }
  const tlsaOwner = tlsaAt ?? `_${SMTP}._tcp${owner}`;
  if (tlsaAt) zoneLines.push(`_${SMTP}._tcp${owner} CNAME ${tlsaAt}`);
  // A function, so that the certificate is issued at the first query of the zone.
  for (const kind of tlsa)
    zoneLines.push(() => `${tlsaOwner} TLSA ${tlsaOf(kind, certificates, labPki)}`);
  return zoneLines;
}

const ipv6Of = (address: string): string => `2001:db8::${address.split('.')[3] ?? '1'}`;

type Server = Pick<
  HostTraits,
  'habit' | 'greeting' | 'speaks' | 'suites' | 'admits' | 'submission' | 'withoutSni'
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
  // A configured list of suites is for TLS 1.2, and a scripted surface completes
  // handshakes in TLS 1.2.
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
      withoutSni:
        server.withoutSni === 'other-name'
          ? pki.certificatesFor(`default.${name}`, 'wrong-name')
          : server.withoutSni,
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
  const { strip, swap, largeHellos } = scenario.attack ?? {};
  if (attackers && strip) {
    const target = network.targetOf(address, SMTP);
    if (target)
      await network.listenTcp(address, SMTP, stripStarttls(network.outside, target, strip));
  }
  if (attackers && largeHellos) {
    const target = network.targetOf(address, SMTP);
    if (target)
      await network.listenTcp(address, SMTP, dropLargeHellos(network.outside, target, largeHellos));
  }
  if (attackers && swap) {
    const forged = [pki.forgedCertificate(name)];
    const toAttacker = (receivedMail: ReceivedMail): void =>
      onMail({ ...receivedMail, server: 'attacker' });
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
  hostNames: readonly string[],
  { pki, policyHost }: ScenarioSite,
): string[] {
  const {
    mode,
    mx = hostNames,
    record,
    habit = 'good',
    certificate = 'trusted',
    copies = 1,
    maxAge = 604800,
  } = stsTraits;
  const ownerName = `mta-sts.${apex}`;
  const lines = stsTraits.lines ?? [
    'version: STSv1',
    `mode: ${mode}`,
    ...(mode === 'none' ? [] : mx.map((pattern) => `mx: ${pattern}`)),
    `max_age: ${maxAge}`,
  ];
  const issued = pki.certificatesFor(ownerName, certificate)[0];
  if (issued)
    policyHost.add(ownerName, {
      certificate: issued,
      policy: lines.map((line) => `${line}\r\n`).join(''),
      habit,
    });
  const records = Array.from(
    { length: copies },
    (_, copy) => `_mta-sts TXT "${record ?? `v=STSv1; id=2026112${copy};`}"`,
  );
  return [...records, stsTraits.hostRecords ?? `mta-sts A ${places.policyHost}`];
}

/**
 * Returns the data of a TLSA record (RFC 6698 §2.1): usage, selector, matching type,
 * data.
 */
function tlsaOf(kind: TlsaTraits, [certificate]: readonly Issued[], labPki: LabPki): string {
  switch (kind) {
    case 'ee':
      return `3 1 1 ${spki(certificate)}`;
    case 'ta':
      return `2 1 1 ${spki(labPki.intermediate)}`;
    case 'root':
      return `2 1 1 ${spki(labPki.root)}`;
    case 'ta-as-ee':
      return `3 1 1 ${spki(labPki.intermediate)}`;
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

function absolute(ownerName: string, apex: string): string {
  if (ownerName === '@') return apex;
  return ownerName.endsWith('.') ? ownerName.slice(0, -1) : `${ownerName}.${apex}`;
}
