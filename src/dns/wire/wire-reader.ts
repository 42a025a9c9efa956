import { Name } from '../../base/index.js';

/** Thrown inside dns/wire only, and always caught there: the octets do not fit. */
export class MalformedDns extends Error {}

const MAX_POINTERS = 127;

/** Reads a DNS message, or an RDATA of its own. Every read is bounds-checked; compression cannot loop. */
export class WireReader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get left(): number {
    return this.end - this.at;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new MalformedDns('message ends early');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.take(1)[0] as number;
  }

  u16(): number {
    const [a, b] = this.take(2) as unknown as [number, number];
    return (a << 8) | b;
  }

  u32(): number {
    return this.u16() * 65536 + this.u16();
  }

  /** A character string: one length octet and that many octets (RFC 1035 §3.3). */
  string(): Uint8Array {
    return this.take(this.u8());
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** A domain name, pointers followed backwards only (RFC 1035 §4.1.4), so that every chain ends. */
  name(): Name {
    const out: number[] = [];
    let at = this.at;
    let limit = this.end;
    let jumped = false;
    let lowest = at;
    for (let pointers = 0; ;) {
      if (at >= limit) throw new MalformedDns('name ends early');
      const length = this.bytes[at] as number;
      if ((length & 0xc0) === 0xc0) {
        if (at + 1 >= limit || ++pointers > MAX_POINTERS) throw new MalformedDns('bad pointer');
        const target = ((length & 0x3f) << 8) | (this.bytes[at + 1] as number);
        if (!jumped) this.at = at + 2;
        if (target >= lowest) throw new MalformedDns('pointer does not point backwards');
        jumped = true;
        lowest = at = target;
        limit = this.bytes.length;
        continue;
      }
      if (length > 63) throw new MalformedDns('bad label type');
      if (at + 1 + length > limit) throw new MalformedDns('label ends early');
      for (let i = 0; i <= length; i++) out.push(this.bytes[at + i] as number);
      at += 1 + length;
      if (out.length > 255) throw new MalformedDns('name too long');
      if (length === 0) break;
    }
    if (!jumped) this.at = at;
    return Name.fromWire(Uint8Array.from(out));
  }
}
