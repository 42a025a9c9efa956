/**
 * Thrown inside tls/wire only, and always caught there: the peer's bytes do not fit the
 * structure.
 */
export class Malformed extends Error {}

/** Reads big-endian structures; every read is bounds-checked. */
export class ByteReader {
  #at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new Malformed(`${length} octets wanted, ${this.left} left`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** An unsigned integer of 1 to 4 octets. */
  uint(octets: 1 | 2 | 3 | 4): number {
    return this.take(octets).reduce((n, octet) => n * 256 + octet, 0);
  }

  /** A vector with a length prefix of that many octets. */
  vector(octets: 1 | 2 | 3): Uint8Array {
    return this.take(this.uint(octets));
  }

  /** The same, to be read on. */
  nested(octets: 1 | 2 | 3): ByteReader {
    return new ByteReader(this.vector(octets));
  }
}

/** Big-endian unsigned integer of that many octets. */
export function uint(value: number, octets: number): number[] {
  const out = new Array<number>(octets);
  for (let i = octets - 1, left = value; i >= 0; i--, left = Math.floor(left / 256))
    out[i] = left & 0xff;
  return out;
}

/** A vector with its length prefix. */
export function vector(octets: number, content: readonly number[]): number[] {
  return [...uint(content.length, octets), ...content];
}
