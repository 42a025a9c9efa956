import type { Name } from '../../base/index.js';

/** Octets of the first buffer: enough for most messages. */
const FIRST_SIZE = 512;
/** The highest position that the fourteen bits of a compression pointer can express. */
const MAX_POINTER = 0x3fff;

/**
 * Writes a DNS message. A name is compressed by a pointer to an earlier name (RFC 1035
 * §4.1.4). Numbers are big-endian (RFC 1035 §2.3.2).
 */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #length = 0;
  /** Names by {@link Name.key}, with the position at which they begin. */
  readonly #seen = new Map<string, number>();

  /** Writes the lower sixteen bits of a number. */
  uint16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = (value >> 8) & 255;
    this.#bytes[this.#length++] = value & 255;
  }

  octets(part: Uint8Array): void {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  /** Writes a name: its labels up to a suffix that was written before, and a pointer. */
  name({ wire, key }: Name): void {
    let offset = 0;
    while (wire[offset] !== 0) {
      const suffix = key.slice(offset);
      const known = this.#seen.get(suffix);
      if (known !== undefined) return this.uint16(0xc000 | known);
      if (this.#length <= MAX_POINTER) this.#seen.set(suffix, this.#length);
      const label = wire.subarray(offset, offset + 1 + (wire[offset] as number));
      this.octets(label);
      offset += label.length;
    }
    this.octets(wire.subarray(offset));
  }

  /** Returns a copy of the octets written. */
  message(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  #reserve(octets: number): void {
    const needed = this.#length + octets;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
