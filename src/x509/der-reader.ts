/** Tags of the types in a certificate (X.690). */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Raised inside the parser only; `parseCertificate` turns it into a failure. */
export class DerError extends Error {}

/** One element: tag, length and contents. */
export interface Element {
  readonly tag: number;
  /** Contents octets. */
  readonly body: Uint8Array;
  /** Header and contents. */
  readonly whole: Uint8Array;
}

/**
 * Reads DER elements in sequence: definite, minimal lengths and low tag numbers only. The
 * reader does not recurse, so a hostile certificate cannot cause deep recursion.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True at the end of the input. */
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Tag of the next element; undefined at the end. */
  get next(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The octets that have not been read. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /**
   * Reads the next element (X.690 §8.1, §10.1):
   *
   *   octets   field
   *   1        tag: class (2 bits), constructed (1), number (5, at most 30)
   *   1        length below 128, or 128 + n and then n octets of length
   *   length   contents
   */
  any(): Element {
    const start = this.#at;
    const tag = this.#octet();
    if ((tag & 0x1f) === 0x1f) throw new DerError('tag number above 30');
    const length = this.#length();
    const endOffset = this.#at + length;
    if (endOffset > this.#bytes.length) throw new DerError('length beyond the end');
    const body = this.#bytes.subarray(this.#at, endOffset);
    this.#at = endOffset;
    return { tag, body, whole: this.#bytes.subarray(start, endOffset) };
  }

  /** Reads the next element, which must have this tag. */
  take(tag: number): Element {
    const element = this.any();
    if (element.tag !== tag) throw new DerError(`tag ${element.tag} where ${tag} belongs`);
    return element;
  }

  /** Reads the next element if it has this tag. */
  optional(tag: number): Element | undefined {
    if (this.next === tag) return this.any();
    return undefined;
  }

  /** Reads the next element, which must have this tag, and returns a reader of it. */
  enter(tag: number = Tag.sequence): DerReader {
    return new DerReader(this.take(tag).body);
  }

  /** Reads the one element that fills these octets, which must have this tag. */
  static single(bytes: Uint8Array, tag: number): Element {
    const derReader = new DerReader(bytes);
    const element = derReader.take(tag);
    derReader.end();
    return element;
  }

  /** Returns a reader of the one sequence that fills these octets. */
  static sequence(bytes: Uint8Array): DerReader {
    return new DerReader(DerReader.single(bytes, Tag.sequence).body);
  }

  /** Throws unless all octets were read: DER permits no trailing octets. */
  end(): void {
    if (!this.done) throw new DerError('octets left over');
  }

  /** Reads one octet. */
  #octet(): number {
    const octet = this.#bytes[this.#at++];
    if (octet === undefined) throw new DerError('ends too early');
    return octet;
  }

  /** Reads a definite length of at most three octets: 16 MiB. */
  #length(): number {
    const first = this.#octet();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new DerError('indefinite or oversized length');
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#octet();
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('length not minimal');
    return length;
  }
}

/**
 * Returns the dotted text of an object identifier's contents.
 *
 * Each arc is base 128 with the high bit set on all octets except the last; the first
 * octets hold 40 times the first arc plus the second (X.690 §8.19).
 */
export function readOid(bodyBytes: Uint8Array): string {
  if (bodyBytes.length === 0 || bodyBytes.length > 64)
    throw new DerError('object identifier of a wrong size');
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of bodyBytes) {
    if (fresh && octet === 0x80) throw new DerError('object identifier not minimal');
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError('object identifier arc too large');
    fresh = octet < 0x80;
    if (!fresh) continue;
    if (arcs.length === 0)
      arcs.push(...(arc < 80 ? [Math.floor(arc / 40), arc % 40] : [2, arc - 80]));
    else arcs.push(arc);
    arc = 0;
  }
  if (!fresh) throw new DerError('object identifier ends too early');
  return arcs.join('.');
}

/** Reads a BOOLEAN, which DER encodes as the octet 0x00 or 0xff. */
export function readBoolean(bodyBytes: Uint8Array): boolean {
  if (bodyBytes.length !== 1 || (bodyBytes[0] !== 0 && bodyBytes[0] !== 0xff))
    throw new DerError('boolean neither 0 nor 255');
  return bodyBytes[0] === 0xff;
}

/**
 * Returns the octets of an integer, two's complement. DER has one encoding for each
 * number (X.690 §8.3.2): the first nine bits are not all equal [5280-4.1-1].
 */
export function readInteger(bodyBytes: Uint8Array): Uint8Array {
  const [first, second = 0] = bodyBytes;
  if (first === undefined) throw new DerError('integer without octets');
  const isFill = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (bodyBytes.length > 1 && isFill) throw new DerError('integer not minimal');
  return bodyBytes;
}

/**
 * Returns a small non-negative integer.
 *
 * The integer has at most four octets. RFC 5280 uses such integers for versions, path
 * lengths and skip counts.
 */
export function readSmall(bodyBytes: Uint8Array): number {
  const octets = readInteger(bodyBytes);
  if (octets.length > 4 || (octets[0] as number) >= 0x80)
    throw new DerError('integer out of range');
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

/** Reads the parameters field of an algorithm without parameters: NULL, or absent. */
export function takeNull(derReader: DerReader): void {
  const parameters = derReader.optional(Tag.null);
  if (parameters && parameters.body.length > 0) throw new DerError('NULL with contents');
}

/**
 * Returns the octets of a bit string, and the number of its unused trailing bits. Throws
 * if an unused bit is not zero.
 */
export function readBits(bodyBytes: Uint8Array): { bytes: Uint8Array; unused: number } {
  const [unused = 8] = bodyBytes;
  const bytes = bodyBytes.subarray(1);
  if (unused > 7 || (bytes.length === 0 && unused > 0)) throw new DerError('bit string malformed');
  if (((bytes.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0) throw new DerError('unused bits not zero');
  return { bytes, unused };
}

/**
 * Returns the octets of a bit string that holds octets, as signatures and keys do: no bit
 * is unused. Otherwise one signature would have two encodings.
 */
export function readOctetBits(body: Uint8Array): Uint8Array {
  const { bytes, unused } = readBits(body);
  if (unused !== 0) throw new DerError('unused bits in octets');
  return bytes;
}

/**
 * Returns the milliseconds since 1970 of a UTCTime or GeneralizedTime in UTC with
 * seconds, the forms that RFC 5280 §4.1.2.5 allows.
 */
export function readTime({ tag, body }: Element): number {
  const text = String.fromCharCode(...body.subarray(0, 20));
  const match = (
    tag === Tag.utcTime
      ? /^(\d{2})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text);
  if (!match || (tag !== Tag.utcTime && tag !== Tag.generalizedTime))
    throw new DerError('time malformed');
  const [year = 0, month = 0, dayOfMonth = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  // RFC 5280 §4.1.2.5.1: the two digits of UTCTime stand for 1950 to 2049.
  let full = year;
  if (tag === Tag.utcTime) full += year < 50 ? 2000 : 1900;
  const date = new Date(0);
  date.setUTCFullYear(full, month - 1, dayOfMonth);
  date.setUTCHours(hour, minute, second);
  if (
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== dayOfMonth ||
    date.getUTCHours() !== hour ||
    date.getUTCMinutes() !== minute
  )
    throw new DerError('no such time');
  return date.getTime();
}
