import type { Upstream, TrustAnchor } from '../dns/index.js';
import type { Endpoint, Network } from '../net/index.js';
import type { Issued } from '../pki/index.js';
import { parseCertificate, trustStore, type TrustStore } from '../x509/index.js';
import { mailServer, type ReceivedMail } from './actors/mail-server.js';
import { PolicyHost } from './actors/policy-host.js';
import { asciiOf, buildScenario } from './build-scenario.js';
import {
  mailHosts,
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

export interface LabOptions {
  /** Default: every scenario there is. */
  readonly scenarios?: readonly Scenario[];
  /** False switches every attacker off. Default true. */
  readonly attackers?: boolean;
}

/**
 * A whole mail internet: signed DNS, mail servers, policy hosts, and people on the path.
 */
export interface Lab {
  readonly network: Network;
  readonly upstreams: readonly Upstream[];
  /** The lab's DNS root. */
  readonly anchors: readonly TrustAnchor[];
  /** The lab's certificate root. */
  readonly trustStore: TrustStore;
  /** The same root, PEM. */
  readonly rootPem: string;
  readonly scenarios: readonly Scenario[];
  /** Nobody has to be spared here: for the options of a check. */
  readonly spacingMs: number;
  /**
   * Messages that any server of the lab accepted, the attacker's among them (`server:
   * 'attacker'`).
   */
  readonly mail: readonly ReceivedMail[];
  /** Every command that an attacker's own server heard. */
  readonly heard: readonly string[];
  /**
   * Puts a fault on a DNS question such as `_25._tcp.mx.good.example TLSA`; what it
   * returns puts back what was before.
   */
  fault(question: string, fault: DnsFault): () => void;
  /**
   * Begins an attack on a domain's mail, or on that of other hosts in the place of its
   * own; resolves to what ends it.
   */
  attack(domain: string, attack: LabAttack, at?: readonly MailHostAddress[]): Promise<() => void>;
  /** Cuts one mail host off, by its address; what it returns lets it back. */
  cutOff(address: string): () => void;
  /** What a host of the lab shows, with its key: for a real server in its place. */
  certificatesOf(host: string): readonly Issued[];
  /**
   * The mail hosts of a domain and their addresses, most preferred first, whatever
   * attackers say.
   */
  hostsOf(domain: string): readonly MailHostAddress[];
  /** How the resolver behaves from now on. */
  resolverHabit(habit: ResolverHabit): void;
  /** Puts a real server at a logical address. */
  attach(address: string, port: number, target: Endpoint): void;
  /** Opens the lab to other programs on 127.x.y.z, ports 25, 53 and 443. Needs root. */
  expose(): Promise<Exposed>;
  close(): Promise<void>;
}

/**
 * The zones that are no scenario's: the root, the top level, and who hosts or attacks.
 */
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

/** Starts a lab. It lives until {@link Lab.close}. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const { scenarios = allScenarios, attackers = true } = options;
  const now = Date.now();
  const world = new LabPki(now);
  const network = new LabNetwork();
  const policyHost = new PolicyHost();
  const mail: ReceivedMail[] = [];
  const heard: string[] = [];
  const onHeard = (command: string): void => void heard.push(command);
  const site = {
    world,
    network,
    policyHost,
    attackers,
    onMail: (message: ReceivedMail) => void mail.push(message),
  };
  try {
    const zones = [...commonZones];
    for (const scenario of scenarios) zones.push(await buildScenario(scenario, site));
    const dns = new LabDns(zones, now);
    const faults = new Map(
      attackers ? scenarios.flatMap(({ attack }) => Object.entries(attack?.faults ?? {})) : [],
    );
    for (const [question, fault] of faults) dns.fault(question, fault);
    await network.listenTcp(places.policyHost, 443, policyHost.serve);
    const ofAttacker = mailServer({
      name: 'mx.attacker.example',
      certificates: world.certificatesFor('mx.attacker.example', 'trusted'),
      onMail: (message) => site.onMail({ ...message, server: 'attacker' }),
      onCommand: onHeard,
    });
    await network.listenTcp(places.attacker, 25, ofAttacker);
    await dns.listen(network, places.resolver);
    const root = parseCertificate(world.root.der);
    if (!root.ok) throw new TypeError('the lab made a root that cannot be read');
    return {
      network,
      upstreams: [{ address: places.resolver, port: 53, label: places.resolver }],
      anchors: dns.anchors,
      trustStore: trustStore([root.value]),
      rootPem: world.root.certPem,
      scenarios: scenarios.map((s) => ({ ...s, domain: asciiOf(s.domain) })),
      spacingMs: 0,
      mail,
      heard,
      fault(question, fault) {
        faults.set(question, fault);
        return dns.fault(question, fault);
      },
      resolverHabit: (habit) => void (dns.habit = habit),
      attack: (domain, attack, at) =>
        mountAttack(
          attack,
          domain,
          { world, network, dns, policyHost, onMail: site.onMail, onHeard },
          at,
        ),
      cutOff(address) {
        const back = network.keep(address, 25);
        network.block(address, 25, 'refuse');
        return back;
      },
      certificatesOf: (host) => world.shownBy(host),
      hostsOf: (domain) => mailHosts(domain, dns),
      attach: (address, port, target) => network.attach(address, port, target),
      expose: () => expose(network, zones, now, faults),
      close: () => network.close(),
    };
  } catch (error) {
    await network.close();
    throw error;
  }
}
