import { BoundedMap, Name, unwrap } from '../../base/index.js';
import {
  denialChain,
  dnskeyRecord,
  dsRecord,
  formatRecord,
  generateZoneKey,
  lookupZone,
  OnlineZone,
  parseRecord,
  parseTrustAnchors,
  Rcode,
  responseTo,
  RRType,
  type Message,
  type RecordSets,
  type ResourceRecord,
  type TrustAnchor,
  type ZoneData,
} from '../../dns/index.js';
import { LabDns } from '../dns/lab-dns.js';
import {
  sharedHosts,
  type SyntheticDomain,
  type SyntheticFacts,
  type SyntheticHost,
  type SyntheticProvider,
} from './synthetic-facts.js';

const TTL = 3600;
/** The maximum number of zones in memory. */
const MAX_ZONES = 20_000;

/**
 * The resolver of a synthetic internet. It computes and signs the records for each
 * question. The denial of every unsigned delegation is one prepared record: an NSEC3 with
 * opt-out (RFC 5155 §6) that covers the whole top-level domain.
 */
export class SyntheticDns extends LabDns {
  readonly #facts: SyntheticFacts;
  readonly #key = generateZoneKey(13);
  readonly #root: OnlineZone;
  readonly #topLevels = new Map<string, ZoneData>();
  readonly #zones = new BoundedMap<ZoneData>(MAX_ZONES);
  /** Number of questions so far, by type number. */
  readonly questions = new Map<number, number>();

  /** `tlsaOf`: the TLSA data of a provider with usable records. */
  constructor(
    facts: SyntheticFacts,
    private readonly tlsaOf: (provider: SyntheticProvider) => string,
  ) {
    super([], Date.now());
    this.#facts = facts;
    const topLevels = [...facts.topLevels, 'synp'];
    this.#root = this.#online(Name.root, (name) => this.#rootSets(name, topLevels), true);
    for (const topLevel of topLevels)
      this.#topLevels.set(topLevel, this.#topLevel(Name.of(topLevel)));
  }

  override get anchorLine(): string {
    return `${formatRecord(dnskeyRecord(Name.root, this.#key))}\n`;
  }

  override get anchors(): readonly TrustAnchor[] {
    return unwrap('trust anchor', parseTrustAnchors(this.anchorLine), '');
  }

  /** Computes the records of these domains again, since their facts changed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#zones.delete(name);
  }

  override honest(name: Name, type: number): Message {
    this.questions.set(type, (this.questions.get(type) ?? 0) + 1);
    const zone = this.#zoneOf(type === RRType.DS && !name.isRoot ? name.parent : name);
    if (!zone) return responseTo(name, type, { rcode: Rcode.NXDOMAIN });
    const { rcode, answers, authorities } = lookupZone(zone, name, type);
    return responseTo(name, type, { rcode, answers, authorities });
  }

  #zoneOf(name: Name): ZoneData | undefined {
    const labels = name.labels.map((label) => Buffer.from(label).toString('latin1').toLowerCase());
    const topLevel = labels.at(-1);
    const label = labels.at(-2);
    if (topLevel === undefined) return this.#root;
    if (label === undefined) return this.#topLevels.get(topLevel) ?? this.#root;
    const key = `${label}.${topLevel}`;
    const known = this.#zones.get(key);
    if (known) return known;
    const made = this.#zoneNamed(label, topLevel);
    if (made) this.#zones.set(key, made);
    return made ?? this.#topLevels.get(topLevel) ?? this.#root;
  }

  #zoneNamed(label: string, topLevel: string): ZoneData | undefined {
    const apex = Name.of(`${label}.${topLevel}`);
    const domain = this.#facts.domainNamed(label, topLevel);
    if (domain)
      return this.#online(apex, setsOf(apex, domainLines(domain, this.#facts)), domain.signed);
    const provider = topLevel === 'synp' ? this.#facts.providerNamed(label) : undefined;
    if (!provider) return undefined;
    const fixed = setsOf(apex, this.#providerLines(provider));
    return this.#online(
      apex,
      (name) => fixed(name) ?? this.#customerHost(provider, name),
      provider.signed,
    );
  }

  /** Returns the host name of one customer: `d12-syn2.mail.prov1.synp`. */
  #customerHost(provider: SyntheticProvider, name: Name): RecordSets | undefined {
    const label = Buffer.from(name.labels[0] ?? new Uint8Array())
      .toString('latin1')
      .toLowerCase();
    const [own = '', topLevel = ''] = label.split('-');
    const domain = this.#facts.domainNamed(own, topLevel);
    const host = domain?.provider === provider ? domain.hosts[0] : undefined;
    if (!host || host.name !== name.toLower()) return undefined;
    return new Map([[RRType.A, addressRecords(host)]]);
  }

  #providerLines(provider: SyntheticProvider): readonly string[] {
    const customers = provider.kind === 'named' ? ['mail TXT "customers"'] : [];
    const hosts = sharedHosts(provider).flatMap(({ name, addresses }) => {
      const label = name.slice(0, name.indexOf('.'));
      const tlsa =
        provider.tlsa === 'none' ? [] : [`_25._tcp.${label} TLSA ${this.tlsaOf(provider)}`];
      return [...addresses.map((address) => `${label} A ${address}`), ...tlsa];
    });
    return [...customers, ...hosts];
  }

  #rootSets(name: Name, topLevels: readonly string[]): RecordSets | undefined {
    if (name.isRoot) return apexSets(name);
    return topLevels.includes(name.toLower()) ? this.#delegation(name, true) : undefined;
  }

  #delegation(name: Name, signed: boolean): RecordSets {
    const sets = new Map<number, readonly ResourceRecord[]>([
      [RRType.NS, [record(name, 'NS ns.synp.')]],
    ]);
    return signed ? sets.set(RRType.DS, [dsRecord(name, this.#key, 2, TTL)]) : sets;
  }

  /** Returns a top-level domain: delegations on demand, and one prepared denial. */
  #topLevel(apex: Name): ZoneData {
    const zone = this.#online(apex, (name) => this.#topLevelSets(apex, name), true);
    const [nsec3] = denialChain(
      apex,
      [{ name: apex, types: [RRType.SOA, RRType.NS, RRType.DNSKEY], delegation: false }],
      { kind: 'nsec3', optOut: true, iterations: 0, salt: new Uint8Array(0) },
      TTL,
    );
    const proof = nsec3 ? zone.withSignature([nsec3]) : [];
    return {
      apex,
      recordSets: (name) => zone.recordSets(name),
      exists: (name) => zone.exists(name),
      withSignature: (records) => zone.withSignature(records),
      denial: { nodata: () => proof, nxdomain: () => proof, noCloser: () => proof },
    };
  }

  #topLevelSets(apex: Name, name: Name): RecordSets | undefined {
    if (name.equals(apex)) return apexSets(apex);
    if (name.labelCount !== 2) return undefined;
    const [label = '', topLevel = ''] = name.toLower().split('.');
    const domain = this.#facts.domainNamed(label, topLevel);
    if (domain) return this.#delegation(name, domain.signed);
    const provider = topLevel === 'synp' ? this.#facts.providerNamed(label) : undefined;
    return provider && this.#delegation(name, provider.signed);
  }

  #online(
    apex: Name,
    recordSets: (name: Name) => RecordSets | undefined,
    signed: boolean,
  ): OnlineZone {
    const content = { apex, recordSets, now: Date.now };
    return new OnlineZone(signed ? { ...content, key: this.#key } : content);
  }
}

function domainLines(domain: SyntheticDomain, facts: SyntheticFacts): readonly string[] {
  const { name, route, hosts, sts, tlsRpt, index } = domain;
  if (route === 'null-mx') return ['@ MX 0 .'];
  if (route === 'none') return [];
  const own = hosts.filter((host) => host.name.endsWith(`.${name}`));
  return [
    ...hosts.map((host, at) => `@ MX ${10 * (at + 1)} ${host.name}.`),
    ...own.flatMap((host) => host.addresses.map((address) => `${host.name}. A ${address}`)),
    ...(sts === 'none' ? [] : [`_mta-sts TXT "v=STSv1; id=${index}"`]),
    ...(sts === 'none' || sts === 'no-address' ? [] : [`mta-sts A ${facts.policyAddress(index)}`]),
    ...(tlsRpt ? [`_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@${name}"`] : []),
  ];
}

function addressRecords({ name, addresses }: SyntheticHost): readonly ResourceRecord[] {
  return addresses.map((address) => record(Name.of(name), `A ${address}`));
}

/** Returns the record sets of a small zone, by owner name. */
function setsOf(apex: Name, lines: readonly string[]): (name: Name) => RecordSets | undefined {
  const sets = new Map<string, Map<number, ResourceRecord[]>>([
    [apex.key, new Map(apexSets(apex)) as Map<number, ResourceRecord[]>],
  ]);
  for (const line of lines) {
    const parsed = parseRecord(line, { origin: apex, defaultTtl: TTL });
    if (!parsed.ok) throw new TypeError(`${line}: ${parsed.failure.detail}`);
    const { name, type } = parsed.value;
    for (let node = name; node.labelCount > apex.labelCount; node = node.parent)
      if (!sets.has(node.key)) sets.set(node.key, new Map());
    const ofName = sets.get(name.key);
    ofName?.set(type, [...(ofName.get(type) ?? []), parsed.value]);
  }
  return (name) => sets.get(name.key);
}

function apexSets(apex: Name): RecordSets {
  return new Map([
    [RRType.SOA, [record(apex, 'SOA ns.synp. hostmaster.synp. 1 3600 600 86400 300')]],
    [RRType.NS, [record(apex, 'NS ns.synp.')]],
  ]);
}

function record(owner: Name, text: string): ResourceRecord {
  const parsed = parseRecord(`@ ${text}`, { origin: owner, defaultTtl: TTL });
  if (!parsed.ok) throw new TypeError(`${text}: ${parsed.failure.detail}`);
  return parsed.value;
}
