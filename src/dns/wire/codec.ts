import { concat, fail, Name, ok, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { wireFailures } from './failures.js';
import type { Edns, Message, DnsQuestion } from './message.js';
import { expandRdata } from './rdata-layout.js';
import { RRType } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';

/** More records than any honest answer holds; a 64 KiB message could carry 5,000. */
const MAX_RECORDS = 4096;

/** Reads a message (RFC 1035 §4, RFC 6891). Octets after the last record are ignored. */
export function decodeMessage(bytes: Uint8Array): Result<Message> {
  try {
    return ok(decode(new WireReader(bytes)));
  } catch (error) {
    if (error instanceof MalformedDns)
      return fail(wireFailures.make('dns-malformed', error.message));
    throw error;
  }
}

function decode(r: WireReader): Message {
  const id = r.u16();
  const flags = r.u16();
  const counts = [r.u16(), r.u16(), r.u16(), r.u16()] as const;
  if (counts[0] + counts[1] + counts[2] + counts[3] > MAX_RECORDS)
    throw new MalformedDns('too many records');
  const questions: DnsQuestion[] = Array.from({ length: counts[0] }, () => ({
    name: r.name(),
    type: r.u16(),
    class: r.u16(),
  }));
  const section = (count: number): ResourceRecord[] => {
    const records: ResourceRecord[] = [];
    for (let i = 0; i < count; i++) records.push(readRecord(r));
    return records;
  };
  const answers = section(counts[1]);
  const authorities = section(counts[2]);
  const additionals = section(counts[3]);
  const opt = additionals.find((rr) => rr.type === RRType.OPT);
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
    additionals: opt ? additionals.filter((rr) => rr.type !== RRType.OPT) : additionals,
    edns: opt && readEdns(opt),
  };
}

function readRecord(r: WireReader): ResourceRecord {
  const name = r.name();
  const type = r.u16();
  const rrClass = r.u16();
  const ttl = r.u32();
  const length = r.u16();
  if (length > r.left) throw new MalformedDns('RDATA ends early');
  const end = r.at + length;
  let rdata: Uint8Array;
  try {
    rdata = expandRdata(r.part(end), type);
  } catch (error) {
    // One odd record must not cost the whole message: it stays as received and its reader
    // will refuse it.
    if (!(error instanceof MalformedDns)) throw error;
    rdata = r.bytes.slice(r.at, end);
  }
  r.at = end;
  // RFC 2181 §8: a TTL with the top bit set counts as zero. OPT uses the field for flags.
  return {
    name,
    type,
    class: rrClass,
    ttl: type !== RRType.OPT && ttl > 0x7fffffff ? 0 : ttl,
    rdata,
  };
}

function readEdns(opt: ResourceRecord): Edns {
  const options: { code: number; data: Uint8Array }[] = [];
  const r = new WireReader(opt.rdata);
  while (r.left >= 4) {
    const code = r.u16();
    const length = r.u16();
    if (length > r.left) break;
    options.push({ code, data: r.take(length) });
  }
  return {
    version: (opt.ttl >>> 16) & 255,
    udpSize: opt.class,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    options,
  };
}

/** Writes a message; owner names are compressed against earlier ones, RDATA is not. */
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
  const seen = new Map<string, number>();
  let at = 0;
  const put = (part: Uint8Array): void => {
    parts.push(part);
    at += part.length;
  };
  const putName = (name: Name): void => {
    const known = seen.get(name.key);
    if (known !== undefined) return put(u16(0xc000 | known));
    if (!name.isRoot && at < 0x4000) seen.set(name.key, at);
    if (name.isRoot) return put(name.wire);
    put(name.wire.subarray(0, 1 + (name.wire[0] as number)));
    putName(name.parent);
  };
  put(
    concat(
      ...[
        message.id,
        flags,
        message.questions.length,
        message.answers.length,
        message.authorities.length,
        additionals.length,
      ].map(u16),
    ),
  );
  for (const question of message.questions) {
    putName(question.name);
    put(concat(u16(question.type), u16(question.class)));
  }
  for (const rr of [...message.answers, ...message.authorities, ...additionals]) {
    putName(rr.name);
    put(
      concat(
        u16(rr.type),
        u16(rr.class),
        u16(rr.ttl >>> 16),
        u16(rr.ttl & 0xffff),
        u16(rr.rdata.length),
      ),
    );
    put(rr.rdata);
  }
  return concat(...parts);
}

function optRecord(
  edns: Edns,
  rcode: number,
): Pick<ResourceRecord, 'type' | 'class' | 'ttl' | 'rdata'> & { name: Name } {
  const ttl =
    (((rcode >> 4) & 255) * 0x1000000 + (edns.version << 16) + (edns.dnssecOk ? 0x8000 : 0)) >>> 0;
  const rdata = concat(
    ...edns.options.flatMap(({ code, data }) => [u16(code), u16(data.length), data]),
  );
  return { name: Name.root, type: RRType.OPT, class: edns.udpSize, ttl, rdata };
}

function u16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 255, value & 255);
}
