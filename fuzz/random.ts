/** Random numbers from a seed (mulberry32), so that a failing case can be reproduced. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns an integer from 0 up to, not including, `below`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x100000000) * below);
  }

  /** Returns true in one of `n` cases, on average. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /**
   * Returns one to four changes: sets an octet, flips a bit, cuts, doubles, moves or
   * randomizes a piece, or cuts off the end.
   */
  damage(bytes: Uint8Array): Uint8Array {
    let out = Buffer.from(bytes);
    for (let n = 1 + this.below(4); n > 0; n--) {
      const at = this.below(out.length + 1);
      const length = 1 + this.below(this.once(4) ? 64 : 4);
      const piece = out.subarray(at, at + length);
      switch (this.below(7)) {
        case 0:
          if (at < out.length) out[at] = this.below(256);
          break;
        case 1:
          if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << this.below(8));
          break;
        case 2:
          out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
          break;
        case 3:
          out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
          break;
        case 4:
          out = Buffer.concat([
            out.subarray(0, at),
            this.bytes(length),
            out.subarray(at + (this.once(2) ? length : 0)),
          ]);
          break;
        case 5:
          out.copyWithin(at, this.below(out.length + 1), Math.min(out.length, at + length));
          break;
        default:
          if (this.once(8)) out = out.subarray(0, at);
          else if (at < out.length) out[at] = this.pick([0x00, 0xff, 0xc0, 0x3f, 0x80]);
      }
    }
    return Uint8Array.from(out);
  }
}

/**
 * A fuzz target: runs the given number of cases, throws at the first violation, and
 * returns a one-line summary.
 */
export type Target = (count: number, random: Random) => Promise<string> | string;
