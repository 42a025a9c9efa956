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

/** What a server's answers say of one address. */
export interface Probed {
  readonly proven: Inference;
  readonly inventory: Inventory;
}

export interface JudgedAddress {
  readonly evidence: AddressEvidence;
  /** The connection that says most. */
  readonly connection: ConnectionEvidence | undefined;
  /** STARTTLS is offered on some connections only. */
  readonly intermittent: ReturnType<typeof intermittentTls>;
  /** What followed the handshake; undefined without one. */
  readonly insideTls: InsideTls | undefined;
  readonly certificates: readonly JudgedCertificate[];
  /** Seen by an earlier run, and replaced since. */
  readonly gone: readonly JudgedCertificate[];
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
  const ignored = passedOver(host.name, host.addressLookup.status, addresses.length);
  return {
    evidence: host,
    addresses,
    shown: {
      name: host.name,
      preference: host.preference,
      dnssec: host.dnssec,
      mtaStsMatch: ignored === undefined ? listedInPolicy(evidence, host.name) : 'not-applicable',
      tlsa: { status: host.tlsa.status, records: host.tlsa.records, ...rollover(host, addresses) },
      ...(ignored === undefined ? {} : { passedOver: ignored }),
      addresses: addresses.map((a) => a.shown),
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
    connections.filter((c) => !c.earlier),
  );
  const before = judgeAll(
    evidence,
    host,
    connections.filter((c) => c.earlier),
  ).filter((c) => !now.some((n) => sameKey(n, c)));
  const gone = before.filter((c) => now.some((n) => n.shown.keyAlgorithm === c.shown.keyAlgorithm));
  const certificates = [...now, ...before.filter((c) => !gone.includes(c))];
  const proven = infer(probeLog(connections));
  const probed = { proven, inventory: summarise(proven) };
  return {
    evidence: address,
    connection,
    intermittent: intermittentTls(connections),
    insideTls: insideTls(connection),
    certificates,
    gone,
    probed,
    shown: {
      ip: address.ip,
      status,
      ...(reason === undefined ? {} : { reason }),
      ...replied(connection),
      connections: connections.filter((c) => !c.earlier).length,
      starttls,
      tls: shownTls(probed),
      certificates: certificates.map((c) => c.shown),
      ...(address.submission
        ? {
            submission: address.submission.map((s) =>
              judgeSubmission(evidence, host, address.ip, s),
            ),
          }
        : {}),
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
  const { ip: _, ...shown } = judgeAddress(evidence, without, { ip, ...seen }).shown;
  return { port, ...shown };
}

function judgeAll(
  evidence: Evidence,
  host: HostEvidence,
  connections: readonly ConnectionEvidence[],
): readonly JudgedCertificate[] {
  const judged = connections
    .flatMap((c) => c.handshake ?? c.presented ?? [])
    .flatMap((p) => judgeCertificate(evidence, host, p) ?? []);
  return judged.filter((c, i) => judged.findIndex((d) => sameKey(c, d)) === i);
}

const sameKey = (a: JudgedCertificate, b: JudgedCertificate): boolean =>
  a.shown.spkiSha256 === b.shown.spkiSha256;

function rollover(
  { tlsa }: HostEvidence,
  addresses: readonly JudgedAddress[],
): Pick<MailHost['tlsa'], 'roles' | 'rollover'> {
  const records = tlsa.records.flatMap((text) => parseTlsa(text) ?? []);
  if (records.length === 0 || records.length < tlsa.records.length) return {};
  const chainsOf = (pick: 'certificates' | 'gone') =>
    addresses.flatMap((a) => a[pick].map((c) => c.chain));
  const { state, roles } = rolloverState({
    records,
    chains: chainsOf('certificates'),
    gone: chainsOf('gone'),
  });
  return { roles, rollover: state };
}

const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;

function shownTls({ proven: { log }, inventory }: Probed): MailAddress['tls'] {
  const completed = log.flatMap(({ answer }) =>
    answer.kind === 'handshake' ? [{ version: answer.version, name: answer.suite }] : [],
  );
  const seen = versions.flatMap((version) =>
    inventory.suites[version].accepted.map((id) => ({ version: version, name: suiteName(id) })),
  );
  const groups = log.flatMap(({ answer }) =>
    answer.kind === 'handshake' ? (answer.group ?? []) : [],
  );
  return {
    versions: inventory.versions,
    suites: [...seen, ...completed].filter(
      (s, i, all) => all.findIndex((t) => t.version === s.version && t.name === s.name) === i,
    ),
    order: inventory.order,
    groups: [...new Set([...inventory.groups.accepted.map(groupName), ...groups])],
  };
}
