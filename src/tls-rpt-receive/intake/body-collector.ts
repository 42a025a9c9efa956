/**
 * Octets of a body that are exempt from the rate limit. Usual reports are a hundred times
 * smaller.
 */
const SMALL = 128 * 1024;
/** Maximum rate at which all large bodies together are read, in octets a second. */
const RATE = 8_000_000;
/** Minimum pause in milliseconds; shorter pauses are added up first. */
const SHORTEST = 4;
const BLOCK = 64 * 1024;

/** The limit of one body, and the function that receives the body. */
export interface BodyCollectorOptions<T> {
  /** Maximum octets of the body. */
  readonly most: number;
  /**
   * Receives the body, or the reason for its refusal. The body stays in memory until the
   * returned promise resolves.
   */
  use(bodyBytes: Buffer | 'too-large' | 'no-room'): Promise<T>;
  /**
   * Whether to read a refused body to its end, for a client that reads the refusal only
   * then.
   */
  readonly drain?: boolean;
}

/**
 * A function that reads a whole body within its limits and passes it to `use`.
 */
export type BodyCollector = <T>(
  chunks: AsyncIterable<Uint8Array>,
  options: BodyCollectorOptions<T>,
) => Promise<T>;

/** The number of octets of large bodies in memory, and its maximum. */
interface Budget {
  held: number;
  readonly most: number;
}

/**
 * A limiter of the rate at which large bodies are read: several bodies at full speed
 * would leave the event loop little time for the other ports. Unread octets stay in the
 * socket, so the sender slows down.
 */
class Pace {
  /**
   * The time before which the next octets must not be read, in milliseconds of the
   * monotonic clock.
   */
  #due = 0;

  async take(octets: number): Promise<void> {
    const now = performance.now();
    const wait = Math.max(0, this.#due - now);
    this.#due = now + wait + (octets * 1000) / RATE;
    if (wait > SHORTEST) await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

const pace = new Pace();

/**
 * The limit that all ports and configurations of a process share: two of the largest
 * bodies.
 */
const ofProcess: Budget = { held: 0, most: 24_000_000 };

/**
 * Creates a collector of bodies. All large bodies together may have at most `maxHeld`
 * octets in memory; without `maxHeld`, all collectors share 24 MB. Small bodies are
 * always accepted, because the server limits the number of connections.
 */
export function bodyCollector(maxHeld?: number): BodyCollector {
  const budget: Budget = maxHeld === undefined ? ofProcess : { held: 0, most: maxHeld };
  return async (chunks, { most, use, drain = false }) => {
    const blocks = new Blocks();
    let refused: 'too-large' | 'no-room' | undefined;
    let byteCount = 0;
    let mine = 0;
    try {
      for await (const octets of chunks) {
        if (refused || byteCount > SMALL) await pace.take(octets.length);
        if (refused) continue;
        byteCount += octets.length;
        budget.held -= mine;
        budget.held += mine = Math.max(0, byteCount - SMALL);
        if (byteCount > most) refused = 'too-large';
        else if (mine > 0 && budget.held > budget.most) refused = 'no-room';
        else blocks.add(octets);
        if (!refused) continue;
        budget.held -= mine;
        mine = 0;
        blocks.clear();
        if (!drain) break;
      }
      return await use(refused ?? blocks.join());
    } finally {
      budget.held -= mine;
    }
  };
}

/**
 * The chunks of a body. Small chunks are copied into blocks, so that a body that arrives
 * octet by octet needs no more memory than any other body.
 */
class Blocks {
  #whole: Uint8Array[] = [];
  #block = Buffer.alloc(0);
  #used = 0;

  add(octets: Uint8Array): void {
    if (octets.length > this.#block.length - this.#used) {
      this.#close();
      if (octets.length >= BLOCK / 16) return void this.#whole.push(octets);
      this.#block = Buffer.allocUnsafeSlow(BLOCK);
    }
    this.#block.set(octets, this.#used);
    this.#used += octets.length;
  }

  /**
   * Returns the whole body and releases the chunks, so that the body is in memory only
   * once.
   */
  join(): Buffer {
    this.#close();
    return Buffer.concat(this.#whole.splice(0));
  }

  clear(): void {
    this.#close();
    this.#whole = [];
  }

  #close(): void {
    if (this.#used > 0) this.#whole.push(this.#block.subarray(0, this.#used));
    this.#block = Buffer.alloc(0);
    this.#used = 0;
  }
}
