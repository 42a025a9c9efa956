import type { Socket } from 'node:net';
import type { TrustAnchor, Upstream } from '../../dns/index.js';
import { typeName } from '../../dns/index.js';
import type { Endpoint } from '../../net/index.js';
import {
  LabDns,
  LabNetwork,
  PolicyHost,
  type LabQuestion,
  type ZoneSpec,
} from '../../lab/index.js';
import {
  CaseCertificates,
  caseNames,
  caseOfName,
  caseRecords,
  openableCases,
  policyAnswer,
  Recorder,
  senderCase,
  senderCases,
  SmtpReceiver,
  tlsaDigests,
  type CasePlace,
  type CaseZoneRecords,
  type Observation,
  type SenderCase,
} from '../../sender/index.js';
import { parseCertificate, trustStore, type TrustStore } from '../../x509/index.js';

/** The zone of the offline test, and its only slot. */
export const OFFLINE_ZONE = 'sender.example';
export const OFFLINE_SLOT = 'me';

/** The receivers of a test on this machine. */
export interface Receivers {
  readonly cases: readonly SenderCase[];
  readonly recorder: Recorder;
  /** The network, DNS root and CA for a sender in this process. */
  readonly network: LabNetwork;
  readonly upstreams: readonly Upstream[];
  readonly anchors: readonly TrustAnchor[];
  readonly trustStore: TrustStore;
  /** The root certificate in `trustStore`, PEM. */
  readonly rootPem: string;
  /** The root key as a line of a trust anchor file. */
  readonly anchorLine: string;
  /** The resolver for other programs; present even if no other program uses it. */
  readonly resolver: Endpoint;
  /** Returns the endpoint of the mail host of a case, for a client without DNS. */
  mailHostOf(caseId: string): Endpoint | undefined;
  close(): Promise<void>;
}

/** The cases to open, and the programs that can reach them. */
export interface ReceiversOptions {
  /** Default: every case that needs no IPv6. */
  readonly cases?: readonly SenderCase[];
  /**
   * Listens on ports 25, 53 and 443 of loopback addresses, for other programs. Needs
   * root. Default false: only this process reaches the receivers.
   */
  readonly exposed?: boolean;
  /**
   * Milliseconds between the first message of a case with two messages and the withdrawal
   * of its policy; a sender may fetch the policy meanwhile. Default 3000.
   */
  readonly withdrawAfterMs?: number;
  onObservation?(observation: Observation): void;
  /**
   * Reports that the policy of a case was withdrawn, so that its second message can be
   * sent.
   */
  onWithdrawn?(senderCase: SenderCase): void;
}

/**
 * Last octets of the addresses with a fixed role. The last octets of case addresses begin
 * at 1.
 */
const RESOLVER = 253;
const POLICY_HOST = 254;
const DEAD_HOST = 252;

/**
 * Opens the receivers of all cases: signed DNS with a root of its own, policy hosts and
 * mail hosts. Rejects if a port cannot be opened.
 */
export async function openReceivers(options: ReceiversOptions = {}): Promise<Receivers> {
  const receivers = new OfflineReceivers(options);
  try {
    await receivers.open();
  } catch (error) {
    await receivers.close();
    throw error;
  }
  return receivers;
}

class OfflineReceivers implements Receivers {
  readonly cases: readonly SenderCase[];
  readonly recorder: Recorder;
  readonly network = new LabNetwork();
  readonly #certificates: CaseCertificates;
  readonly #policyHost: PolicyHost;
  readonly #smtp: SmtpReceiver;
  readonly #dns: LabDns;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(private readonly options: ReceiversOptions) {
    const now = Date.now();
    this.cases = options.cases ?? openableCases(senderCases, { ipv6: false });
    this.recorder = new Recorder(Date.now, (one) => options.onObservation?.(one));
    this.#certificates = new CaseCertificates(now);
    this.#policyHost = new PolicyHost((visit) => {
      const place = this.#placeOf(visit.serverName);
      const { source, status, userAgent, tlsVersion, serverName, error } = visit;
      const alert = /ALERT_([A-Z_]+)$/.exec(error ?? '')?.[1]?.toLowerCase();
      const seen = { source, status, userAgent, tlsVersion, serverName, alert };
      if (place) this.recorder.record(place, { kind: 'policy', ...seen });
    });
    this.#smtp = new SmtpReceiver({
      zone: OFFLINE_ZONE,
      recorder: this.recorder,
      certificates: this.#certificates,
      onAccepted: (place) => this.#withdrawSoon(place),
    });
    this.#dns = new LabDns(this.#zones(), now, {
      validates: true,
      onQuestion: (question) => this.#recordQuestion(question),
    });
  }

  get upstreams(): readonly Upstream[] {
    const { address } = this.resolver;
    return [{ address, port: 53, label: address }];
  }

  get resolver(): Endpoint {
    return { address: this.#address(RESOLVER), port: 53 };
  }

  get anchors(): readonly TrustAnchor[] {
    return this.#dns.anchors;
  }

  get anchorLine(): string {
    return this.#dns.anchorLine;
  }

  get rootPem(): string {
    return this.#certificates.root.certPem;
  }

  get trustStore(): TrustStore {
    const root = parseCertificate(this.#certificates.root.der);
    if (!root.ok) throw new TypeError('the root certificate of the test is malformed');
    return trustStore([root.value]);
  }

  mailHostOf(caseId: string): Endpoint | undefined {
    return this.network.targetOf(this.#addressOf(caseId), 25);
  }

  async open(): Promise<void> {
    const { network } = this;
    const at = (address: string, port: number): Endpoint | undefined =>
      this.options.exposed ? { address, port } : undefined;
    const { address } = this.resolver;
    await this.#dns.serveAt(network, address, at(address, 53));
    const policyAddress = this.#address(POLICY_HOST);
    await network.listenTcp(policyAddress, 443, this.#policyHost.serve, at(policyAddress, 443));
    for (const senderCase of this.cases) {
      const place: CasePlace = { senderCase, slot: OFFLINE_SLOT };
      const own = this.#addressOf(senderCase.id);
      const serve = (socket: Socket): void => this.#serve(socket, own, place);
      await network.listenTcp(own, 25, serve, at(own, 25));
      this.#openPolicy(senderCase);
    }
    network.block(this.#address(DEAD_HOST), 25, 'refuse');
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.network.close();
  }

  /**
   * Returns an address of a receiver: in 198.51.100.0/24 within the process (RFC 5737),
   * in 127.51.100.0/24 for other programs.
   */
  #address(last: number): string {
    return `${this.options.exposed ? '127' : '198'}.51.100.${last}`;
  }

  #addressOf(caseId: string): string {
    return this.#address(this.cases.findIndex(({ id }) => id === caseId) + 1);
  }

  #placeOf(name: string): CasePlace | undefined {
    const named = caseOfName(name, OFFLINE_ZONE);
    const found = named && senderCase(named.caseId);
    return found && { senderCase: found, slot: named.slot };
  }

  #recordQuestion({ name, type, dnssecOk, source, transport }: LabQuestion): void {
    const text = name.toLower();
    const place = this.#placeOf(text);
    if (!place) return;
    const seen = { name: text, type: typeName(type), dnssecOk, source, transport };
    this.recorder.record(place, { kind: 'dns', ...seen });
  }

  #serve(socket: Socket, address: string, place: CasePlace): void {
    const remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const connection = {
      stream: socket,
      local: { address, port: 25 },
      remote,
      close: () => void socket.destroy(),
    };
    void this.#smtp.serve(connection, place);
  }

  #openPolicy(senderCase: SenderCase): void {
    const { policy, id } = senderCase;
    if (!policy) return;
    const { policyHost } = caseNames(id, OFFLINE_SLOT, OFFLINE_ZONE);
    const place = { slot: OFFLINE_SLOT, zone: OFFLINE_ZONE };
    this.#policyHost.add(policyHost, {
      certificate: this.#certificates.certificateFor(policy.certificate ?? 'valid', policyHost),
      policy: '',
      answer: (path) => policyAnswer(senderCase, { ...place, path }),
    });
  }

  /** Withdraws the policy of a case with two messages, once. */
  #withdrawSoon(place: CasePlace): void {
    const { senderCase } = place;
    if (!senderCase.withdrawn || this.recorder.isWithdrawn(place)) return;
    const timer = setTimeout(() => {
      const { policyHost, policyRecord } = caseNames(senderCase.id, OFFLINE_SLOT, OFFLINE_ZONE);
      this.#policyHost.remove(policyHost);
      this.#dns.fault(`${policyRecord} TXT`, 'nxdomain');
      this.#dns.fault(`${policyHost} A`, 'nxdomain');
      this.recorder.withdraw(place);
      this.options.onWithdrawn?.(senderCase);
    }, this.options.withdrawAfterMs ?? 3000);
    this.#timers.add(timer);
  }

  #zones(): readonly ZoneSpec[] {
    const [, top = ''] = OFFLINE_ZONE.split('.');
    const common: ZoneSpec[] = [
      { apex: '.', signed: {} },
      { apex: top, signed: {} },
      // Bounces of the messages go to this domain, which accepts no mail (RFC 7505).
      { apex: OFFLINE_ZONE, signed: {}, records: '@ MX 0 .' },
    ];
    return [...common, ...this.cases.flatMap((senderCase) => this.#zonesOf(senderCase))];
  }

  #zonesOf(senderCase: SenderCase): readonly ZoneSpec[] {
    const { id, host } = senderCase;
    const { mxHost } = caseNames(id, OFFLINE_SLOT, OFFLINE_ZONE);
    // A certificate without TLSA records is issued for its first handshake.
    const digests = host.tlsa
      ? tlsaDigests(this.#certificates.certificateFor(host.certificate ?? 'valid', mxHost))
      : {};
    const zones = caseRecords(senderCase, {
      slot: OFFLINE_SLOT,
      zone: OFFLINE_ZONE,
      addresses: [this.#addressOf(id)],
      deadAddress: this.#address(DEAD_HOST),
      policyAddresses: [this.#address(POLICY_HOST)],
      rua: `mailto:reports@${OFFLINE_ZONE}`,
      ...digests,
    });
    return zones.map(zoneSpec);
  }
}

function zoneSpec({ apex, dnssec, records }: CaseZoneRecords): ZoneSpec {
  return {
    apex,
    records: records.map(({ owner, type, data }) => `${owner}. ${TTL} ${type} ${data}`).join('\n'),
    signed: dnssec === 'insecure' ? undefined : {},
    fault: dnssec === 'bogus' ? 'wrong-key' : undefined,
  };
}

/** Seconds: a withdrawn policy record must leave the caches of the sender soon. */
const TTL = 5;
