import type { Socket } from 'node:net';
import { Name } from '../../base/index.js';
import {
  decodeMessage,
  dnskeyRecord,
  encodeMessage,
  formatRecord,
  lookupZone,
  parseRecord,
  Rcode,
  RRType,
  typeNumber,
  responseTo,
  type Message,
  type ResourceRecord,
  type TrustAnchor,
  type ZoneData,
} from '../../dns/index.js';
import { proveNoCloser, proveNodata, proveNxdomain } from './prove-denial.js';
import type { Endpoint } from '../../net/index.js';
import type { LabNetwork } from '../network/lab-network.js';
import { Zone, type ZoneSpec } from './zone.js';

/**
 * The faulty answer to one question. `drop`: no answer. `forge`: these records, unsigned,
 * as an attacker without the zone's key can send them.
 */
export type DnsFault =
  'servfail' | 'refused' | 'drop' | 'nxdomain' | 'nodata' | { readonly forge: readonly string[] };

/**
 * Behaviour of the resolver. `strips`: the resolver removes DNSSEC records, as some
 * routers do.
 */
export type ResolverHabit = 'honest' | 'strips';

/** A question that the resolver received. */
export interface LabQuestion {
  readonly name: Name;
  readonly type: number;
  /** The client asks for signatures (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly source: string;
  readonly transport: 'udp' | 'tcp';
}

/** The client of a question. */
export type LabClient = Pick<LabQuestion, 'source' | 'transport'>;

/** Settings of a resolver for other programs. */
export interface LabDnsOptions {
  /**
   * Answers a client without CD as a validating resolver: AD for secure answers, SERVFAIL
   * for bogus ones (RFC 4035 §3.2). By default false: the resolver answers every client
   * as if the query had CD set.
   */
  readonly validates?: boolean;
  onQuestion?(question: LabQuestion): void;
}

/** Maximum number of CNAME and DNAME records followed for one question. */
const MAX_ALIASES = 12;
const DNSSEC_TYPES: ReadonlySet<number> = new Set([
  RRType.RRSIG,
  RRType.NSEC,
  RRType.NSEC3,
  RRType.DNSKEY,
  RRType.DS,
]);

/**
 * All zones of the lab behind one resolver. A validating stub receives the answers of a
 * recursive resolver with CD=1 (RFC 4035 §3.2.2), with signatures and proofs of
 * nonexistence, or the faulty answers of an attack.
 */
export class LabDns {
  readonly #zones = new Map<string, Zone>();
  readonly #faults = new Map<string, DnsFault>();
  habit: ResolverHabit = 'honest';

  constructor(
    zoneSpecs: readonly ZoneSpec[],
    now: number,
    private readonly options: LabDnsOptions = {},
  ) {
    for (const zoneSpec of zoneSpecs) {
      const zone = new Zone(zoneSpec, now);
      this.#zones.set(zone.apex.key, zone);
    }
    for (const child of this.#zones.values())
      if (!child.apex.isRoot) this.#zoneOf(child.apex.parent)?.delegate(child);
  }

  /** The root zone's key as a trust anchor. */
  get anchors(): readonly TrustAnchor[] {
    const root = this.#zones.get(Name.root.key);
    const recordData = root?.key?.rdata;
    if (!recordData) return [];
    return [
      {
        zone: Name.root,
        ds: [],
        keys: [
          {
            flags: ((recordData[0] ?? 0) << 8) | (recordData[1] ?? 0),
            protocol: recordData[2] ?? 0,
            algorithm: recordData[3] ?? 0,
            publicKey: recordData.subarray(4),
          },
        ],
      },
    ];
  }

  /** The root key as a line of a trust anchor file. */
  get anchorLine(): string {
    const root = this.#zones.get(Name.root.key);
    return root?.key ? `${formatRecord(dnskeyRecord(root.apex, root.key))}\n` : '';
  }

  /**
   * Sets a fault for a name and type, written as `_mta-sts.x.example TXT`. Returns a
   * function that restores the previous state.
   */
  fault(question: string, dnsFault: DnsFault): () => void {
    const [name = '', type = ''] = question.split(' ');
    const lookupKey = `${typeNumber(type) ?? 0} ${Name.of(name).key}`;
    const before = this.#faults.get(lookupKey);
    this.#faults.set(lookupKey, dnsFault);
    return () =>
      void (before === undefined
        ? this.#faults.delete(lookupKey)
        : this.#faults.set(lookupKey, before));
  }

  /**
   * Answers one message, truncated to the size that the client accepts (RFC 6891 §6.2.3);
   * undefined if the resolver sends no answer.
   */
  serve(query: Uint8Array, limit?: number, client?: LabClient): Uint8Array | undefined {
    const decoded = decodeMessage(query);
    const [asked] = decoded.ok ? decoded.value.questions : [];
    if (!decoded.ok || !asked) return undefined;
    const { edns, checkingDisabled } = decoded.value;
    if (client)
      this.options.onQuestion?.({ ...asked, ...client, dnssecOk: edns?.dnssecOk === true });
    const raw = this.answer(asked.name, asked.type);
    if (!raw) return undefined;
    const reply =
      this.options.validates && !checkingDisabled ? this.#validated(raw, asked.name) : raw;
    const message: Message = {
      ...reply,
      checkingDisabled,
      id: decoded.value.id,
      questions: [asked],
      edns:
        decoded.value.edns && this.habit === 'honest'
          ? { version: 0, udpSize: 1232, dnssecOk: true, options: [] }
          : undefined,
    };
    const messageBytes = encodeMessage(message);
    const room = limit ?? Math.max(512, decoded.value.edns?.udpSize ?? 512);
    return messageBytes.length <= room
      ? messageBytes
      : encodeMessage({ ...message, truncated: true, answers: [], authorities: [] });
  }

  /** Serves an address over UDP and TCP. */
  async serveAt(network: LabNetwork, address: string, endpoint?: Endpoint): Promise<void> {
    await network.listenUdp(
      address,
      53,
      (query, source) => this.serve(query, undefined, { source, transport: 'udp' }),
      endpoint,
    );
    await network.listenTcp(address, 53, (socket) => this.serveStream(socket), endpoint);
  }

  /** Answers the questions of one TCP connection (RFC 7766). */
  serveStream(socket: Socket): void {
    let pending: Buffer = Buffer.alloc(0);
    const client = { source: socket.remoteAddress ?? '', transport: 'tcp' } as const;
    socket.on('data', (messageBytes: Buffer) => {
      pending = Buffer.concat([pending, messageBytes]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const query = pending.subarray(2, 2 + pending.readUInt16BE(0));
        const reply = this.serve(query, 65_535, client);
        pending = pending.subarray(2 + pending.readUInt16BE(0));
        if (reply)
          socket.write(
            Buffer.concat([Uint8Array.of(reply.length >> 8, reply.length & 0xff), reply]),
          );
      }
    });
  }

  /**
   * Returns the resolver's answer to a question; undefined if the resolver sends no
   * answer.
   */
  answer(domainName: Name, recordType: number): Message | undefined {
    const dnsFault = this.#faults.get(`${recordType} ${domainName.key}`);
    if (dnsFault === 'drop') return undefined;
    if (dnsFault === 'servfail')
      return responseTo(domainName, recordType, { rcode: Rcode.SERVFAIL });
    if (dnsFault === 'refused') return responseTo(domainName, recordType, { rcode: Rcode.REFUSED });
    if (dnsFault === 'nxdomain' || dnsFault === 'nodata')
      return responseTo(domainName, recordType, {
        rcode: dnsFault === 'nxdomain' ? Rcode.NXDOMAIN : Rcode.NOERROR,
      });
    if (dnsFault)
      return responseTo(domainName, recordType, { answers: dnsFault.forge.map(recordOf) });
    const honest = this.honest(domainName, recordType);
    if (this.habit === 'honest') return honest;
    const passes = (resourceRecord: ResourceRecord): boolean =>
      resourceRecord.type === recordType || !DNSSEC_TYPES.has(resourceRecord.type);
    return {
      ...honest,
      answers: honest.answers.filter(
        (resourceRecord) => passes(resourceRecord) && resourceRecord.type !== RRType.RRSIG,
      ),
      authorities: honest.authorities.filter(passes),
    };
  }

  /** Returns the answer of the zones, without faults. */
  honest(domainName: Name, recordType: number): Message {
    const answers: ResourceRecord[] = [];
    let ownerName = domainName;
    for (let aliases = 0; aliases < MAX_ALIASES; aliases++) {
      // RFC 4035 §3.1.4.1: the parent zone is authoritative for DS.
      const zone = this.#zoneOf(
        recordType === RRType.DS && !ownerName.isRoot ? ownerName.parent : ownerName,
      );
      if (!zone) return responseTo(domainName, recordType, { rcode: Rcode.REFUSED });
      const found = lookupZone(zoneData(zone), ownerName, recordType);
      answers.push(...found.answers);
      if (!found.next)
        return responseTo(domainName, recordType, {
          rcode: found.rcode,
          answers,
          authorities: found.authorities,
        });
      answers.push(
        ...found.authorities.filter(({ type: proofType }) => PROOF_TYPES.has(proofType)),
      );
      ownerName = found.next;
    }
    return responseTo(domainName, recordType, { rcode: Rcode.SERVFAIL });
  }

  /** Returns the answer of a validating resolver. */
  #validated(raw: Message, domainName: Name): Message {
    const security = this.#securityOf(domainName);
    if (security === 'bogus')
      return { ...raw, rcode: Rcode.SERVFAIL, answers: [], authorities: [] };
    return { ...raw, authenticData: security === 'secure' };
  }

  /**
   * Returns the security status of a name by the zones above it, from the root down (RFC
   * 4035 §4.3).
   */
  #securityOf(domainName: Name): 'secure' | 'insecure' | 'bogus' {
    const zones: Zone[] = [];
    for (let ancestor = domainName; ; ancestor = ancestor.parent) {
      const zone = this.#zones.get(ancestor.key);
      if (zone) zones.unshift(zone);
      if (ancestor.isRoot) break;
    }
    for (const zone of zones) {
      if (!zone.key) return 'insecure';
      if (zone.fault !== undefined) return 'bogus';
    }
    return 'secure';
  }

  /** Returns the zone that contains a name: the closest zone at or above the name. */
  #zoneOf(domainName: Name): Zone | undefined {
    for (let ancestor = domainName; ; ancestor = ancestor.parent) {
      const zone = this.#zones.get(ancestor.key);
      if (zone || ancestor.isRoot) return zone;
    }
  }
}

const PROOF_TYPES: ReadonlySet<number> = new Set([RRType.NSEC, RRType.NSEC3, RRType.RRSIG]);

/** Returns a zone of the lab with the proofs of its chain. */
function zoneData(zone: Zone): ZoneData {
  return {
    apex: zone.apex,
    recordSets: (domainName) => zone.nodes.get(domainName.key)?.sets,
    exists: (domainName) => zone.exists(domainName),
    redirectionAbove: (domainName) =>
      zone.redirections
        .find(({ name }) => domainName.isAtOrBelow(name) && !domainName.equals(name))
        ?.sets.get(RRType.DNAME),
    withSignature: (records) => zone.withSignature(records),
    denial: zone.key && {
      nodata: (domainName) => proveNodata(zone, domainName),
      nxdomain: (domainName) => proveNxdomain(zone, domainName),
      noCloser: (domainName, encloser, nodata) => proveNoCloser(zone, domainName, encloser, nodata),
    },
  };
}

function recordOf(text: string): ResourceRecord {
  const parsed = parseRecord(text, { defaultTtl: 60 });
  if (!parsed.ok) throw new TypeError(`${text}: ${parsed.failure.detail}`);
  return parsed.value;
}
