import { Name } from '../../base/index.js';
import {
  denialChain,
  dnskeyRecord,
  dsRecord,
  generateZoneKey,
  parseZone,
  RRType,
  signRrset,
  type DenialScheme,
  type DsDigestType,
  type ResourceRecord,
  type SigningAlgorithm,
  type ZoneSigningKey,
} from '../../dns/index.js';

/** The definition of a zone. */
export interface ZoneSpec {
  /** Presentation form. */
  readonly apex: string;
  /**
   * Zone file text, relative to the apex; SOA and NS are added. A function is evaluated
   * at the first query.
   */
  readonly records?: string | (() => string);
  /** Undefined: unsigned. */
  readonly signed?: {
    readonly algorithm?: SigningAlgorithm;
    readonly denial?: 'nsec' | 'nsec3' | 'nsec3-optout';
    /** NSEC3 iterations. Default 0. */
    readonly iterations?: number;
    /** Digest types of the DS records at the parent. By default only SHA-256. */
    readonly dsDigests?: readonly DsDigestType[];
    /**
     * Algorithm in the DS records instead of the key's algorithm: the zone appears to be
     * signed with it.
     */
    readonly dsAlgorithm?: number;
    /**
     * Age and remaining validity of the signatures, days. By default one hour and 14
     * days.
     */
    readonly period?: { readonly age: number; readonly left: number };
  };
  /**
   * Fault of the zone's signatures. `wrong-key`: signed with a key that the zone does not
   * publish.
   */
  readonly fault?: 'expired' | 'not-yet-valid' | 'wrong-key' | 'stripped';
}

export function zoneText({ records = '' }: ZoneSpec): string {
  return typeof records === 'string' ? records : records();
}

export interface ZoneNode {
  readonly name: Name;
  readonly sets: Map<number, ResourceRecord[]>;
}

const TTL = 300;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * One authoritative zone. Key, records and signatures are created at the first query and
 * cached: signing all zones would take most of the start time of a lab.
 */
export class Zone {
  readonly apex: Name;
  readonly dsDigests: readonly DsDigestType[];
  readonly dsAlgorithm: number | undefined;
  readonly fault: ZoneSpec['fault'];
  readonly #children: Zone[] = [];
  #key: ZoneSigningKey | undefined;
  #otherKey: ZoneSigningKey | undefined;
  #nodes: Map<string, ZoneNode> | undefined;
  #existing: ReadonlySet<string> | undefined;
  #redirections: readonly ZoneNode[] | undefined;
  readonly #scheme: DenialScheme;
  readonly #signatures = new Map<ResourceRecord, ResourceRecord>();
  #denial: readonly ResourceRecord[] | undefined;

  constructor(
    private readonly spec: ZoneSpec,
    private readonly now: number,
  ) {
    this.apex = Name.of(spec.apex);
    this.dsDigests = spec.signed?.dsDigests ?? [2];
    this.dsAlgorithm = spec.signed?.dsAlgorithm;
    this.fault = spec.fault;
    const denial = spec.signed?.denial ?? 'nsec';
    this.#scheme =
      denial === 'nsec'
        ? { kind: 'nsec' }
        : {
            kind: 'nsec3',
            optOut: denial === 'nsec3-optout',
            iterations: spec.signed?.iterations ?? 0,
            salt: new Uint8Array(0),
          };
  }

  get key(): ZoneSigningKey | undefined {
    const { signed } = this.spec;
    if (signed) this.#key ??= zoneKey(signed.algorithm ?? 13);
    return this.#key;
  }

  /** Every name with records, by key. */
  get nodes(): ReadonlyMap<string, ZoneNode> {
    if (!this.#nodes) {
      this.#nodes = new Map();
      for (const resourceRecord of this.#records()) add(this.#nodes, resourceRecord);
    }
    return this.#nodes;
  }

  /** Adds a delegation to a child zone, with a DS record if the child is signed. */
  delegate(child: Zone): void {
    this.#children.push(child);
  }

  *#records(): Iterable<ResourceRecord> {
    const parsed = parseZone(
      `@ SOA ns.lab.example. hostmaster.lab.example. 1 3600 600 86400 300\n@ NS ns.lab.example.\n${zoneText(this.spec)}`,
      { origin: this.apex, defaultTtl: TTL },
    );
    if (!parsed.ok) throw new TypeError(`zone ${this.spec.apex}: ${parsed.failure.detail}`);
    yield* parsed.value;
    if (this.key) yield dnskeyRecord(this.apex, this.key, TTL);
    const nameServers = parsed.value.find(({ type }) => type === RRType.NS);
    for (const child of this.#children) {
      if (nameServers) yield { ...nameServers, name: child.apex };
      if (!child.key) continue;
      for (const digest of child.dsDigests) {
        const resourceRecord = dsRecord(child.apex, child.key, digest, TTL);
        if (child.dsAlgorithm !== undefined) resourceRecord.rdata[2] = child.dsAlgorithm;
        yield resourceRecord;
      }
    }
  }

  /** Returns true for a name with records at it or below it. */
  exists(domainName: Name): boolean {
    this.#existing ??= new Set(
      [...this.nodes.values()].flatMap(({ name }) => namesUpTo(this.apex, name)),
    );
    return this.#existing.has(domainName.key);
  }

  /** The nodes that redirect everything below them. */
  get redirections(): readonly ZoneNode[] {
    this.#redirections ??= [...this.nodes.values()].filter(({ sets }) => sets.has(RRType.DNAME));
    return this.#redirections;
  }

  /** Returns the records with their signature; NS at a delegation is never signed. */
  withSignature(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
    const [first] = records;
    if (!first || !this.key || this.fault === 'stripped') return records;
    if (first.type === RRType.NS && !first.name.equals(this.apex)) return records;
    let signature = this.#signatures.get(first);
    if (!signature) {
      const zoneSigningKey = this.#signingKey(first.type) ?? this.key;
      signature = signRrset(records, zoneSigningKey, this.apex, this.#window(first.type));
      this.#signatures.set(first, signature);
    }
    return [...records, signature];
  }

  /**
   * Returns the key that the zone does not publish, if the fault of the zone is
   * `wrong-key`.
   */
  #signingKey(recordType: number): ZoneSigningKey | undefined {
    if (this.fault !== 'wrong-key' || recordType === RRType.DNSKEY) return undefined;
    return (this.#otherKey ??= generateZoneKey(13));
  }

  /** NSEC or NSEC3 records of the whole zone, in chain order. */
  get denial(): readonly ResourceRecord[] {
    this.#denial ??= this.key ? denialChain(this.apex, this.#names(), this.#scheme, TTL) : [];
    return this.#denial;
  }

  get usesNsec3(): boolean {
    return this.#scheme.kind === 'nsec3';
  }

  #names(): { name: Name; types: number[]; delegation: boolean }[] {
    const all = new Map<string, { name: Name; types: number[]; delegation: boolean }>();
    for (const { name, sets } of this.nodes.values()) {
      const types = [...sets.keys()];
      all.set(name.key, {
        name,
        types,
        delegation: types.includes(RRType.NS) && !types.includes(RRType.SOA),
      });
      for (let node = name.parent; node.labelCount > this.apex.labelCount; node = node.parent) {
        if (!all.has(node.key) && !this.nodes.has(node.key))
          all.set(node.key, { name: node, types: [], delegation: false });
      }
    }
    return [...all.values()];
  }

  /**
   * Returns the validity of signatures. The key set itself stays valid, so that only the
   * other signatures are faulty.
   */
  #window(recordType: number): { inception: number; expiration: number } {
    if (recordType !== RRType.DNSKEY && this.fault === 'expired')
      return { inception: this.now - 30 * DAY, expiration: this.now - 10 * DAY };
    if (recordType !== RRType.DNSKEY && this.fault === 'not-yet-valid')
      return { inception: this.now + 10 * DAY, expiration: this.now + 30 * DAY };
    const { age = HOUR / DAY, left = 14 } = this.spec.signed?.period ?? {};
    return { inception: this.now - age * DAY, expiration: this.now + left * DAY };
  }
}

/** Returns the keys of a name and its ancestors in the zone. */
function namesUpTo(apex: Name, domainName: Name): readonly string[] {
  const keys = [domainName.key];
  for (let node = domainName; node.labelCount > apex.labelCount; node = node.parent)
    keys.push(node.parent.key);
  return keys;
}

function add(nodes: Map<string, ZoneNode>, resourceRecord: ResourceRecord): void {
  const zoneNode = nodes.get(resourceRecord.name.key) ?? {
    name: resourceRecord.name,
    sets: new Map<number, ResourceRecord[]>(),
  };
  nodes.set(resourceRecord.name.key, zoneNode);
  const records = zoneNode.sets.get(resourceRecord.type);
  if (records) records.push(resourceRecord);
  else zoneNode.sets.set(resourceRecord.type, [resourceRecord]);
}

const rsaKeys = new Map<SigningAlgorithm, ZoneSigningKey>();

/**
 * Returns the key of a zone. RSA keys are slow to generate: all zones of the process
 * share one key for each algorithm.
 */
function zoneKey(algorithm: SigningAlgorithm): ZoneSigningKey {
  if (algorithm !== 8 && algorithm !== 10) return generateZoneKey(algorithm);
  const zoneKeyPair = rsaKeys.get(algorithm) ?? generateZoneKey(algorithm);
  rsaKeys.set(algorithm, zoneKeyPair);
  return zoneKeyPair;
}
