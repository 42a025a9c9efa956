import { concat, fail, Name, ok, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { wireFailures } from './failures.js';
import type { Edns, Message, DnsQuestion } from './message.js';
import { expandRdata } from './rdata-layout.js';
import { RRType } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';

/** More records than any honest answer holds; a 64 KiB message could carry 5,000. */
const MAX_RECORDS = 4096;

/**
 * Reads a message (RFC 1035 §4, RFC 6891). Octets after the last record are ignored.
 *
 *   octets   field
 *   2        id
 *   2        flags: QR(1) opcode(4) AA TC RD RA Z AD CD rcode(4), high bit first
 *   2        QDCOUNT   questions
 *   2        ANCOUNT   answer records
 *   2        NSCOUNT   authority records
 *   2        ARCOUNT   additional records, the OPT and TSIG records included
 *   ...      the sections, in that order
 *
 * Fails with `dns-malformed` for truncated or contradictory octets and for more than 4096
 * questions and records. A record whose RDATA alone is malformed stays in the message as
 * received.
 */
export function decodeMessage(bytes: Uint8Array): Result<Message> {
  try {
    return ok(decode(new WireReader(bytes)));
  } catch (error) {
    if (error instanceof MalformedDns)
      return fail(wireFailures.make('dns-malformed', error.message));
    throw error;
  }
}

/**
 * Reads header and sections. The rcode has twelve bits: the lower four are in the header,
 * the upper eight in the OPT record (RFC 6891 §6.1.3). Throws {@link MalformedDns}.
 */
function decode(reader: WireReader): Message {
  const id = reader.uint16();
  const flags = reader.uint16();
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()] as const;
  if (counts[0] + counts[1] + counts[2] + counts[3] > MAX_RECORDS)
    throw new MalformedDns('too many records');
  const questions: DnsQuestion[] = Array.from({ length: counts[0] }, () => ({
    name: reader.name(),
    type: reader.uint16(),
    class: reader.uint16(),
  }));
  const section = (count: number): ResourceRecord[] => {
    const records: ResourceRecord[] = [];
    for (let index = 0; index < count; index++) records.push(readRecord(reader));
    return records;
  };
  const answers = section(counts[1]);
  const authorities = section(counts[2]);
  const additionals = section(counts[3]);
  const opt = additionals.find((record) => record.type === RRType.OPT);
  return {
    id,
    opcode: (flags >> 11) & 15,
    rcode: (flags & 15) | (opt ? (opt.ttl >>> 24) << 4 : 0),
    response: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    questions,
    answers,
    authorities,
    additionals: opt ? additionals.filter((record) => record.type !== RRType.OPT) : additionals,
    edns: opt && readEdns(opt),
  };
}

/**
 * Reads one record (RFC 1035 §4.1.3). Names in RDATA are expanded, so that the RDATA of
 * the result means the same outside its message.
 *
 *   octets   field
 *   ...      owner name, possibly compressed
 *   2        TYPE
 *   2        CLASS
 *   4        TTL, seconds
 *   2        RDLENGTH
 *   RDLENGTH RDATA
 */
function readRecord(reader: WireReader): ResourceRecord {
  const name = reader.name();
  const type = reader.uint16();
  const rrClass = reader.uint16();
  const ttl = reader.uint32();
  const length = reader.uint16();
  if (length > reader.left) throw new MalformedDns('RDATA ends early');
  const end = reader.position + length;
  let rdata: Uint8Array;
  try {
    rdata = expandRdata(reader.part(end), type);
  } catch (error) {
    // One odd record must not cost the whole message: it stays as received and its reader
    // will refuse it.
    if (!(error instanceof MalformedDns)) throw error;
    rdata = reader.bytes.slice(reader.position, end);
  }
  reader.position = end;
  // RFC 2181 §8: a TTL with the top bit set counts as zero. OPT uses the field for flags.
  return {
    name,
    type,
    class: rrClass,
    ttl: type !== RRType.OPT && ttl > 0x7fffffff ? 0 : ttl,
    rdata,
  };
}

/**
 * Reads the OPT pseudo-record (RFC 6891 §6.1.2), which gives the fields of a record other
 * meanings. A truncated option ends the list; the options before it stay.
 *
 *   field    meaning in OPT
 *   NAME     the root
 *   CLASS    largest UDP payload of the sender, octets
 *   TTL      extended rcode (8 bits), version (8), DO (1), reserved (15)
 *   RDATA    options, each: code (2 octets), length (2), data
 */
function readEdns(opt: ResourceRecord): Edns {
  const options: { code: number; data: Uint8Array }[] = [];
  const reader = new WireReader(opt.rdata);
  while (reader.left >= 4) {
    const code = reader.uint16();
    const length = reader.uint16();
    if (length > reader.left) break;
    options.push({ code, data: reader.takeBytes(length) });
  }
  return {
    version: (opt.ttl >>> 16) & 255,
    udpSize: opt.class,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    options,
  };
}

/**
 * Returns a message in wire format. Owner names are compressed against earlier ones (RFC
 * 1035 §4.1.4); RDATA is written as it is, because names in the RDATA of newer types must
 * not be compressed (RFC 3597 §4). The caller bounds the size: no TC bit is set here.
 */
export function encodeMessage(message: Message): Uint8Array {
  const { edns } = message;
  const additionals = edns
    ? [...message.additionals, optRecord(edns, message.rcode)]
    : message.additionals;
  const flags =
    (message.response ? 0x8000 : 0) |
    ((message.opcode & 15) << 11) |
    (message.authoritative ? 0x0400 : 0) |
    (message.truncated ? 0x0200 : 0) |
    (message.recursionDesired ? 0x0100 : 0) |
    (message.recursionAvailable ? 0x0080 : 0) |
    (message.authenticData ? 0x0020 : 0) |
    (message.checkingDisabled ? 0x0010 : 0) |
    (message.rcode & 15);
  const parts: Uint8Array[] = [];
  // Suffixes by their position. A pointer has fourteen bits, so later positions are
  // useless.
  const seen = new Map<string, number>();
  let offset = 0;
  const append = (part: Uint8Array): void => {
    parts.push(part);
    offset += part.length;
  };
  const putName = (name: Name): void => {
    const known = seen.get(name.key);
    if (known !== undefined) return append(encodeUint16(0xc000 | known));
    if (!name.isRoot && offset < 0x4000) seen.set(name.key, offset);
    if (name.isRoot) return append(name.wire);
    append(name.wire.subarray(0, 1 + (name.wire[0] as number)));
    putName(name.parent);
  };
  append(
    concat(
      ...[
        message.id,
        flags,
        message.questions.length,
        message.answers.length,
        message.authorities.length,
        additionals.length,
      ].map(encodeUint16),
    ),
  );
  for (const question of message.questions) {
    putName(question.name);
    append(concat(encodeUint16(question.type), encodeUint16(question.class)));
  }
  for (const record of [...message.answers, ...message.authorities, ...additionals]) {
    putName(record.name);
    append(
      concat(
        encodeUint16(record.type),
        encodeUint16(record.class),
        encodeUint16(record.ttl >>> 16),
        encodeUint16(record.ttl & 0xffff),
        encodeUint16(record.rdata.length),
      ),
    );
    append(record.rdata);
  }
  return concat(...parts);
}

/** Builds the OPT record of the EDNS data; the layout is that of {@link readEdns}. */
function optRecord(
  edns: Edns,
  rcode: number,
): Pick<ResourceRecord, 'type' | 'class' | 'ttl' | 'rdata'> & { name: Name } {
  const ttl =
    (((rcode >> 4) & 255) * 0x1000000 + (edns.version << 16) + (edns.dnssecOk ? 0x8000 : 0)) >>> 0;
  const rdata = concat(
    ...edns.options.flatMap(({ code, data }) => [
      encodeUint16(code),
      encodeUint16(data.length),
      data,
    ]),
  );
  return { name: Name.root, type: RRType.OPT, class: edns.udpSize, ttl, rdata };
}

/** Returns two octets, most significant first. */
function encodeUint16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 255, value & 255);
}
