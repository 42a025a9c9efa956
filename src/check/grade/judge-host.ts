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
  evaluate,
  groupName,
  infer,
  isStrictSession,
  suiteName,
  summarise,
  type Inventory,
  type Inference,
} from '../../tls/index.js';
import { parseTlsa, rolloverState } from '../../dane/index.js';
import { passedOver } from '../mx-name.js';
import {
  bestConnection,
  insideTls,
  intermittentTls,
  replyOf,
  standing,
  type InsideTls,
} from './session.js';
import { judgeCertificate, listedInPolicy, type JudgedCertificate } from './judge-certificate.js';
import { judgeWithoutSni, type WithoutSni } from './without-sni.js';
import { decryptedLater, senderResults } from './key-exchange.js';

/**
 * The TLS of one address: the facts that the answers prove, and the inventory made of
 * them.
 */
export interface Probed {
  readonly inference: Inference;
  readonly inventory: Inventory;
}

/**
 * The TLS of an address for a sender that requires TLS, whose settings are stricter than
 * those of an opportunistic sender. `unknown` if the server chose an old suite and the
 * prober did not test current suites.
 */
export type StrictTls = 'works' | 'old-version' | 'old-suites' | 'unknown';

/** One address of a host with everything that the rules and renderers use. */
export interface JudgedAddress {
  readonly evidence: AddressEvidence;
  /** The most informative connection. */
  readonly connection: ConnectionEvidence | undefined;
  /**
   * The numbers of connections with and without TLS; undefined unless TLS works on some
   * connections only.
   */
  readonly intermittent: ReturnType<typeof intermittentTls>;
  /** The session that a sender that requires TLS would have; undefined without a handshake. */
  readonly strictTls: StrictTls | undefined;
  /** The result of EHLO after the handshake; undefined without a handshake. */
  readonly insideTls: InsideTls | undefined;
  readonly certificates: readonly JudgedCertificate[];
  /**
   * Certificates that an earlier run received and that a certificate of the same key
   * algorithm has replaced since. These certificates matter for the roles of TLSA records
   * only.
   */
  readonly gone: readonly JudgedCertificate[];
  /** The server's answer to a client without SNI; undefined if none was tried. */
  readonly withoutSni: WithoutSni | undefined;
  readonly probed: Probed;
  readonly summary: MailAddress;
}

/** One MX host with its judged addresses. */
export interface JudgedHost {
  readonly evidence: HostEvidence;
  readonly addresses: readonly JudgedAddress[];
  readonly summary: MailHost;
}

/**
 * Judges the observations of one MX host, without any grade. A host that senders skip has
 * no match with the policy, since no sender compares its name.
 */
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
      addressLookup: isUnseen(host, ignored) ? 'failed' : undefined,
      addresses: addresses.map((address) => address.summary),
    },
  };
}

/**
 * Returns whether no tried address of the host accepts mail, and the check omitted other
 * addresses. The state of the host is then unknown, since senders may reach an omitted
 * address.
 */
export function isUntried({ addresses }: Pick<JudgedHost, 'addresses'>): boolean {
  return (
    addresses.some(({ summary }) => summary.reason === 'too-many') &&
    !addresses.some(({ summary }) => summary.status === 'reachable')
  );
}

/** Returns whether no address of the host is known, because the lookups failed. */
function isUnseen(
  { addresses, addressLookup }: HostEvidence,
  ignored: MailHost['passedOver'],
): boolean {
  return ignored === undefined && addresses.length === 0 && addressLookup.status === 'failed';
}

/**
 * Judges one address. Certificates of an earlier run are judged only if no newer
 * certificate of the same algorithm replaced them: a server with two certificates
 * presents one per connection.
 */
function judgeAddress(
  evidence: Evidence,
  host: HostEvidence,
  address: AddressEvidence,
): JudgedAddress {
  const { connections } = address;
  const connection = bestConnection(connections);
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
  ).filter((certificate) => !now.some((current) => sameKey(current, certificate)));
  const gone = before.filter((certificate) =>
    now.some((current) => current.summary.keyAlgorithm === certificate.summary.keyAlgorithm),
  );
  const certificates = [...now, ...before.filter((certificate) => !gone.includes(certificate))];
  const inference = infer(probeLog(connections));
  const probed = { inference, inventory: summarise(inference) };
  const withoutSni = judgeWithoutSni(evidence, host, connections, certificates);
  return {
    evidence: address,
    connection,
    intermittent: intermittentTls(connections),
    insideTls: insideTls(connection),
    strictTls: strictTlsOf(connection, probed),
    certificates,
    gone,
    withoutSni,
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
      withoutSni: withoutSni?.answer,
      largeHello: probed.inventory.largeHello,
      decryptedLater: decryptedLater(inference),
      senders: senderResults(connections),
      inferredFrom: address.inferredFrom,
      submission:
        address.submission &&
        address.submission.map((submissionEvidence) =>
          judgeSubmission(evidence, host, address.ip, submissionEvidence),
        ),
    },
  };
}

/**
 * Returns the strict TLS state of a server. The handshake offers every version and suite,
 * so the server may have chosen an old suite. Only questions of the prober show whether
 * the server also accepts a current suite.
 */
function strictTlsOf(
  connection: ConnectionEvidence | undefined,
  { inference, inventory: { versions } }: Probed,
): StrictTls | undefined {
  const { version, suite } = connection?.handshake ?? {};
  if (version === undefined || suite === undefined) return undefined;
  if (isStrictSession(version, suite)) return 'works';
  const { settled } = evaluate(inference, { kind: 'strict' });
  if (settled === 'accepted') return 'works';
  const newer = [versions['TLSv1.2'], versions['TLSv1.3']].includes('accepted');
  if (!newer && /^TLSv1(\.1)?$/.test(version)) return 'old-version';
  return settled === 'refused' ? 'old-suites' : 'unknown';
}

/** Returns the server's reply; empty if the conversation did not end with a reply. */
function replied(connection: ConnectionEvidence | undefined): Pick<MailAddress, 'reply'> {
  const reply = replyOf(connection);
  return reply === undefined ? {} : { reply };
}

/**
 * Judges a submission port like port 25, without DANE: TLSA records of port 25 do not
 * apply to another port (RFC 6698 §3).
 */
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

/** Judges the chains of several connections, and returns one judgement for each key. */
function judgeAll(
  evidence: Evidence,
  host: HostEvidence,
  connections: readonly ConnectionEvidence[],
): readonly JudgedCertificate[] {
  const judged = connections
    .flatMap((connection) => connection.handshake ?? connection.presented ?? [])
    .flatMap((presentedChain) => judgeCertificate(evidence, host, presentedChain) ?? []);
  return judged.filter(
    (certificate, index) => judged.findIndex((other) => sameKey(certificate, other)) === index,
  );
}

/**
 * Certificates are compared by key: DANE does not distinguish a renewal with the same
 * key.
 */
const sameKey = (left: JudgedCertificate, right: JudgedCertificate): boolean =>
  left.summary.spkiSha256 === right.summary.spkiSha256;

/**
 * Returns the role of each TLSA record and the state of the key change. Empty if a record
 * could not be read, since roles are matched to records by position.
 */
function rollover(
  { tlsa }: HostEvidence,
  addresses: readonly JudgedAddress[],
): Pick<MailHost['tlsa'], 'roles' | 'rollover'> {
  const records = tlsa.records.flatMap((recordText) => parseTlsa(recordText) ?? []);
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

/** Versions that can have suites in the inventory, newest first. */
const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;

/**
 * Returns the TLS facts of an address for the result: suites that the inventory proved,
 * and those of completed handshakes, each once.
 */
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
      (cipherSuite, index, all) =>
        all.findIndex(
          (other) => other.version === cipherSuite.version && other.name === cipherSuite.name,
        ) === index,
    ),
    order: inventory.order,
    groups: [...new Set([...inventory.groups.accepted.map(groupName), ...groups])],
  };
}

/**
 * Returns whether no sender reaches the host, so that neither policy nor MX record can
 * use it (RFC 6890 §2.2).
 */
export function isUnroutable({ addresses }: HostEvidence): boolean {
  return addresses.length > 0 && addresses.every(({ reason }) => reason === 'net-guarded');
}

/**
 * Returns true if no address of the host has a failure before or inside TLS. A finding of
 * severity `good` claims that mail arrives, which a handshake alone does not show.
 */
export function takesMail({ addresses }: JudgedHost): boolean {
  return addresses.every(
    ({ summary, certificates, insideTls, intermittent, strictTls }) =>
      summary.status !== 'reachable' ||
      (certificates.length > 0 &&
        !intermittent &&
        (strictTls ?? 'works') === 'works' &&
        (insideTls ?? 'works') === 'works'),
  );
}
