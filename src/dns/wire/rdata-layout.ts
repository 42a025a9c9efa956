import { RRType } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';

const T = RRType;

/**
 * The position of names in the RDATA of a type: the number of fixed octets before them,
 * and the number of names; `strings` character strings may come first (NAPTR).
 */
interface Layout {
  /** Number of octets before the first name, without the strings. */
  readonly before: number;
  /** Number of consecutive domain names. */
  readonly names: number;
  /** Number of character strings between the fixed octets and the names. */
  readonly strings?: number;
}

/**
 * Types whose RDATA holds names. A name may be compressed on the wire only in the types
 * of RFC 1035, but is read in all of these (RFC 3597 §4).
 */
const layouts: ReadonlyMap<number, Layout> = new Map<number, Layout>([
  [T.NS, { before: 0, names: 1 }],
  [3, { before: 0, names: 1 }], // MD
  [4, { before: 0, names: 1 }], // MF
  [T.CNAME, { before: 0, names: 1 }],
  [T.SOA, { before: 0, names: 2 }],
  [7, { before: 0, names: 1 }], // MB
  [8, { before: 0, names: 1 }], // MG
  [9, { before: 0, names: 1 }], // MR
  [T.PTR, { before: 0, names: 1 }],
  [14, { before: 0, names: 2 }], // MINFO
  [T.MX, { before: 2, names: 1 }],
  [T.RP, { before: 0, names: 2 }],
  [T.AFSDB, { before: 2, names: 1 }],
  [21, { before: 2, names: 1 }], // RT
  [26, { before: 2, names: 2 }], // PX
  [T.SIG, { before: 18, names: 1 }],
  [30, { before: 0, names: 1 }], // NXT
  [T.SRV, { before: 6, names: 1 }],
  [T.NAPTR, { before: 4, names: 1, strings: 3 }],
  [T.KX, { before: 2, names: 1 }],
  [T.DNAME, { before: 0, names: 1 }],
  [T.RRSIG, { before: 18, names: 1 }],
  [T.NSEC, { before: 0, names: 1 }],
]);

/**
 * Types whose names are lower-cased in canonical form (RFC 4034 §6.2 as corrected by RFC
 * 6840 §5.1: not NSEC).
 */
const lowered: ReadonlySet<number> = new Set([
  T.NS,
  3,
  4,
  T.CNAME,
  T.SOA,
  7,
  8,
  9,
  T.PTR,
  14,
  T.MX,
  T.RP,
  T.AFSDB,
  21,
  T.SIG,
  26,
  30,
  T.SRV,
  T.NAPTR,
  T.KX,
  T.DNAME,
  T.RRSIG,
]);

/**
 * Maximum octets of a buffer of which RDATA may be a view. A view keeps the buffer in
 * memory, so RDATA from a larger buffer is copied.
 */
const MAX_VIEWED = 2048;

/**
 * Reads RDATA, up to the end of the reader, into uncompressed wire form. The result may
 * be a view of the message.
 */
export function expandRdata(wireReader: WireReader, recordType: number): Uint8Array {
  const layout = layouts.get(recordType);
  if (layout && wireReader.left > 0 && !isPlain(wireReader.part(wireReader.end), layout))
    return walk(wireReader, layout, (domainName) => domainName.wire);
  const rdata = wireReader.rest();
  return rdata.buffer.byteLength > MAX_VIEWED ? new Uint8Array(rdata) : rdata;
}

/** Returns whether the RDATA fits the layout and contains no compressed name. */
function isPlain(wireReader: WireReader, { before, names, strings = 0 }: Layout): boolean {
  if (wireReader.left < before) return false;
  wireReader.takeBytes(before);
  if (strings > 0) return false;
  for (let index = 0; index < names; index++) if (!wireReader.skipPlainName()) return false;
  return wireReader.position <= wireReader.end;
}

/**
 * Returns uncompressed RDATA in canonical form, with names in lower case if the type
 * requires it. Malformed RDATA remains unchanged.
 */
export function canonicalRdata(recordData: Uint8Array, recordType: number): Uint8Array {
  const layout = layouts.get(recordType);
  if (!layout || !lowered.has(recordType)) return recordData;
  try {
    return walk(new WireReader(recordData), layout, (domainName) =>
      Buffer.from(domainName.key, 'latin1'),
    );
  } catch (error) {
    if (error instanceof MalformedDns) return recordData;
    throw error;
  }
}

/**
 * Copies RDATA and passes each of its names through `write`. Throws {@link MalformedDns}
 * when the RDATA is shorter than its layout.
 */
function walk(
  wireReader: WireReader,
  { before, names, strings = 0 }: Layout,
  write: (domainName: ReturnType<WireReader['name']>) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [wireReader.takeBytes(before)];
  for (let index = 0; index < strings; index++) {
    const text = wireReader.string();
    parts.push(Uint8Array.of(text.length), text);
  }
  for (let index = 0; index < names; index++) parts.push(write(wireReader.name()));
  parts.push(wireReader.rest());
  return new Uint8Array(Buffer.concat(parts));
}
