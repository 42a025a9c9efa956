/** Number of slots of an empty table; always a power of two. */
const FIRST_SLOTS = 1024;
/** Share of the slots that may be used. */
const FULL = 0.7;

/**
 * Domains by unit and shape, in 16 octets for each pair: a scan of ten million domains
 * has millions of mail hosts, and an object for each pair would take gigabytes.
 *
 * A unit, such as a host name, is identified by a hash of 64 bits. Two of five million
 * units share a hash with a probability below one in a million.
 */
export class UnitCounts {
  /** Hash (two numbers), shape and count of each slot, one after the other. */
  #slots = new Uint32Array(4 * FIRST_SLOTS);
  #used = 0;

  /** Adds domains of a shape to a unit, and returns the sum of the pair. */
  add(unit: string, shape: number, domains: number): number {
    if (this.#used >= FULL * (this.#slots.length / 4)) this.#grow();
    const [high, low] = hashOf(unit);
    const at = this.#find(high, low, shape);
    const slots = this.#slots;
    if (slots[at + 3] === 0) {
      this.#used++;
      slots.set([high, low, shape], at);
    }
    const sum = (slots[at + 3] ?? 0) + domains;
    slots[at + 3] = sum;
    return sum;
  }

  /** Returns the number of domains of a unit with a shape. */
  get(unit: string, shape: number): number {
    const [high, low] = hashOf(unit);
    return this.#slots[this.#find(high, low, shape) + 3] ?? 0;
  }

  /** Yields for each unit the number of its domains by shape. */
  *units(): Generator<ReadonlyMap<number, number>, void> {
    const slots = this.#slots;
    const word = (at: number, index: number): number => slots[at + index] ?? 0;
    const order = new Uint32Array(this.#used);
    let next = 0;
    for (let at = 0; at < slots.length; at += 4) if (word(at, 3) > 0) order[next++] = at;
    order.sort((a, b) => word(a, 0) - word(b, 0) || word(a, 1) - word(b, 1));
    let shapes = new Map<number, number>();
    for (const [index, at] of order.entries()) {
      const before = order[index - 1];
      const isNew =
        before === undefined || word(before, 0) !== word(at, 0) || word(before, 1) !== word(at, 1);
      if (isNew && shapes.size > 0) {
        yield shapes;
        shapes = new Map();
      }
      shapes.set(word(at, 2), word(at, 3));
    }
    if (shapes.size > 0) yield shapes;
  }

  /** Returns the slot of a pair, or the free slot where the pair belongs. */
  #find(high: number, low: number, shape: number): number {
    const slots = this.#slots;
    const mask = slots.length / 4 - 1;
    let slot = (low ^ Math.imul(shape + 1, 0x9e3779b1)) & mask;
    for (;;) {
      const at = 4 * slot;
      const isSame = slots[at] === high && slots[at + 1] === low && slots[at + 2] === shape;
      if (isSame || slots[at + 3] === 0) return at;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 4) {
      const [high = 0, low = 0, shape = 0, count = 0] = old.subarray(at, at + 4);
      if (count > 0) this.#slots.set([high, low, shape, count], this.#find(high, low, shape));
    }
  }
}

/** Returns two independent hashes of 32 bits, by the mixing steps of MurmurHash3. */
function hashOf(text: string): readonly [high: number, low: number] {
  let high = 0x2545f491;
  let low = 0x85ebca6b;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x9e3779b1);
    high ^= high >>> 15;
    low = Math.imul(low ^ code, 0x5f356495);
    low ^= low >>> 13;
  }
  return [mix(high ^ (low >>> 7)), mix(low ^ Math.imul(high, 0xc2b2ae35))];
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
