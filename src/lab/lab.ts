import type { Upstream, TrustAnchor } from '../dns/index.js';
import type { Endpoint, Network } from '../net/index.js';
import type { Issued } from '../pki/index.js';
import { parseCertificate, trustStore, type TrustStore } from '../x509/index.js';
import { mailServer, type ReceivedMail } from './actors/mail-server.js';
import { PolicyHost } from './actors/policy-host.js';
import { asciiOf, buildScenario } from './build-scenario.js';
import {
  mailHostAddresses,
  mountAttack,
  type LabAttack,
  type MailHostAddress,
} from './attackers/start-attack.js';
import { LabDns, type DnsFault, type ResolverHabit } from './dns/lab-dns.js';
import type { ZoneSpec } from './dns/zone.js';
import { expose, type Exposed } from './expose.js';
import { LabNetwork } from './network/lab-network.js';
import { allScenarios } from './scenarios/all-scenarios.js';
import type { Scenario } from './scenarios/scenario.js';
import { places, LabPki } from './actors/pki.js';

/** Selects the part of the lab to start. */
export interface LabOptions {
  /** By default all scenarios. Fewer scenarios start faster. */
  readonly scenarios?: readonly Scenario[];
  /** False switches every attacker off. Default true. */
  readonly attackers?: boolean;
}

/** A running lab: signed DNS, mail servers, policy hosts and attackers. */
export interface Lab {
  readonly network: Network;
  readonly upstreams: readonly Upstream[];
  /** The lab's DNS root. */
  readonly anchors: readonly TrustAnchor[];
  /** The lab's certificate root. */
  readonly trustStore: TrustStore;
  /** The lab's certificate root, PEM. */
  readonly rootPem: string;
  readonly scenarios: readonly Scenario[];
  /**
   * Pause between probes for the options of a check: 0, because no real server is loaded.
   */
  readonly spacingMs: number;
  /**
   * Messages that the servers of the lab accepted, including the attacker's (`server:
   * 'attacker'`).
   */
  readonly mail: readonly ReceivedMail[];
  /** The commands that the attacker's own server received. */
  readonly heard: readonly string[];
  /**
   * Sets a fault for a DNS question such as `_25._tcp.mx.good.example TLSA`. Returns a
   * function that restores the previous state.
   */
  fault(question: string, dnsFault: DnsFault): () => void;
  /**
   * Starts an attack on the mail of a domain, at its hosts or at the hosts given.
   * Resolves to a function that ends the attack.
   */
  attack(
    domainName: string,
    attack: LabAttack,
    targets?: readonly MailHostAddress[],
  ): Promise<() => void>;
  /**
   * Makes a mail host refuse connections. Returns a function that reconnects the host.
   */
  cutOff(address: string): () => void;
  /**
   * Returns the certificates of a host with their keys, for a real server that replaces
   * the host.
   */
  certificatesOf(hostName: string): readonly Issued[];
  /**
   * Returns mail hosts and addresses, most preferred first, unaffected by DNS attacks.
   */
  hostsOf(domainName: string): readonly MailHostAddress[];
  /** Sets the behaviour of the resolver. */
  resolverHabit(habit: ResolverHabit): void;
  /** Connects a real server to a logical address. */
  attach(address: string, portNumber: number, target: Endpoint): void;
  /** Opens the lab to other programs on 127.x.y.z, ports 25, 53 and 443. Needs root. */
  expose(): Promise<Exposed>;
  close(): Promise<void>;
}

/** Zones that belong to no scenario: root, top level, hosting provider and attacker. */
const commonZones: readonly ZoneSpec[] = [
  { apex: '.', signed: { algorithm: 8 } },
  { apex: 'example', signed: { algorithm: 13 } },
  {
    apex: 'lab.example',
    records: `ns A ${places.resolver}\nwww A ${places.policyHost}`,
    signed: {},
  },
  { apex: 'attacker.example', records: `mx A ${places.attacker}` },
];

/** Starts a lab. Its sockets stay open until {@link Lab.close}. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const { scenarios = allScenarios, attackers = true } = options;
  const now = Date.now();
  const labPki = new LabPki(now);
  const network = new LabNetwork();
  const policyHost = new PolicyHost();
  const mail: ReceivedMail[] = [];
  const attackerCommands: string[] = [];
  const onAttackerCommand = (command: string): void => void attackerCommands.push(command);
  const site = {
    pki: labPki,
    network,
    policyHost,
    attackers,
    onMail: (message: ReceivedMail) => void mail.push(message),
  };
  try {
    const zones = [...commonZones];
    for (const scenario of scenarios) zones.push(await buildScenario(scenario, site));
    const labDns = new LabDns(zones, now);
    const faults = new Map(
      attackers ? scenarios.flatMap(({ attack }) => Object.entries(attack?.faults ?? {})) : [],
    );
    for (const [question, dnsFault] of faults) labDns.fault(question, dnsFault);
    await network.listenTcp(places.policyHost, 443, policyHost.serve);
    const ofAttacker = mailServer({
      name: 'mx.attacker.example',
      certificates: labPki.certificatesFor('mx.attacker.example', 'trusted'),
      onMail: (message) => site.onMail({ ...message, server: 'attacker' }),
      onCommand: onAttackerCommand,
    });
    await network.listenTcp(places.attacker, 25, ofAttacker);
    await labDns.serveAt(network, places.resolver);
    const root = parseCertificate(labPki.root.der);
    if (!root.ok) throw new TypeError('the root certificate of the lab is malformed');
    return {
      network,
      upstreams: [{ address: places.resolver, port: 53, label: places.resolver }],
      anchors: labDns.anchors,
      trustStore: trustStore([root.value]),
      rootPem: labPki.root.certPem,
      scenarios: scenarios.map((scenario) => ({ ...scenario, domain: asciiOf(scenario.domain) })),
      spacingMs: 0,
      mail,
      heard: attackerCommands,
      fault(question, dnsFault) {
        faults.set(question, dnsFault);
        return labDns.fault(question, dnsFault);
      },
      resolverHabit: (resolverHabit) => void (labDns.habit = resolverHabit),
      attack: (domainName, attack, targets) =>
        mountAttack(
          attack,
          domainName,
          { pki: labPki, network, dns: labDns, policyHost, onMail: site.onMail, onAttackerCommand },
          targets,
        ),
      cutOff(address) {
        const restore = network.keep(address, 25);
        network.block(address, 25, 'refuse');
        return restore;
      },
      certificatesOf: (hostName) => labPki.shownBy(hostName),
      hostsOf: (domainName) => mailHostAddresses(domainName, labDns),
      attach: (address, portNumber, target) => network.attach(address, portNumber, target),
      expose: () => expose(network, zones, now, faults),
      close: () => network.close(),
    };
  } catch (error) {
    await network.close();
    throw error;
  }
}
