import type { AddressEvidence, ConnectionEvidence, Evidence, HostEvidence, MailAddress, MailHost } from '../../evidence/index.js';
import { matchMx } from '../../mta-sts/index.js';
import { judgeCertificate, type JudgedCertificate } from './judge-certificate.js';

export interface JudgedAddress {
  readonly evidence: AddressEvidence;
  /** The connection that says most: the first completed handshake, else the last one that was tried. */
  readonly connection: ConnectionEvidence | undefined;
  readonly certificates: readonly JudgedCertificate[];
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
  const handshakes = address.connections.flatMap((c) => (c.handshake ? [c.handshake] : []));
  const connection = address.connections.find((c) => c.handshake) ?? address.connections.at(-1);
  const certificates: JudgedCertificate[] = [];
  for (const handshake of handshakes) {
    const judged = judgeCertificate(evidence, host, handshake);
    if (judged && !certificates.some((c) => c.shown.spkiSha256 === judged.shown.spkiSha256)) certificates.push(judged);
  }
  const versions = {
    SSLv2: 'unknown',
    SSLv3: 'unknown',
    TLSv1: 'unknown',
    'TLSv1.1': 'unknown',
    'TLSv1.2': 'unknown',
    'TLSv1.3': 'unknown',
  };
  for (const { version } of handshakes) versions[version] = 'accepted';
  return {
    evidence: address,
    connection,
    certificates,
    shown: {
      ip: address.ip,
      status: address.status,
      ...(address.reason === undefined ? {} : { reason: address.reason }),
      connections: address.connections.length,
      starttls: connection?.starttls ?? 'unknown',
      tls: {
        versions: versions as MailAddress['tls']['versions'],
        suites: handshakes.map(({ version, suite }) => ({ version, name: suite })),
        order: {},
        groups: [...new Set(handshakes.flatMap(({ group }) => (group ? [group] : [])))],
      },
      certificates: certificates.map((c) => c.shown),
    },
  };
}
