import type { AddressEvidence, ConnectionEvidence, Evidence, HostEvidence, MailAddress, MailHost } from '../../evidence/index.js';
import { probeLog } from '../../evidence/index.js';
import { groupName, suiteName, summarise, type Inventory, type ProbeRecord } from '../../tls/index.js';
import { matchMx } from '../../mta-sts/index.js';
import { judgeCertificate, type JudgedCertificate } from './judge-certificate.js';

/** What a server's answers say of one address. */
export interface Probed {
  readonly log: readonly ProbeRecord[];
  readonly inventory: Inventory;
}

export interface JudgedAddress {
  readonly evidence: AddressEvidence;
  /** The connection that says most: the first completed handshake, else the last one that was tried. */
  readonly connection: ConnectionEvidence | undefined;
  readonly certificates: readonly JudgedCertificate[];
  readonly probed: Probed;
  readonly shown: MailAddress;
}

export interface JudgedHost {
  readonly evidence: HostEvidence;
  readonly addresses: readonly JudgedAddress[];
  readonly shown: MailHost;
}

/** What one MX host shows, without any grade. */
export function judgeHost(evidence: Evidence, host: HostEvidence): JudgedHost {
  const addresses = host.addresses.map((address) => judgeAddress(evidence, host, address));
  const { policy } = evidence.mtaSts;
  const inForce = evidence.mtaSts.status === 'found' && policy && policy.mode !== 'none' ? policy : undefined;
  return {
    evidence: host,
    addresses,
    shown: {
      name: host.name,
      preference: host.preference,
      dnssec: host.dnssec,
      mtaStsMatch: !inForce ? 'not-applicable' : inForce.mx.some((pattern) => matchMx(pattern, host.name)) ? 'match' : 'mismatch',
      tlsa: { status: host.tlsa.status, records: host.tlsa.records },
      addresses: addresses.map((a) => a.shown),
    },
  };
}

function judgeAddress(evidence: Evidence, host: HostEvidence, address: AddressEvidence): JudgedAddress {
  const { connections } = address;
  const connection = connections.find((c) => c.handshake) ?? connections.find((c) => c.purpose === 'handshake') ?? connections.at(-1);
  const certificates: JudgedCertificate[] = [];
  for (const presented of connections.flatMap((c) => c.handshake ?? c.presented ?? [])) {
    const judged = judgeCertificate(evidence, host, presented);
    if (judged && !certificates.some((c) => c.shown.spkiSha256 === judged.shown.spkiSha256)) certificates.push(judged);
  }
  const log = probeLog(connections);
  const probed = { log, inventory: summarise(log) };
  return {
    evidence: address,
    connection,
    certificates,
    probed,
    shown: {
      ip: address.ip,
      status: address.status,
      ...(address.reason === undefined ? {} : { reason: address.reason }),
      connections: connections.filter((c) => !c.earlier).length,
      starttls: connection?.starttls ?? 'unknown',
      tls: shownTls(probed),
      certificates: certificates.map((c) => c.shown),
    },
  };
}

const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;

function shownTls({ log, inventory }: Probed): MailAddress['tls'] {
  const completed = log.flatMap(({ answer }) => (answer.kind === 'handshake' ? [{ version: answer.version, name: answer.suite }] : []));
  const seen = versions.flatMap((version) => inventory.suites[version].accepted.map((id) => ({ version: version, name: suiteName(id) })));
  const groups = log.flatMap(({ answer }) => (answer.kind === 'handshake' ? (answer.group ?? []) : []));
  return {
    versions: inventory.versions,
    suites: [...seen, ...completed].filter((s, i, all) => all.findIndex((t) => t.version === s.version && t.name === s.name) === i),
    order: inventory.order,
    groups: [...new Set([...inventory.groups.accepted.map(groupName), ...groups])],
  };
}
