import { concat, fail, latin1, ok, type Name, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { wireFailures } from './failures.js';
import { RRClass, RRType, typeName } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';

/** RFC 1035 §3.3.9. */
export interface Mx {
  readonly preference: number;
  readonly exchange: Name;
}
/** TLSA RDATA (RFC 6698 §2.1), numbers unjudged. */
export interface TlsaData {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly data: Uint8Array;
}
/** RFC 4034 §5.1. */
export interface Ds {
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  readonly digest: Uint8Array;
}
/** RFC 4034 §2.1. */
export interface Dnskey {
  readonly flags: number;
  readonly protocol: number;
  readonly algorithm: number;
  readonly publicKey: Uint8Array;
}
/**
 * RRSIG RDATA (RFC 4034 §3.1); times are 32-bit serial numbers of seconds. `signed`: the
 * RDATA up to the signature, as received.
 */
export interface Rrsig {
  readonly typeCovered: number;
  readonly algorithm: number;
  readonly labels: number;
  readonly originalTtl: number;
  readonly expiration: number;
  readonly inception: number;
  readonly keyTag: number;
  readonly signer: Name;
  readonly signature: Uint8Array;
}
/** RFC 4034 §4.1. */
export interface Nsec {
  readonly next: Name;
  readonly types: ReadonlySet<number>;
}

/** RFC 5155 §3.2. */
export interface Nsec3 {
  readonly hashAlgorithm: number;
  readonly flags: number;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly nextHash: Uint8Array;
  readonly types: ReadonlySet<number>;
}
/** RFC 1035 §3.3.13. Times in seconds. */
export interface Soa {
  readonly primary: Name;
  readonly mailbox: Name;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

function reading<T>(
  type: number,
  read: (reader: WireReader) => T,
): (record: ResourceRecord) => Result<T> {
  return (record) => {
    try {
      const reader = new WireReader(record.rdata);
      if (type !== 0 && record.type !== type)
        throw new MalformedDns(`a ${typeName(record.type)} record is no ${typeName(type)}`);
      const value = read(reader);
      if (reader.left > 0) throw new MalformedDns('octets left over');
      return ok(value);
    } catch (error) {
      if (error instanceof MalformedDns)
        return fail(
          wireFailures.make(
            'dns-rdata-malformed',
            `${record.name.toString()} ${typeName(record.type)}: ${error.message}`,
          ),
        );
      throw error;
    }
  };
}

/** A mail host and its preference. */
export const readMx = reading<Mx>(RRType.MX, (reader) => ({
  preference: reader.uint16(),
  exchange: reader.name(),
}));
/** The name that a CNAME, DNAME, NS or PTR record leads to. */
export const readTarget = reading<Name>(0, (reader) => reader.name());
/** The character strings of a TXT record, apart. */
export const readTxt = reading<readonly Uint8Array[]>(RRType.TXT, (reader) => {
  const strings: Uint8Array[] = [];
  do strings.push(reader.string());
  while (reader.left > 0);
  return strings;
});
/**
 * Returns the text of a TXT record, its character strings joined without a separator, one
 * character for each octet (RFC 7208 §3.3). Undefined: the RDATA is malformed.
 */
export function txtText(record: ResourceRecord): string | undefined {
  const strings = readTxt(record);
  return strings.ok ? latin1(concat(...strings.value)) : undefined;
}
/** Reads a TLSA record, usable or not (RFC 6698 §2.1). */
export const readTlsa = reading<TlsaData>(RRType.TLSA, (reader) => ({
  usage: reader.uint8(),
  selector: reader.uint8(),
  matchingType: reader.uint8(),
  data: reader.rest(),
}));
/** The digest of a child's key. */
export const readDs = reading<Ds>(0, (reader) => ({
  keyTag: reader.uint16(),
  algorithm: reader.uint8(),
  digestType: reader.uint8(),
  digest: reader.rest(),
}));
/** A key of a zone. */
export const readDnskey = reading<Dnskey>(0, (reader) => ({
  flags: reader.uint16(),
  protocol: reader.uint8(),
  algorithm: reader.uint8(),
  publicKey: reader.rest(),
}));
/** A signature; its signer is never compressed (RFC 4034 §3.1.7). */
export const readRrsig = reading<Rrsig>(RRType.RRSIG, (reader) => ({
  typeCovered: reader.uint16(),
  algorithm: reader.uint8(),
  labels: reader.uint8(),
  originalTtl: reader.uint32(),
  expiration: reader.uint32(),
  inception: reader.uint32(),
  keyTag: reader.uint16(),
  signer: reader.name(),
  signature: reader.rest(),
}));
/** Reads the types of an owner name and the next owner name. */
export const readNsec = reading<Nsec>(RRType.NSEC, (reader) => ({
  next: reader.name(),
  types: typeBitmap(reader),
}));
/** Reads an NSEC3 record: the same over hashed owner names. */
export const readNsec3 = reading<Nsec3>(RRType.NSEC3, (reader) => ({
  hashAlgorithm: reader.uint8(),
  flags: reader.uint8(),
  iterations: reader.uint16(),
  salt: reader.string(),
  nextHash: reader.string(),
  types: typeBitmap(reader),
}));
/** The start of a zone: its minimum bounds how long a denial is kept (RFC 2308 §5). */
export const readSoa = reading<Soa>(RRType.SOA, (reader) => ({
  primary: reader.name(),
  mailbox: reader.name(),
  serial: reader.uint32(),
  refresh: reader.uint32(),
  retry: reader.uint32(),
  expire: reader.uint32(),
  minimum: reader.uint32(),
}));

/** RFC 4034 §4.1.2. */
function typeBitmap(reader: WireReader): ReadonlySet<number> {
  const types = new Set<number>();
  let last = -1;
  while (reader.left > 0) {
    const window = reader.uint8();
    const bits = reader.string();
    if (window <= last || bits.length === 0 || bits.length > 32)
      throw new MalformedDns('bad type bitmap');
    last = window;
    bits.forEach((octet, index) => {
      for (let bit = 0; bit < 8; bit++)
        if (octet & (0x80 >> bit)) types.add(window * 256 + index * 8 + bit);
    });
  }
  return types;
}

/** The reverse of what NSEC and NSEC3 readers return. */
export function encodeTypeBitmap(types: Iterable<number>): Uint8Array {
  const windows = new Map<number, Uint8Array>();
  for (const type of types) {
    const bits = windows.get(type >> 8) ?? new Uint8Array(32);
    bits[(type & 255) >> 3] = (bits[(type & 255) >> 3] as number) | (0x80 >> (type & 7));
    windows.set(type >> 8, bits);
  }
  const output: number[] = [];
  for (const [window, bits] of [...windows].sort(([left], [right]) => left - right)) {
    const length = bits.findLastIndex((octet) => octet !== 0) + 1;
    output.push(window, length, ...bits.subarray(0, length));
  }
  return Uint8Array.from(output);
}

/** A record of class IN. */
export function makeRecord(
  name: Name,
  type: number,
  ttl: number,
  rdata: Uint8Array,
): ResourceRecord {
  return { name, type, class: RRClass.IN, ttl, rdata };
}
