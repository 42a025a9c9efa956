import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { typeName, type TrustAnchor } from '../../dns/index.js';
import type { Endpoint } from '../../net/index.js';
import { createCa, issue, type Issued } from '../../pki/index.js';
import { parseCertificate, spkiSha256, trustStore, type TrustStore } from '../../x509/index.js';
import { mailServer } from '../actors/mail-server.js';
import { PolicyHost } from '../actors/policy-host.js';
import { SyntheticDns } from './synthetic-dns.js';
import { SyntheticFacts, type SyntheticDomain, type SyntheticOptions } from './synthetic-facts.js';

/** The connections that one address received. */
export interface AddressCounts {
  connections: number;
  open: number;
  /** The largest number of concurrent connections. */
  mostOpen: number;
  /**
   * The shortest time from the end of one connection to the start of the next,
   * milliseconds.
   */
  leastGapMs: number;
}

/** The traffic that a synthetic internet received. Plain JSON. */
export interface SyntheticCounts extends AddressTotals {
  readonly questions: number;
  /** Number of questions by type, such as `MX`. */
  readonly questionsByType: Readonly<Record<string, number>>;
  /** Number of sessions that ended with QUIT. */
  readonly quits: number;
  /** Number of commands of mail transactions: a scan sends none. */
  readonly mailCommands: number;
  readonly policyFetches: number;
  /** The connections to policy hosts. */
  readonly policyHosts: AddressTotals;
}

/** The connections that several addresses received. Plain JSON. */
export interface AddressTotals {
  readonly connections: number;
  /** Number of addresses with a connection. */
  readonly addresses: number;
  /** The largest number of connections that one address received. */
  readonly mostAtAddress: number;
  /** The largest number of connections that one address had at the same time. */
  readonly mostOpen: number;
  /** The shortest pause between two connections to one address; -1 without a second one. */
  readonly leastGapMs: number;
}

/** The addresses and keys of a running synthetic internet. */
export interface SyntheticInternet {
  readonly facts: SyntheticFacts;
  /** UDP and TCP. */
  readonly resolver: Endpoint;
  /** Port of every mail server. */
  readonly smtpPort: number;
  /** Port of every policy host. */
  readonly httpsPort: number;
  readonly anchors: readonly TrustAnchor[];
  /** The root key as a line of a trust anchor file. */
  readonly anchorLine: string;
  readonly trustStore: TrustStore;
  readonly rootPem: string;
  counts(): SyntheticCounts;
  /** Returns the counts of one address of a mail server or policy host. */
  countsAt(address: string): AddressCounts | undefined;
  /**
   * Addresses of policy hosts that answer every request with status 503. Tests may change
   * this set.
   */
  readonly busyPolicyHosts: Set<string>;
  resetCounts(): void;
  /**
   * Moves to the next generation, in which some domains changed. Returns the names of the
   * changed domains.
   */
  change(): readonly string[];
  close(): Promise<void>;
}

/**
 * Starts a synthetic internet on the loopback network 127.0.0.0/8: a resolver, mail
 * servers and policy hosts, each kind on one port. The server selects the host by the
 * address of the connection. Needs Linux, where every address of 127.0.0.0/8 is local,
 * and no privilege. The synthetic internet counts the received traffic.
 */
export async function startSyntheticInternet(
  options: SyntheticOptions,
): Promise<SyntheticInternet> {
  const facts = new SyntheticFacts(options);
  const certificates = new Certificates(facts);
  const dns = new SyntheticDns(facts, (provider) =>
    provider.tlsa === 'mismatch'
      ? `3 1 1 ${'0'.repeat(64)}`
      : `3 1 1 ${certificates.keyOf(provider.index)}`,
  );
  const mail = new MailServers(facts, certificates);
  const policies = new PolicyServers(facts, certificates);
  const dnsTcp = await listen((socket) => dns.serveStream(socket));
  const dnsUdp = await bindUdp((query) => dns.serve(query), portOf(dnsTcp));
  const smtp = await listen((socket) => mail.serve(socket), '0.0.0.0');
  const https = await listen((socket) => policies.serve(socket), '0.0.0.0');
  return {
    facts,
    resolver: { address: '127.0.0.1', port: portOf(dnsTcp) },
    smtpPort: portOf(smtp),
    httpsPort: portOf(https),
    anchors: dns.anchors,
    anchorLine: dns.anchorLine,
    trustStore: certificates.trustStore,
    rootPem: certificates.rootPem,
    counts: () => ({ ...questionCounts(dns), ...mail.counts(), ...policies.counts() }),
    countsAt: (address) => mail.at(address) ?? policies.at(address),
    busyPolicyHosts: policies.busy,
    resetCounts: () => {
      dns.questions.clear();
      mail.reset();
      policies.reset();
    },
    change: () => {
      facts.generation++;
      const changed = [...facts.names()].filter((_, index) => facts.changed(index));
      dns.forget(changed);
      return changed;
    },
    close: async () => {
      dnsUdp.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(
        [dnsTcp, smtp, https].map(
          (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
        ),
      );
    },
  };
}

/** Open connections of all servers of this process. */
const sockets = new Set<Socket>();

async function listen(serve: (socket: Socket) => void, address = '127.0.0.1'): Promise<Server> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.setNoDelay(true);
    serve(socket);
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen({ host: address, port: 0, backlog: 4096 }, resolve),
  );
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function bindUdp(
  answer: (query: Uint8Array) => Uint8Array | undefined,
  port: number,
): Promise<UdpSocket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 });
  socket.on('message', (query, client) => {
    const reply = answer(query);
    if (reply) socket.send(reply, client.port, client.address, () => undefined);
  });
  await new Promise<void>((resolve, reject) =>
    socket.once('error', reject).bind(port, '127.0.0.1', resolve),
  );
  return socket;
}

function questionCounts(dns: SyntheticDns): Pick<SyntheticCounts, 'questions' | 'questionsByType'> {
  const byType = [...dns.questions].map(([type, count]) => [typeName(type), count] as const);
  return {
    questions: byType.reduce((sum, [, count]) => sum + count, 0),
    questionsByType: Object.fromEntries(byType.sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}

/** The certificates of all servers, issued at their first use. */
class Certificates {
  readonly #root = createCa({ name: 'Synthetic Root' });
  readonly #untrusted = createCa({ name: 'Untrusted Root' });
  readonly #mail = new Map<number, Issued>();

  constructor(private readonly facts: SyntheticFacts) {}

  get trustStore(): TrustStore {
    const parsed = parseCertificate(this.#root.der);
    return trustStore(parsed.ok ? [parsed.value] : []);
  }

  get rootPem(): string {
    return this.#root.certPem;
  }

  at(index: number): Issued {
    const known = this.#mail.get(index);
    if (known) return known;
    const issued = issue(this.#root, { names: this.facts.certificateNames(index) });
    this.#mail.set(index, issued);
    return issued;
  }

  /** Returns the SHA-256 of a certificate's key, lower-case hex. */
  keyOf(index: number): string {
    const parsed = parseCertificate(this.at(index).der);
    return parsed.ok ? spkiSha256(parsed.value) : '';
  }

  policyHost({ name, sts }: SyntheticDomain): Issued {
    const root = sts === 'bad-certificate' ? this.#untrusted : this.#root;
    return issue(root, { names: [`mta-sts.${name}`] });
  }
}

/** Counts the connections of several addresses. */
class ConnectionCounts {
  readonly #counts = new Map<string, AddressCounts & { endedAt: number }>();

  at(address: string): AddressCounts | undefined {
    return this.#counts.get(address);
  }

  reset(): void {
    for (const [address, { open }] of this.#counts) if (open === 0) this.#counts.delete(address);
  }

  add(address: string, socket: Socket): void {
    const counts = this.#counts.get(address) ?? {
      connections: 0,
      open: 0,
      mostOpen: 0,
      leastGapMs: -1,
      endedAt: -1,
    };
    this.#counts.set(address, counts);
    const gap = counts.open > 0 ? 0 : performance.now() - counts.endedAt;
    if (counts.connections > 0)
      counts.leastGapMs = counts.leastGapMs < 0 ? gap : Math.min(counts.leastGapMs, gap);
    counts.connections++;
    counts.mostOpen = Math.max(counts.mostOpen, ++counts.open);
    socket.once('close', () => {
      counts.open--;
      counts.endedAt = performance.now();
    });
  }

  totals(): AddressTotals {
    const all = [...this.#counts.values()];
    const most = (pick: (counts: AddressCounts) => number): number =>
      all.reduce((highest, counts) => Math.max(highest, pick(counts)), 0);
    const gaps = all.map(({ leastGapMs }) => leastGapMs).filter((gap) => gap >= 0);
    return {
      connections: all.reduce((sum, { connections }) => sum + connections, 0),
      addresses: all.length,
      mostAtAddress: most(({ connections }) => connections),
      mostOpen: most(({ mostOpen }) => mostOpen),
      leastGapMs: gaps.reduce((least, gap) => Math.min(least, gap), gaps[0] ?? -1),
    };
  }
}

/**
 * The mail servers of all addresses. Hosts with the same certificate and habit share one
 * server.
 */
class MailServers {
  readonly #servers = new Map<string, (socket: Socket) => void>();
  readonly #counts = new ConnectionCounts();
  #quits = 0;
  #mailCommands = 0;

  constructor(
    private readonly facts: SyntheticFacts,
    private readonly certificates: Certificates,
  ) {}

  at(address: string): AddressCounts | undefined {
    return this.#counts.at(address);
  }

  reset(): void {
    this.#counts.reset();
    this.#quits = 0;
    this.#mailCommands = 0;
  }

  serve(socket: Socket): void {
    const address = socket.localAddress ?? '';
    const server = this.facts.serverAt(address);
    if (!server) return void socket.destroy();
    this.#counts.add(address, socket);
    const key = `${server.certificate} ${server.habit}`;
    let serve = this.#servers.get(key);
    if (!serve) {
      serve = mailServer({
        name: `mx.prov${server.certificate}.synp`,
        certificates: [this.certificates.at(server.certificate)],
        habit: server.habit,
        onCommand: (line) => this.#countCommand(line),
      });
      this.#servers.set(key, serve);
    }
    serve(socket);
  }

  #countCommand(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'QUIT') this.#quits++;
    if (['MAIL', 'RCPT', 'DATA', 'VRFY', 'EXPN'].includes(verb)) this.#mailCommands++;
  }

  counts(): AddressTotals & Pick<SyntheticCounts, 'quits' | 'mailCommands'> {
    return { ...this.#counts.totals(), quits: this.#quits, mailCommands: this.#mailCommands };
  }
}

/** The policy hosts. The policy of a domain is computed at its first request. */
class PolicyServers {
  readonly busy = new Set<string>();
  readonly #counts = new ConnectionCounts();
  readonly #host = new PolicyHost();
  readonly #busyHost = new PolicyHost();

  constructor(
    private readonly facts: SyntheticFacts,
    private readonly certificates: Certificates,
  ) {}

  serve(socket: Socket): void {
    const address = socket.localAddress ?? '';
    this.#counts.add(address, socket);
    const isBusy = this.busy.has(address);
    const host = isBusy ? this.#busyHost : this.#host;
    host.serveWith(socket, (serverName) => this.#add(host, serverName, isBusy));
  }

  at(address: string): AddressCounts | undefined {
    return this.#counts.at(address);
  }

  reset(): void {
    this.#counts.reset();
  }

  counts(): Pick<SyntheticCounts, 'policyFetches' | 'policyHosts'> {
    const policyHosts = this.#counts.totals();
    return { policyFetches: policyHosts.connections, policyHosts };
  }

  #add(host: PolicyHost, serverName: string, isBusy: boolean): void {
    const [, label = '', topLevel = ''] = /^mta-sts\.([^.]+)\.([^.]+)$/.exec(serverName) ?? [];
    const domain = this.facts.domainNamed(label, topLevel);
    if (!domain || domain.sts === 'none' || host.site(serverName)) return;
    const hosts =
      domain.sts === 'wrong-mx' ? ['mx.elsewhere.synp'] : domain.hosts.map(({ name }) => name);
    const lines = hosts.map((name) => `mx: ${name}\r\n`).join('');
    const mode = domain.sts === 'testing' ? 'testing' : 'enforce';
    host.add(serverName, {
      habit: isBusy ? 'overloaded' : 'good',
      certificate: this.certificates.policyHost(domain),
      policy: `version: STSv1\r\nmode: ${mode}\r\n${lines}max_age: 604800\r\n`,
    });
  }
}
