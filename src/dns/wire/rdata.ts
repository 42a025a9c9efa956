import { concat, fail, ok, type Name, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { wireFailures } from './failures.js';
import { RRClass, RRType, typeName } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';

/**
 * MX RDATA (RFC 1035 §3.3.9).
 *
 *   octets   field
 *   2        preference: lower values are tried first (RFC 5321 §5.1)
 *   ...      exchange: the host; the root alone is a null MX (RFC 7505)
 */
export interface Mx {
  /** Lower values are tried first. */
  readonly preference: number;
  readonly exchange: Name;
}

/**
 * TLSA RDATA (RFC 6698 §2.1). The values are not checked: the DANE part decides whether a
 * record is usable for SMTP (RFC 7672 §3.1).
 *
 *   octets   field
 *   1        certificate usage: 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE
 *   1        selector: 0 the certificate, 1 its SubjectPublicKeyInfo
 *   1        matching type: 0 the data itself, 1 SHA-256, 2 SHA-512
 *   ...      certificate association data
 */
export interface TlsaData {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly data: Uint8Array;
}

/**
 * DS RDATA (RFC 4034 §5.1): the digest of a key of the child zone, signed by the parent.
 *
 *   octets   field
 *   2        key tag of the DNSKEY
 *   1        algorithm of the DNSKEY
 *   1        digest type: 1 SHA-1, 2 SHA-256, 4 SHA-384
 *   ...      digest over the owner name and the DNSKEY RDATA
 */
export interface Ds {
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  readonly digest: Uint8Array;
}

/**
 * DNSKEY RDATA (RFC 4034 §2.1).
 *
 *   octets   field
 *   2        flags: 0x0100 zone key, 0x0080 revoked (RFC 5011 §7), 0x0001 SEP
 *   1        protocol: always 3
 *   1        algorithm
 *   ...      public key, in a format of its algorithm
 */
export interface Dnskey {
  readonly flags: number;
  readonly protocol: number;
  readonly algorithm: number;
  readonly publicKey: Uint8Array;
}

/**
 * RRSIG RDATA (RFC 4034 §3.1). Times are 32-bit serial numbers of seconds.
 *
 *   octets   field
 *   2        type covered
 *   1        algorithm
 *   1        labels of the owner name, without root and wildcard
 *   4        original TTL: the TTL may have been reduced by a cache
 *   4        expiration
 *   4        inception
 *   2        key tag
 *   ...      signer's name, never compressed
 *   ...      signature
 */
export interface Rrsig {
  readonly typeCovered: number;
  readonly algorithm: number;
  readonly labels: number;
  /** The TTL in the authoritative zone, seconds: the one that the signature covers. */
  readonly originalTtl: number;
  readonly expiration: number;
  readonly inception: number;
  readonly keyTag: number;
  readonly signer: Name;
  /** The signature in a format of its algorithm. */
  readonly signature: Uint8Array;
}

/**
 * NSEC RDATA (RFC 4034 §4.1): no name exists between the owner and `next`.
 *
 *   octets   field
 *   ...      next owner name in canonical order; the last one points to the apex
 *   ...      bitmap of the types at the owner
 */
export interface Nsec {
  readonly next: Name;
  readonly types: ReadonlySet<number>;
}

/**
 * NSEC3 RDATA (RFC 5155 §3.2): no hashed name exists between the owner and `nextHash`.
 *
 *   octets   field
 *   1        hash algorithm: 1 is SHA-1
 *   1        flags: 0x01 opt-out
 *   2        additional iterations
 *   1 + n    salt, with its length
 *   1 + n    hash of the next owner, with its length
 *   ...      bitmap of the types at the original owner
 */
export interface Nsec3 {
  readonly hashAlgorithm: number;
  readonly flags: number;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly nextHash: Uint8Array;
  readonly types: ReadonlySet<number>;
}

/**
 * SOA RDATA (RFC 1035 §3.3.13): two names, then five numbers of four octets. Times in
 * seconds.
 */
export interface Soa {
  readonly primary: Name;
  readonly mailbox: Name;
  /** Version of the zone, in serial number arithmetic (RFC 1982). */
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /**
   * Seconds for which a negative answer may be cached, with the SOA's own TTL as limit.
   */
  readonly minimum: number;
}

/**
 * Creates a reader for one record type. The reader fails with `dns-rdata-malformed` for a
 * record of another type, for RDATA that ends early and for octets left over. `type` 0
 * accepts any type: the caller has selected the records already.
 */
function reading<T>(
  recordType: number,
  read: (wireReader: WireReader) => T,
): (resourceRecord: ResourceRecord) => Result<T> {
  return (resourceRecord) => {
    try {
      const wireReader = new WireReader(resourceRecord.rdata);
      if (recordType !== 0 && resourceRecord.type !== recordType)
        throw new MalformedDns(
          `a ${typeName(resourceRecord.type)} record is not of type ${typeName(recordType)}`,
        );
      const value = read(wireReader);
      if (wireReader.left > 0) throw new MalformedDns('octets left over');
      return ok(value);
    } catch (error) {
      if (error instanceof MalformedDns)
        return fail(
          wireFailures.make(
            'dns-rdata-malformed',
            `${resourceRecord.name.toString()} ${typeName(resourceRecord.type)}: ${error.message}`,
          ),
        );
      throw error;
    }
  };
}

/** Reads a mail host and its preference. */
export const readMx = reading<Mx>(RRType.MX, (wireReader) => ({
  preference: wireReader.uint16(),
  exchange: wireReader.name(),
}));
/** Reads the target name of a CNAME, DNAME, NS or PTR record. */
export const readTarget = reading<Name>(0, (wireReader) => wireReader.name());
/** Reads the character strings of a TXT record, separately. */
export const readTxt = reading<readonly Uint8Array[]>(RRType.TXT, (wireReader) => {
  const strings: Uint8Array[] = [];
  do strings.push(wireReader.string());
  while (wireReader.left > 0);
  return strings;
});

/**
 * Returns the text of a TXT record, its character strings joined without a separator (RFC
 * 7208 §3.3). No encoding is declared: octets that are not UTF-8 become U+FFFD, which no
 * record grammar permits. Undefined if the RDATA is malformed.
 */
export function txtText(resourceRecord: ResourceRecord): string | undefined {
  const strings = readTxt(resourceRecord);
  if (strings.ok) return utf8.decode(concat(...strings.value));
  return undefined;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads a TLSA record, usable or not (RFC 6698 §2.1). */
export const readTlsa = reading<TlsaData>(RRType.TLSA, (wireReader) => ({
  usage: wireReader.uint8(),
  selector: wireReader.uint8(),
  matchingType: wireReader.uint8(),
  data: wireReader.rest(),
}));
/** Reads the digest of a child zone's key. */
export const readDs = reading<Ds>(0, (wireReader) => ({
  keyTag: wireReader.uint16(),
  algorithm: wireReader.uint8(),
  digestType: wireReader.uint8(),
  digest: wireReader.rest(),
}));
/** Reads a key of a zone. */
export const readDnskey = reading<Dnskey>(0, (wireReader) => ({
  flags: wireReader.uint16(),
  protocol: wireReader.uint8(),
  algorithm: wireReader.uint8(),
  publicKey: wireReader.rest(),
}));
/** Reads a signature; its signer's name is never compressed (RFC 4034 §3.1.7). */
export const readRrsig = reading<Rrsig>(RRType.RRSIG, (wireReader) => ({
  typeCovered: wireReader.uint16(),
  algorithm: wireReader.uint8(),
  labels: wireReader.uint8(),
  originalTtl: wireReader.uint32(),
  expiration: wireReader.uint32(),
  inception: wireReader.uint32(),
  keyTag: wireReader.uint16(),
  signer: wireReader.name(),
  signature: wireReader.rest(),
}));
/** Reads the types of an owner name and the next owner name. */
export const readNsec = reading<Nsec>(RRType.NSEC, (wireReader) => ({
  next: wireReader.name(),
  types: typeBitmap(wireReader),
}));
/** Reads an NSEC3 record, the equivalent of NSEC with hashed owner names. */
export const readNsec3 = reading<Nsec3>(RRType.NSEC3, (wireReader) => ({
  hashAlgorithm: wireReader.uint8(),
  flags: wireReader.uint8(),
  iterations: wireReader.uint16(),
  salt: wireReader.string(),
  nextHash: wireReader.string(),
  types: typeBitmap(wireReader),
}));
/**
 * Reads the SOA of a zone; its minimum limits the time for which a denial is cached
 * (RFC 2308 §5).
 */
export const readSoa = reading<Soa>(RRType.SOA, (wireReader) => ({
  primary: wireReader.name(),
  mailbox: wireReader.name(),
  serial: wireReader.uint32(),
  refresh: wireReader.uint32(),
  retry: wireReader.uint32(),
  expire: wireReader.uint32(),
  minimum: wireReader.uint32(),
}));

/**
 * Reads a type bitmap (RFC 4034 §4.1.2). Throws {@link MalformedDns} unless the windows
 * ascend and are 1 to 32 octets long.
 *
 *   octets   field, once for each window that has a type
 *   1        window: the upper eight bits of the types in it
 *   1        length, 1 to 32
 *   length   bits: the first bit of the first octet is type `window * 256`
 */
function typeBitmap(wireReader: WireReader): ReadonlySet<number> {
  const types = new Set<number>();
  let last = -1;
  while (wireReader.left > 0) {
    const window = wireReader.uint8();
    const bits = wireReader.string();
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

/**
 * Returns the bitmap of NSEC and NSEC3 RDATA.
 *
 * Trailing zero octets and empty windows are omitted, as RFC 4034 §4.1.2 requires.
 */
export function encodeTypeBitmap(types: Iterable<number>): Uint8Array {
  const windows = new Map<number, Uint8Array>();
  for (const recordType of types) {
    const bits = windows.get(recordType >> 8) ?? new Uint8Array(32);
    bits[(recordType & 255) >> 3] =
      (bits[(recordType & 255) >> 3] as number) | (0x80 >> (recordType & 7));
    windows.set(recordType >> 8, bits);
  }
  const output: number[] = [];
  for (const [window, bits] of [...windows].sort(([left], [right]) => left - right)) {
    const length = bits.findLastIndex((octet) => octet !== 0) + 1;
    output.push(window, length, ...bits.subarray(0, length));
  }
  return Uint8Array.from(output);
}

/**
 * Returns a record of class IN.
 *
 * `rdata` is in wire format without compression; `ttl` in seconds.
 */
export function makeRecord(
  name: Name,
  type: number,
  ttl: number,
  rdata: Uint8Array,
): ResourceRecord {
  return { name, type, class: RRClass.IN, ttl, rdata };
}
