import { Name } from '../../base/index.js';
import {
  decodeMessage,
  dnskeyRecord,
  encodeMessage,
  formatRecord,
  parseRecord,
  Rcode,
  readTarget,
  RRType,
  typeNumber,
  responseTo,
  type Message,
  type ResourceRecord,
  type TrustAnchor,
} from '../../dns/index.js';
import {
  encloserOf,
  proveNoCloser,
  proveNodata,
  proveNxdomain,
  wildcardBelow,
} from './prove-denial.js';
import type { Endpoint } from '../../net/index.js';
import type { LabNetwork } from '../network/lab-network.js';
import { Zone, type ZoneSpec } from './zone.js';

/**
 * What happens to one question instead of an honest answer. `forge`: these records,
 * unsigned.
 */
export type DnsFault =
  'servfail' | 'refused' | 'drop' | 'nxdomain' | 'nodata' | { readonly forge: readonly string[] };

/** How the resolver itself behaves. `strips`: it passes no DNSSEC records on. */
export type ResolverHabit = 'honest' | 'strips';

const MAX_ALIASES = 12;
const DNSSEC_TYPES: ReadonlySet<number> = new Set([
  RRType.RRSIG,
  RRType.NSEC,
  RRType.NSEC3,
  RRType.DNSKEY,
  RRType.DS,
]);

/**
 * All zones of the lab behind one resolver: it gives a validating stub what a good
 * recursive resolver would with CD=1, signatures and proofs included, or what an attacker
 * makes of it.
 */
export class LabDns {
  readonly #zones = new Map<string, Zone>();
  readonly #faults = new Map<string, DnsFault>();
  habit: ResolverHabit = 'honest';

  constructor(specs: readonly ZoneSpec[], now: number) {
    for (const spec of specs) {
      const zone = new Zone(spec, now);
      this.#zones.set(zone.apex.key, zone);
    }
    for (const child of this.#zones.values())
      if (!child.apex.isRoot) this.#zoneOf(child.apex.parent)?.delegate(child);
  }

  /** The root zone's key as a trust anchor. */
  get anchors(): readonly TrustAnchor[] {
    const root = this.#zones.get(Name.root.key);
    const rdata = root?.key?.rdata;
    if (!rdata) return [];
    return [
      {
        zone: Name.root,
        ds: [],
        keys: [
          {
            flags: ((rdata[0] ?? 0) << 8) | (rdata[1] ?? 0),
            protocol: rdata[2] ?? 0,
            algorithm: rdata[3] ?? 0,
            publicKey: rdata.subarray(4),
          },
        ],
      },
    ];
  }

  /** The same as a line of a trust anchor file. */
  get anchorLine(): string {
    const root = this.#zones.get(Name.root.key);
    return root?.key ? `${formatRecord(dnskeyRecord(root.apex, root.key))}\n` : '';
  }

  /**
   * Puts a fault on a name and type, given as `_mta-sts.x.example TXT`; what it returns
   * puts back what was before.
   */
  fault(question: string, fault: DnsFault): () => void {
    const [name = '', type = ''] = question.split(' ');
    const key = `${typeNumber(type) ?? 0} ${Name.of(name).key}`;
    const before = this.#faults.get(key);
    this.#faults.set(key, fault);
    return () =>
      void (before === undefined ? this.#faults.delete(key) : this.#faults.set(key, before));
  }

  /**
   * One datagram's answer, truncated to what the client takes; undefined to stay silent.
   */
  serve(query: Uint8Array, limit?: number): Uint8Array | undefined {
    const decoded = decodeMessage(query);
    const [asked] = decoded.ok ? decoded.value.questions : [];
    if (!decoded.ok || !asked) return undefined;
    const reply = this.answer(asked.name, asked.type);
    if (!reply) return undefined;
    const message: Message = {
      ...reply,
      id: decoded.value.id,
      questions: [asked],
      ...(decoded.value.edns && this.habit === 'honest'
        ? { edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] } }
        : {}),
    };
    const bytes = encodeMessage(message);
    const room = limit ?? Math.max(512, decoded.value.edns?.udpSize ?? 512);
    return bytes.length <= room
      ? bytes
      : encodeMessage({ ...message, truncated: true, answers: [], authorities: [] });
  }

  /** Answers at an address, over UDP and TCP. */
  async listen(network: LabNetwork, address: string, bind?: Endpoint): Promise<void> {
    await network.listenUdp(address, 53, (query) => this.serve(query), bind);
    await network.listenTcp(
      address,
      53,
      (socket) => {
        let pending = Buffer.alloc(0);
        socket.on('data', (bytes: Buffer) => {
          pending = Buffer.concat([pending, bytes]);
          while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
            const reply = this.serve(pending.subarray(2, 2 + pending.readUInt16BE(0)), 65_535);
            pending = pending.subarray(2 + pending.readUInt16BE(0));
            if (reply)
              socket.write(
                Buffer.concat([Uint8Array.of(reply.length >> 8, reply.length & 0xff), reply]),
              );
          }
        });
      },
      bind,
    );
  }

  /** The resolver's answer to a question; undefined where it stays silent. */
  answer(name: Name, type: number): Message | undefined {
    const fault = this.#faults.get(`${type} ${name.key}`);
    if (fault === 'drop') return undefined;
    if (fault === 'servfail') return responseTo(name, type, { rcode: Rcode.SERVFAIL });
    if (fault === 'refused') return responseTo(name, type, { rcode: Rcode.REFUSED });
    if (fault === 'nxdomain' || fault === 'nodata')
      return responseTo(name, type, {
        rcode: fault === 'nxdomain' ? Rcode.NXDOMAIN : Rcode.NOERROR,
      });
    if (fault) return responseTo(name, type, { answers: fault.forge.map(recordOf) });
    const honest = this.honest(name, type);
    if (this.habit === 'honest') return honest;
    const keep = (rr: ResourceRecord): boolean => rr.type === type || !DNSSEC_TYPES.has(rr.type);
    return {
      ...honest,
      answers: honest.answers.filter((rr) => keep(rr) && rr.type !== RRType.RRSIG),
      authorities: honest.authorities.filter(keep),
    };
  }

  /** What the zones say, whatever befalls the question. */
  honest(name: Name, type: number): Message {
    const answers: ResourceRecord[] = [];
    let at = name;
    for (let i = 0; i < MAX_ALIASES; i++) {
      const zone = this.#zoneOf(type === RRType.DS && !at.isRoot ? at.parent : at);
      if (!zone) return responseTo(name, type, { rcode: Rcode.REFUSED });
      const found = lookup(zone, at, type);
      answers.push(...found.answers);
      if (!found.next)
        return responseTo(name, type, {
          rcode: found.rcode,
          answers,
          authorities: found.authorities,
        });
      answers.push(
        ...found.authorities.filter(
          (rr) => rr.type === RRType.NSEC || rr.type === RRType.NSEC3 || rr.type === RRType.RRSIG,
        ),
      );
      at = found.next;
    }
    return responseTo(name, type, { rcode: Rcode.SERVFAIL });
  }

  /** The zone a name is in: of those above it the closest. */
  #zoneOf(name: Name): Zone | undefined {
    for (let at = name; ; at = at.parent) {
      const zone = this.#zones.get(at.key);
      if (zone || at.isRoot) return zone;
    }
  }
}

interface Found {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Where an alias leads on. */
  readonly next?: Name;
}

function lookup(zone: Zone, name: Name, type: number): Found {
  const dname = [...zone.nodes.values()].find(
    (n) => n.sets.has(RRType.DNAME) && name.isAtOrBelow(n.name) && !name.equals(n.name),
  );
  const dnames = dname?.sets.get(RRType.DNAME);
  if (dname && dnames?.[0]) {
    const target = readTarget(dnames[0]);
    const made = target.ok
      ? Name.fromLabels([
          ...name.labels.slice(0, name.labels.length - dname.name.labels.length),
          ...target.value.labels,
        ])
      : target;
    if (!made.ok)
      return { rcode: Rcode.YXDOMAIN, answers: zone.withSignature(dnames), authorities: [] };
    return {
      rcode: Rcode.NOERROR,
      answers: [
        ...zone.withSignature(dnames),
        { ...dnames[0], name, type: RRType.CNAME, rdata: made.value.wire },
      ],
      authorities: [],
      next: made.value,
    };
  }
  const node = zone.nodes.get(name.key);
  if (node) return fromNode(zone, node.sets, type, [], () => proveNodata(zone, name));
  if (zone.exists(name)) return denied(zone, Rcode.NOERROR, proveNodata(zone, name));
  const encloser = encloserOf(zone, name);
  const wildcard = zone.nodes.get(wildcardBelow(encloser).key);
  if (!wildcard) return denied(zone, Rcode.NXDOMAIN, proveNxdomain(zone, name));
  const found = fromNode(
    zone,
    wildcard.sets,
    type,
    proveNoCloser(zone, name, encloser, false),
    () => proveNoCloser(zone, name, encloser, true),
  );
  return { ...found, answers: found.answers.map((rr) => ({ ...rr, name })) };
}

function fromNode(
  zone: Zone,
  sets: ReadonlyMap<number, ResourceRecord[]>,
  type: number,
  proof: readonly ResourceRecord[],
  absence: () => readonly ResourceRecord[],
): Found {
  const set = sets.get(type);
  if (set) return { rcode: Rcode.NOERROR, answers: zone.withSignature(set), authorities: proof };
  const cname = sets.get(RRType.CNAME);
  const target = cname?.[0] && readTarget(cname[0]);
  if (cname && target?.ok)
    return {
      rcode: Rcode.NOERROR,
      answers: zone.withSignature(cname),
      authorities: proof,
      next: target.value,
    };
  return denied(zone, Rcode.NOERROR, absence());
}

function denied(zone: Zone, rcode: number, proof: readonly ResourceRecord[]): Found {
  return { rcode, answers: [], authorities: [...zone.soa, ...(zone.key ? proof : [])] };
}

function recordOf(text: string): ResourceRecord {
  const parsed = parseRecord(text, { defaultTtl: 60 });
  if (!parsed.ok) throw new TypeError(`${text}: ${parsed.failure.detail}`);
  return parsed.value;
}
