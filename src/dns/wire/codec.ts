import { concat, fail, Name, ok, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { wireFailures } from './failures.js';
import type { Edns, Message, DnsQuestion } from './message.js';
import { expandRdata } from './rdata-layout.js';
import { RRType } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

/**
 * Maximum records of a message, more than a genuine answer contains. A 64 KiB message
 * could contain 5000.
 */
const MAX_RECORDS = 4096;

/**
 * Reads a message (RFC 1035 §4, RFC 6891). The parser ignores octets after the last
 * record.
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
 * questions and records. A record with malformed RDATA remains in the message as received
 * if it has no other fault.
 */
export function decodeMessage(wireBytes: Uint8Array): Result<Message> {
  try {
    // A plain Uint8Array view, because records must not have the methods of a Buffer.
    const { buffer, byteOffset, length } = wireBytes;
    return ok(decode(new WireReader(new Uint8Array(buffer, byteOffset, length))));
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
function decode(wireReader: WireReader): Message {
  const id = wireReader.uint16();
  const flags = wireReader.uint16();
  const counts = [
    wireReader.uint16(),
    wireReader.uint16(),
    wireReader.uint16(),
    wireReader.uint16(),
  ] as const;
  if (counts[0] + counts[1] + counts[2] + counts[3] > MAX_RECORDS)
    throw new MalformedDns('too many records');
  const questions: DnsQuestion[] = Array.from({ length: counts[0] }, () => ({
    name: wireReader.name(),
    type: wireReader.uint16(),
    class: wireReader.uint16(),
  }));
  const section = (count: number): ResourceRecord[] => {
    const records: ResourceRecord[] = [];
    for (let index = 0; index < count; index++) records.push(readRecord(wireReader));
    return records;
  };
  const answers = section(counts[1]);
  const authorities = section(counts[2]);
  const additionals = section(counts[3]);
  const opt = additionals.find((resourceRecord) => resourceRecord.type === RRType.OPT);
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
    additionals: opt
      ? additionals.filter((resourceRecord) => resourceRecord.type !== RRType.OPT)
      : additionals,
    edns: opt && readEdns(opt),
  };
}

/**
 * Reads one record (RFC 1035 §4.1.3). Names in RDATA are expanded, so that the RDATA of
 * the result is valid outside its message.
 *
 *   octets   field
 *   ...      owner name, possibly compressed
 *   2        TYPE
 *   2        CLASS
 *   4        TTL, seconds
 *   2        RDLENGTH
 *   RDLENGTH RDATA
 */
function readRecord(wireReader: WireReader): ResourceRecord {
  const name = wireReader.name();
  const recordType = wireReader.uint16();
  const rrClass = wireReader.uint16();
  const ttlSeconds = wireReader.uint32();
  const length = wireReader.uint16();
  if (length > wireReader.left) throw new MalformedDns('RDATA ends early');
  const endOffset = wireReader.position + length;
  let recordData: Uint8Array;
  try {
    recordData = expandRdata(wireReader.part(endOffset), recordType);
  } catch (error) {
    // One malformed record must not invalidate the whole message. The record remains as
    // received, and the parser of its type rejects it.
    if (!(error instanceof MalformedDns)) throw error;
    recordData = wireReader.bytes.slice(wireReader.position, endOffset);
  }
  wireReader.position = endOffset;
  // RFC 2181 §8: a TTL with the top bit set counts as zero. OPT uses the field for flags.
  return {
    name,
    type: recordType,
    class: rrClass,
    ttl: recordType !== RRType.OPT && ttlSeconds > 0x7fffffff ? 0 : ttlSeconds,
    rdata: recordData,
  };
}

/**
 * Reads the OPT pseudo-record (RFC 6891 §6.1.2), whose fields have different meanings
 * from those of a record. A truncated option ends the list. The options before the
 * truncated one remain.
 *
 *   field    meaning in OPT
 *   NAME     the root
 *   CLASS    largest UDP payload of the sender, octets
 *   TTL      extended rcode (8 bits), version (8), DO (1), reserved (15)
 *   RDATA    options, each: code (2 octets), length (2), data
 */
function readEdns(opt: ResourceRecord): Edns {
  const options: { code: number; data: Uint8Array }[] = [];
  const wireReader = new WireReader(opt.rdata);
  while (wireReader.left >= 4) {
    const code = wireReader.uint16();
    const length = wireReader.uint16();
    if (length > wireReader.left) break;
    options.push({ code, data: wireReader.takeBytes(length) });
  }
  return {
    version: (opt.ttl >>> 16) & 255,
    udpSize: opt.class,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    options,
  };
}

/**
 * Returns a message in wire format. Owner names are compressed by pointers to earlier
 * names (RFC 1035 §4.1.4); RDATA is written unchanged, because names in the RDATA of
 * newer types must not be compressed (RFC 3597 §4). The caller limits the size: this
 * function does not set the TC bit.
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
  const { questions, answers, authorities } = message;
  const writer = new WireWriter();
  writer.uint16(message.id);
  writer.uint16(flags);
  for (const section of [questions, answers, authorities, additionals])
    writer.uint16(section.length);
  for (const question of questions) {
    writer.name(question.name);
    writer.uint16(question.type);
    writer.uint16(question.class);
  }
  for (const section of [answers, authorities, additionals])
    for (const resourceRecord of section) {
      writer.name(resourceRecord.name);
      writer.uint16(resourceRecord.type);
      writer.uint16(resourceRecord.class);
      writer.uint16(resourceRecord.ttl >>> 16);
      writer.uint16(resourceRecord.ttl & 0xffff);
      writer.uint16(resourceRecord.rdata.length);
      writer.octets(resourceRecord.rdata);
    }
  return writer.message();
}

/** Builds the OPT record of the EDNS data. The layout is that of {@link readEdns}. */
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
