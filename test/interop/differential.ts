import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { Random } from '../../fuzz/random.js';
import { Name } from '../../src/base/index.js';
import {
  decodeMessage,
  encodeMessage,
  formatRdata,
  parseRecord,
  readTarget,
  RRType,
  typeName,
  typeNumber,
  validate,
  type CachedZone,
  type Dnssec,
  type ProofRecords,
  type Message,
  type Proof,
  type ResourceRecord,
  responseTo,
} from '../../src/dns/index.js';
import { LabDns, type ZoneSpec } from '../../src/lab/index.js';

export interface Question {
  readonly name: Name;
  readonly type: number;
  /** The upstream answer that is damaged, `TYPE name`. */
  readonly target: string;
}

/**
 * The verdict of one validator on an answer. `data`: the records of the asked type, or
 * the denial.
 */
export interface Verdict {
  readonly dnssec: Dnssec;
  readonly data: string;
  readonly reason: string;
}

const algorithms = [13, 15, 13, 8, 13, 14, 13, 16] as const;
const denials = ['nsec', 'nsec3', 'nsec3-optout'] as const;
const PER_ZONE = 40;
const keyOf = (name: Name, type: number): string => `${typeName(type)} ${name.key}`;

/**
 * A signed hierarchy in which every question damages one answer differently from all
 * others, and identically for any client. The hierarchy serves as the upstream of a
 * forwarder.
 */
export class DamagedWorld {
  readonly dns: LabDns;
  readonly questions: readonly Question[];
  readonly #loose: readonly Name[];
  readonly #apexes: readonly Name[];
  readonly #seeds = new Map<string, number>();
  readonly #damaged = new Map<string, { bytes: Uint8Array; what: string }>();
  #udp: Socket | undefined;
  #tcp: Server | undefined;

  constructor(
    readonly seed: number,
    readonly now: number,
    zones = 24,
    chains = 150,
  ) {
    const { specs, questions } = plan(zones, chains);
    this.#loose = specs
      .filter((s) => !s.signed || s.signed.denial === 'nsec3-optout')
      .map((s) => Name.of(s.apex));
    const hierarchy = [
      { apex: '.', signed: { algorithm: 13 } },
      { apex: 'example', signed: { algorithm: 15 } },
      ...specs,
    ] as const;
    this.#apexes = hierarchy.map(({ apex }) => Name.of(apex));
    this.dns = new LabDns(hierarchy, now);
    this.questions = questions;
    questions.forEach(({ target }, i) => this.#seeds.set(target, seed * 1_000_003 + i));
  }

  /**
   * Returns the answer to a question as it arrives, with a description of the damage;
   * undamaged if no damage is planned.
   */
  wire(name: Name, type: number): { readonly bytes: Uint8Array; readonly what: string } {
    const key = keyOf(name, type);
    const known = this.#damaged.get(key);
    if (known) return known;
    const message = this.dns.answer(name, type) ?? { ...responseTo(name, type), rcode: 2 };
    const honest = { ...message, edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] } };
    const seed = this.#seeds.get(key);
    const made =
      seed === undefined
        ? { bytes: encodeMessage(honest), what: 'none' }
        : damage(honest, new Random(seed));
    this.#damaged.set(key, made);
    return made;
  }

  async listen(port: number): Promise<void> {
    // A zone creates its keys and signatures at the first query. An RSA key takes longer
    // than the timeout of unbound, which then treats every zone below as bogus.
    for (const apex of this.#apexes) this.dns.answer(apex, RRType.DNSKEY);
    const serve = (query: Uint8Array, limit: number): Uint8Array | undefined => {
      const decoded = decodeMessage(query);
      const [asked] = decoded.ok ? decoded.value.questions : [];
      if (!decoded.ok || !asked) return undefined;
      const { bytes } = this.wire(asked.name, asked.type);
      const end = 12 + asked.name.wire.length;
      // The question as received, because a resolver compares its case.
      const reply = Buffer.concat([
        query.subarray(0, 2),
        bytes.subarray(2, 12),
        query.subarray(12, end),
        bytes.subarray(end),
      ]);
      if (reply.length <= limit) return reply;
      const cut = encodeMessage({
        ...responseTo(asked.name, asked.type),
        id: decoded.value.id,
        truncated: true,
      });
      return cut;
    };
    const udp = (this.#udp = createSocket('udp4'));
    udp.on('message', (query, from) => {
      const reply = serve(query, 4096);
      if (reply) udp.send(reply, from.port, from.address);
    });
    await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
    this.#tcp = createServer((socket) => {
      let pending = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        pending = Buffer.concat([pending, bytes]);
        while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
          const reply = serve(pending.subarray(2, 2 + pending.readUInt16BE(0)), 65_535);
          pending = pending.subarray(2 + pending.readUInt16BE(0));
          if (reply)
            socket.write(
              Buffer.concat([Uint8Array.of(reply.length >> 8, reply.length & 0xff), reply]),
            );
        }
      });
    });
    await new Promise<void>((resolve) => this.#tcp?.listen(port, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => (this.#udp ? this.#udp.close(resolve) : resolve()));
    await new Promise<void>((resolve) =>
      this.#tcp ? this.#tcp.close(() => resolve()) : resolve(),
    );
  }

  readonly #zones = new Map<string, CachedZone>();

  /** Returns the verdict of this program on the same octets, and its grounds. */
  async own({
    name,
    type,
  }: Question): Promise<Verdict & { readonly grounds: readonly ProofRecords[] }> {
    const answer = await validate({
      name,
      type,
      anchors: this.dns.anchors,
      now: this.now,
      cache: this.#zones,
      fetch: (n, t) => {
        const decoded = decodeMessage(this.wire(n, t).bytes);
        return Promise.resolve(decoded.ok ? { ok: true, message: decoded.value } : decoded);
      },
    });
    return {
      dnssec: answer.dnssec,
      data: dataOf(answer.status, answer.records),
      reason: answer.failure?.code ?? '',
      grounds: (answer.proof as Proof | undefined)?.grounds ?? [],
    };
  }

  /**
   * Returns the question whose undamaged answer proves that a name is, or may be, in an
   * unsigned part of the tree.
   */
  delegationAt({ name }: Question): Question {
    const target = keyOf(name, RRType.DS);
    this.#seeds.delete(target);
    this.#damaged.delete(target);
    return { name, type: RRType.DS, target };
  }

  /**
   * Returns whether a name is in an unsigned zone, or in a zone that omits unsigned
   * delegations (RFC 5155 §6).
   */
  mayBeUnsigned({ name }: Question): boolean {
    return this.#loose.some((apex) => name.isAtOrBelow(apex));
  }

  /** Describes in words the damage to the answer that a question targets. */
  damageOf({ target }: Question): string {
    const [type = '', ...name] = target.split(' ');
    return this.#damaged.get(target)?.what ?? `not asked for ${type} ${name.join(' ')}`;
  }

  /** Returns the data of the undamaged answer. */
  honest({ name, type }: Question): string {
    return readReply(
      { ...(this.dns.answer(name, type) ?? responseTo(name, type)), authenticData: true },
      type,
    ).data;
  }

  /**
   * Makes the server answer a question only with the grounds of this program's verdict
   * and the SOA of the zone.
   */
  leaveOnly(grounds: readonly ProofRecords[]): void {
    for (const { name, type, answers, authorities } of grounds) {
      const asked = Name.of(name);
      const honest = this.dns.answer(asked, type) ?? responseTo(asked, type);
      const answered = (rr: ResourceRecord): boolean =>
        honest.answers.some((h) => h.type === rr.type && h.name.equals(rr.name));
      const left = [...answers, ...authorities].map(recordOf);
      // The rcode, the sections and the SOA are not part of a proof, so they stay
      // undamaged.
      const message = {
        ...honest,
        answers: left.filter(answered),
        authorities: [
          ...honest.authorities.filter(isSoa),
          ...left.filter((rr) => !answered(rr) && !isSoa(rr)),
        ],
        edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] },
      };
      this.#damaged.set(keyOf(asked, type), { bytes: encodeMessage(message), what: 'least' });
    }
  }
}

const isSoa = (rr: ResourceRecord): boolean =>
  rr.type === RRType.SOA ||
  (rr.type === RRType.RRSIG && ((rr.rdata[0] ?? 0) << 8) + (rr.rdata[1] ?? 0) === RRType.SOA);

function recordOf(line: string): ResourceRecord {
  const parsed = parseRecord(line);
  if (!parsed.ok) throw new Error(line);
  return parsed.value;
}

/** Returns the records as a set, in lower case and without their times to live. */
export function dataOf(status: string, records: readonly ResourceRecord[]): string {
  return status === 'found'
    ? [...new Set(records.map((rr) => formatRdata(rr).toLowerCase()))].sort().join(' | ')
    : status;
}

/** Returns the verdict of a resolver's reply: the end of the alias chain decides. */
export function readReply(message: Message, type: number): Verdict {
  const [asked] = message.questions;
  let at = asked?.name;
  for (let i = 0; at && i < 12; i++) {
    const alias = message.answers.find(
      (rr) => rr.type === RRType.CNAME && at && rr.name.equals(at),
    );
    const target = alias && type !== RRType.CNAME ? readTarget(alias) : undefined;
    if (!target?.ok) break;
    at = target.value;
  }
  const records = message.answers.filter((rr) => rr.type === type && at && rr.name.equals(at));
  const status = message.rcode === 3 ? 'nxdomain' : records.length > 0 ? 'found' : 'nodata';
  const extended = message.edns?.options.find((o) => o.code === 15);
  const failed = message.rcode !== 0 && message.rcode !== 3;
  return {
    dnssec: failed ? 'bogus' : message.authenticData ? 'secure' : 'insecure',
    data: failed ? 'failed' : dataOf(status, records),
    reason: failed
      ? `rcode ${message.rcode} ede ${extended ? ((extended.data[0] ?? 0) << 8) | (extended.data[1] ?? 0) : '-'}`
      : '',
  };
}

function plan(zones: number, chains: number): { specs: ZoneSpec[]; questions: Question[] } {
  const specs: ZoneSpec[] = [];
  const questions: Question[] = [];
  const ask = (name: string, type: string, target = `${type} ${Name.of(name).key}`): void =>
    void questions.push({ name: Name.of(name), type: typeNumber(type) ?? 0, target });
  for (let z = 0; z < zones; z++) {
    const apex = `z${z}.example`;
    const each = (line: (i: number) => string): string =>
      Array.from({ length: PER_ZONE }, (_, i) => line(i)).join('\n');
    specs.push({
      apex,
      records: [
        each((i) => `h${i} A 192.0.2.${i}\nh${i} A 198.51.100.${i}`),
        each((i) => `_25._tcp.t${i} TLSA 3 1 1 ${String(i).padStart(2, '0').repeat(32)}`),
        each((i) => `n${i} TXT "n"`),
        each((i) => `a${i} CNAME whole`),
        each((i) => `deep.e${i} TXT "e"`),
        'whole A 192.0.2.7\n*.wild TXT "w"\nold DNAME new\n*.new A 192.0.2.1',
      ].join('\n'),
      signed: {
        algorithm: algorithms[z % algorithms.length] ?? 13,
        denial: denials[z % denials.length] ?? 'nsec',
      },
    });
    specs.push({ apex: `unsigned.${apex}`, records: each((i) => `u${i} A 192.0.2.${i}`) });
    for (let i = 0; i < PER_ZONE; i++) {
      ask(`h${i}.${apex}`, 'A');
      ask(`_25._tcp.t${i}.${apex}`, 'TLSA');
      ask(`n${i}.${apex}`, 'AAAA');
      ask(`a${i}.${apex}`, 'A');
      ask(`e${i}.${apex}`, 'TXT');
      ask(`w${i}.wild.${apex}`, 'TXT');
      ask(`v${i}.wild.${apex}`, 'TLSA');
      ask(`x${i}.old.${apex}`, 'A');
      ask(`_25._tcp.x${i}.${apex}`, 'TLSA');
      ask(`u${i}.unsigned.${apex}`, 'A');
      ask(`d${i}.${apex}`, 'DS');
      ask(`g${i}.n0.${apex}`, 'MX');
    }
  }
  for (let c = 0; c < chains; c++) {
    const apex = `c${c}.example`;
    specs.push({
      apex,
      records: 'www A 192.0.2.1',
      signed: { algorithm: algorithms[c % 3] ?? 13, denial: denials[c % denials.length] ?? 'nsec' },
    });
    ask(`www.${apex}`, 'A', `${c % 2 === 0 ? 'DS' : 'DNSKEY'} ${Name.of(apex).key}`);
  }
  return { specs, questions };
}

const sections = ['answers', 'authorities'] as const;

/**
 * Returns one change to a message, or to a few of its octets, with a description. The
 * message id and the question stay unchanged; otherwise no resolver accepts the answer.
 */
function damage(honest: Message, random: Random): { bytes: Uint8Array; what: string } {
  const asked = honest.questions[0];
  const head = 16 + (asked?.name.wire.length ?? 1);
  if (random.once(4)) {
    const bytes = encodeMessage(honest);
    return {
      bytes: Buffer.concat([bytes.subarray(0, head), random.damage(bytes.subarray(head))]),
      what: 'octets',
    };
  }
  const section = random.pick(sections.filter((s) => honest[s].length > 0));
  const records = honest[section] ?? [];
  const at = random.below(records.length);
  const rr = records[at];
  const put = (
    changed: readonly ResourceRecord[],
    what: string,
  ): { bytes: Uint8Array; what: string } => ({
    bytes: encodeMessage({ ...honest, [section]: changed }),
    what,
  });
  if (!rr) return { bytes: encodeMessage(honest), what: 'none' };
  const swap = (changed: ResourceRecord, what: string): { bytes: Uint8Array; what: string } =>
    put(
      records.map((other, i) => (i === at ? changed : other)),
      `${what} ${typeName(rr.type)}`,
    );
  const others = [...honest.answers, ...honest.authorities];
  switch (random.below(13)) {
    case 0:
      return put(
        records.filter((_, i) => i !== at),
        `without ${typeName(rr.type)}`,
      );
    case 1:
      return put([...records, rr], `twice ${typeName(rr.type)}`);
    case 2:
      return put([...records].reverse(), 'reversed');
    case 3: {
      const name = Name.fromLabels(
        rr.name.labels.map((l) =>
          Buffer.from(Buffer.from(l).toString('latin1').toUpperCase(), 'latin1'),
        ),
      );
      return name.ok ? swap({ ...rr, name: name.value }, 'case') : put(records, 'none');
    }
    case 4:
      return swap({ ...rr, ttl: random.pick([0, 1, 86_400, 0x7fffffff, rr.ttl + 1]) }, 'ttl');
    case 5:
    case 6:
    case 7: {
      const rdata = Uint8Array.from(rr.rdata);
      const octet = random.below(rr.type === RRType.RRSIG && random.once(2) ? 24 : rdata.length);
      if (rdata.length > 0) rdata[octet] = (rdata[octet] ?? 0) ^ (1 << random.below(8));
      return swap({ ...rr, rdata }, 'octet');
    }
    case 8:
      return swap({ ...rr, name: random.pick(others).name }, 'owner');
    case 9:
      return {
        bytes: encodeMessage({ ...honest, rcode: random.pick([0, 2, 3, 5]) }),
        what: 'rcode',
      };
    case 10: {
      const other = section === 'answers' ? 'authorities' : 'answers';
      return {
        bytes: encodeMessage({
          ...honest,
          [section]: records.filter((_, i) => i !== at),
          [other]: [...honest[other], rr],
        }),
        what: `moved ${typeName(rr.type)}`,
      };
    }
    case 11:
      return { bytes: encodeMessage({ ...honest, answers: [], authorities: [] }), what: 'emptied' };
    default: {
      const forged: ResourceRecord = {
        name: asked?.name ?? Name.root,
        type: asked?.type ?? RRType.A,
        class: 1,
        ttl: 300,
        rdata: random.once(2)
          ? (records[0]?.rdata ?? Uint8Array.of(1))
          : Uint8Array.of(192, 0, 2, 66),
      };
      return random.once(2)
        ? put([...records, forged], 'forged beside')
        : put([forged], 'forged instead');
    }
  }
}
