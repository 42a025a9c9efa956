import { Name } from '../../base/index.js';

/**
 * The error for octets that do not fit the format; thrown and caught only inside
 * dns/wire.
 */
export class MalformedDns extends Error {}

/**
 * Maximum pointers of one name. A name has at most 127 labels, so genuine names need
 * fewer.
 */
const MAX_POINTERS = 127;
/** Maximum names cached by position. A response rarely has more owners. */
const MAX_NAMES = 64;
/** A buffer for one name of at most 255 octets, which avoids an allocation per label. */
const scratch = new Uint8Array(256);

/**
 * Reads a DNS message or separate RDATA. Every read is bounds-checked; compression cannot
 * loop.
 *
 * Reads past `end` throw {@link MalformedDns}. Numbers are big-endian (RFC 1035 §2.3.2).
 */
export class WireReader {
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    readonly end = bytes.length,
    /**
     * Names by their start position: most owners of a message are pointers to a few
     * names.
     */
    private readonly names = new Map<number, Name>(),
  ) {}

  /** Returns a reader for a part of the same message, up to `end`. */
  part(endOffset: number): WireReader {
    return new WireReader(this.bytes, this.position, endOffset, this.names);
  }

  /** Returns the number of octets up to the end of the part. */
  get left(): number {
    return this.end - this.position;
  }

  /** Returns the next octets as a view of the message, not a copy. */
  takeBytes(length: number): Uint8Array {
    if (length > this.left) throw new MalformedDns('message ends early');
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  /** Reads one octet. */
  uint8(): number {
    if (this.left < 1) throw new MalformedDns('message ends early');
    return this.bytes[this.position++] as number;
  }

  /** Reads two octets. */
  uint16(): number {
    if (this.left < 2) throw new MalformedDns('message ends early');
    this.position += 2;
    return (
      ((this.bytes[this.position - 2] as number) << 8) | (this.bytes[this.position - 1] as number)
    );
  }

  /** Reads four octets as an unsigned number. */
  uint32(): number {
    return this.uint16() * 65536 + this.uint16();
  }

  /** Reads a character string: one length octet and that many octets (RFC 1035 §3.3). */
  string(): Uint8Array {
    return this.takeBytes(this.uint8());
  }

  /** Returns everything up to the end of the part. */
  rest(): Uint8Array {
    return this.takeBytes(this.left);
  }

  /**
   * Moves the position past a name without a pointer and returns true. Returns false for
   * any other name. The position is then undefined.
   */
  skipPlainName(): boolean {
    while (this.left > 0) {
      const label = this.bytes[this.position] as number;
      this.position += 1 + label;
      if (label === 0) return true;
      if (label > 63) return false;
    }
    return false;
  }

  /**
   * Reads a domain name. Pointers are followed only backwards (RFC 1035 §4.1.4), so that
   * every chain ends.
   *
   *   first two bits   meaning
   *   00               label of 0 to 63 octets; length 0 is the root and ends the name
   *   11               pointer: fourteen bits of position from the start of the message
   *   01, 10           reserved: rejected
   *
   * A pointer may refer to octets outside the part that is read, but its target must be
   * before the start of the name and before the target of the previous pointer. Labels
   * add up to at most 255 octets (RFC 1035 §2.3.4).
   */
  name(): Name {
    const began = this.position;
    let length = 0;
    let offset = this.position;
    let limit = this.end;
    let jumped = false;
    let lowest = offset;
    for (let pointers = 0; ;) {
      if (offset >= limit) throw new MalformedDns('name ends early');
      const label = this.bytes[offset] as number;
      if ((label & 0xc0) === 0xc0) {
        if (offset + 1 >= limit || ++pointers > MAX_POINTERS) throw new MalformedDns('bad pointer');
        const target = ((label & 0x3f) << 8) | (this.bytes[offset + 1] as number);
        if (!jumped) this.position = offset + 2;
        // A name that consists of one pointer comes from the cache: most records repeat
        // an owner.
        const known = jumped || length > 0 ? undefined : this.names.get(target);
        if (known) return known;
        if (target >= lowest) throw new MalformedDns('pointer does not point backwards');
        jumped = true;
        lowest = offset = target;
        limit = this.bytes.length;
        continue;
      }
      if (label > 63) throw new MalformedDns('bad label type');
      if (offset + 1 + label > limit) throw new MalformedDns('label ends early');
      if (length + 1 + label > 255) throw new MalformedDns('name too long');
      for (let index = 0; index <= label; index++)
        scratch[length++] = this.bytes[offset + index] as number;
      offset += 1 + label;
      if (label === 0) break;
    }
    if (!jumped) this.position = offset;
    const domainName = Name.fromWire(scratch.slice(0, length));
    if (this.names.size < MAX_NAMES) this.names.set(began, domainName);
    return domainName;
  }
}
