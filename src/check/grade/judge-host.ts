import {
  type AddressEvidence,
  type ConnectionEvidence,
  type Evidence,
  type HostEvidence,
  type MailAddress,
  type MailHost,
  type SubmissionEvidence,
  type SubmissionPort,
  probeLog,
} from '../../evidence/index.js';
import {
  groupName,
  infer,
  suiteName,
  summarise,
  type Inventory,
  type Inference,
} from '../../tls/index.js';
import { parseTlsa, rolloverState } from '../../dane/index.js';
import { passedOver } from '../mx-name.js';
import {
  bestOf,
  insideTls,
  intermittentTls,
  replyOf,
  standing,
  type InsideTls,
} from './session.js';
import { judgeCertificate, listedInPolicy, type JudgedCertificate } from './judge-certificate.js';

/** The facts that the prober established about one address. */
export interface Probed {
  readonly inference: Inference;
  readonly inventory: Inventory;
}

export interface JudgedAddress {
  readonly evidence: AddressEvidence;
  /** The most informative connection. */
  readonly connection: ConnectionEvidence | undefined;
  /** STARTTLS is offered on some connections only. */
  readonly intermittent: ReturnType<typeof intermittentTls>;
  /** The result of the session inside TLS; undefined without a handshake. */
  readonly insideTls: InsideTls | undefined;
  readonly certificates: readonly JudgedCertificate[];
  /** Certificates of an earlier run that have been replaced since. */
  readonly gone: readonly JudgedCertificate[];
  readonly probed: Probed;
  readonly summary: MailAddress;
}

export interface JudgedHost {
  readonly evidence: HostEvidence;
  readonly addresses: readonly JudgedAddress[];
  readonly summary: MailHost;
}

/** Evaluates one MX host, without grading it. */
export function judgeHost(evidence: Evidence, host: HostEvidence): JudgedHost {
  const addresses = host.addresses.map((address) => judgeAddress(evidence, host, address));
  const ignored = passedOver(host.name, host.addressLookup.status, addresses.length);
  return {
    evidence: host,
    addresses,
    summary: {
      name: host.name,
      preference: host.preference,
      dnssec: host.dnssec,
      mtaStsMatch: ignored === undefined ? listedInPolicy(evidence, host.name) : 'not-applicable',
      tlsa: { status: host.tlsa.status, records: host.tlsa.records, ...rollover(host, addresses) },
      passedOver: ignored,
      addresses: addresses.map((address) => address.summary),
    },
  };
}

function judgeAddress(
  evidence: Evidence,
  host: HostEvidence,
  address: AddressEvidence,
): JudgedAddress {
  const { connections } = address;
  const connection = bestOf(connections);
  const { status, reason, starttls } = standing(address, connection);
  const now = judgeAll(
    evidence,
    host,
    connections.filter((connection) => !connection.earlier),
  );
  const before = judgeAll(
    evidence,
    host,
    connections.filter((connection) => connection.earlier),
  ).filter((certificate) => !now.some((n) => sameKey(n, certificate)));
  const gone = before.filter((certificate) =>
    now.some((n) => n.summary.keyAlgorithm === certificate.summary.keyAlgorithm),
  );
  const certificates = [...now, ...before.filter((certificate) => !gone.includes(certificate))];
  const inference = infer(probeLog(connections));
  const probed = { inference, inventory: summarise(inference) };
  return {
    evidence: address,
    connection,
    intermittent: intermittentTls(connections),
    insideTls: insideTls(connection),
    certificates,
    gone,
    probed,
    summary: {
      ip: address.ip,
      status,
      reason,
      ...replied(connection),
      connections: connections.filter((connection) => !connection.earlier).length,
      starttls,
      tls: shownTls(probed),
      certificates: certificates.map((certificate) => certificate.summary),
      submission:
        address.submission &&
        address.submission.map((submissionEvidence) =>
          judgeSubmission(evidence, host, address.ip, submissionEvidence),
        ),
    },
  };
}

function replied(connection: ConnectionEvidence | undefined): Pick<MailAddress, 'reply'> {
  const reply = replyOf(connection);
  return reply === undefined ? {} : { reply };
}

/** TLSA records of port 25 say nothing of another port (RFC 6698 §3). */
function judgeSubmission(
  evidence: Evidence,
  host: HostEvidence,
  ip: string,
  { port, ...seen }: SubmissionEvidence,
): SubmissionPort {
  const without = { ...host, tlsa: { ...host.tlsa, status: 'absent', records: [] } } as const;
  const { ip: _, ...shown } = judgeAddress(evidence, without, { ip, ...seen }).summary;
  return { port, ...shown };
}

function judgeAll(
  evidence: Evidence,
  host: HostEvidence,
  connections: readonly ConnectionEvidence[],
): readonly JudgedCertificate[] {
  const judged = connections
    .flatMap((connection) => connection.handshake ?? connection.presented ?? [])
    .flatMap((presentedChain) => judgeCertificate(evidence, host, presentedChain) ?? []);
  return judged.filter(
    (certificate, index) => judged.findIndex((d) => sameKey(certificate, d)) === index,
  );
}

const sameKey = (left: JudgedCertificate, right: JudgedCertificate): boolean =>
  left.summary.spkiSha256 === right.summary.spkiSha256;

function rollover(
  { tlsa }: HostEvidence,
  addresses: readonly JudgedAddress[],
): Pick<MailHost['tlsa'], 'roles' | 'rollover'> {
  const records = tlsa.records.flatMap((text) => parseTlsa(text) ?? []);
  if (records.length === 0 || records.length < tlsa.records.length) return {};
  const chainsOf = (pick: 'certificates' | 'gone') =>
    addresses.flatMap((address) => address[pick].map((certificate) => certificate.chain));
  const { state, roles } = rolloverState({
    records,
    chains: chainsOf('certificates'),
    gone: chainsOf('gone'),
  });
  return { roles, rollover: state };
}

const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;

function shownTls({ inference: { log }, inventory }: Probed): MailAddress['tls'] {
  const completed = log.flatMap(({ answer }) => {
    if (answer.kind === 'handshake') return [{ version: answer.version, name: answer.suite }];
    return [];
  });
  const seen = versions.flatMap((version) =>
    inventory.suites[version].accepted.map((id) => ({ version: version, name: suiteName(id) })),
  );
  const groups = log.flatMap(({ answer }) => {
    if (answer.kind === 'handshake') return answer.group ?? [];
    return [];
  });
  return {
    versions: inventory.versions,
    suites: [...seen, ...completed].filter(
      (s, index, all) =>
        all.findIndex((t) => t.version === s.version && t.name === s.name) === index,
    ),
    order: inventory.order,
    groups: [...new Set([...inventory.groups.accepted.map(groupName), ...groups])],
  };
}
