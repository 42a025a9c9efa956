/**
 * The error for bytes that do not fit the structure; thrown and caught only inside
 * tls/wire.
 */
export class MalformedTls extends Error {}

/**
 * Reads big-endian structures; every read is bounds-checked.
 *
 * Throws {@link MalformedTls} when a read exceeds the input.
 */
export class ByteReader {
  #at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  /** Octets that are not read yet. */
  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** Returns the next octets as a view of the input, not a copy. */
  takeBytes(length: number): Uint8Array {
    if (length > this.left) throw new MalformedTls(`${length} octets wanted, ${this.left} left`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** Reads an unsigned integer of 1 to 4 octets. */
  unsigned(octets: 1 | 2 | 3 | 4): number {
    return this.takeBytes(octets).reduce((count, octet) => count * 256 + octet, 0);
  }

  /** Reads a vector with a length prefix of that many octets. */
  encodeVector(octets: 1 | 2 | 3): Uint8Array {
    return this.takeBytes(this.unsigned(octets));
  }

  /** Returns a reader for the content of a vector. */
  nested(octets: 1 | 2 | 3): ByteReader {
    return new ByteReader(this.encodeVector(octets));
  }
}

/** Returns a number as big-endian unsigned integer of that many octets. */
export function encodeUnsigned(value: number, octets: number): number[] {
  const output = new Array<number>(octets);
  for (let index = octets - 1, left = value; index >= 0; index--, left = Math.floor(left / 256))
    output[index] = left & 0xff;
  return output;
}

/**
 * Returns a vector with its length prefix.
 *
 * The prefix has `octets` octets, most significant octet first (RFC 9846 §3.4).
 */
export function vector(octets: number, content: readonly number[]): number[] {
  return [...encodeUnsigned(content.length, octets), ...content];
}
