import type { Clock } from '../../../base/index.js';
import { frame } from './serve-socketmap.js';

/** A reply and its cache time. */
export interface Prepared {
  /** The reply without framing: `OK secure ...`, `NOTFOUND `, `TEMP reason`. */
  readonly reply: string;
  /** Cache time in milliseconds. */
  readonly keepMs: number;
}

/** The lookup that fills the cache, and the limits of the cache. */
export interface PreparedAnswersOptions {
  /** Looks up the reply to a key that is not in the cache. */
  prepare(cacheKey: string): Promise<Prepared>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Maximum number of keys in the cache. Default 200 000. */
  readonly size?: number;
  /**
   * Maximum number of concurrent lookups. The reply to any further key is TEMP. Default
   * 1000.
   */
  readonly atOnce?: number;
}

interface Entry {
  /** The reply with its framing. */
  reply: string;
  /**
   * Times in monotonic milliseconds. After `renewAt` the reply is looked up again in the
   * background; after `until` it is no longer used.
   */
  renewAt: number;
  until: number;
  /** True if a client requested the key since the last eviction pass. */
  used: boolean;
}

const busy = frame('TEMP too many policies are being looked up, try again');
const broken = frame(
  'TEMP the policy could not be looked up: an error inside hermetic, see its log',
);
/** Shortest time in milliseconds until an answer in use is looked up again. */
const MIN_KEPT = 1000;

/**
 * A cache of framed replies, in which a known key costs one map lookup. A reply in use is
 * looked up again before it expires, so that mail to a busy domain is never delayed by
 * DNS. An expired reply is never used. Times come from the monotonic clock, so a change
 * of the system date has no effect.
 */
export class PreparedAnswers {
  readonly #entries = new Map<string, Entry>();
  readonly #finding = new Map<string, Promise<string>>();
  /** One string for each distinct reply, which saves memory. */
  readonly #replies = new Map<string, string>();
  readonly #options: PreparedAnswersOptions;
  /**
   * The generation of the cache, incremented by {@link clear}. The result of a lookup
   * that started in an earlier generation is not cached.
   */
  #generation = 0;
  readonly counts = { known: 0, found: 0, busy: 0, broken: 0 };

  constructor(options: PreparedAnswersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  readonly answer = (cacheKey: string): string | Promise<string> => {
    const entry = this.#entries.get(cacheKey);
    if (entry !== undefined) {
      const now = this.#options.clock.monotonic();
      if (now < entry.until) {
        this.counts.known++;
        entry.used = true;
        if (now >= entry.renewAt) this.#renew(cacheKey, entry);
        return entry.reply;
      }
    }
    return this.#finding.get(cacheKey) ?? this.#find(ownCopy(cacheKey));
  };

  /** Drops all replies, after the policies on which they depend have changed. */
  clear(): void {
    this.#generation++;
    this.#entries.clear();
    this.#replies.clear();
  }

  #renew(cacheKey: string, entry: Entry): void {
    // Only one renewal of a key runs at a time. If it has not ended by `until`, the next
    // request waits for the renewal.
    entry.renewAt = Infinity;
    if (!this.#finding.has(cacheKey)) void this.#find(ownCopy(cacheKey));
  }

  #find(cacheKey: string): string | Promise<string> {
    const { prepare, atOnce = 1000 } = this.#options;
    if (this.#finding.size >= atOnce) {
      this.counts.busy++;
      return busy;
    }
    this.counts.found++;
    const generation = this.#generation;
    const found = prepare(cacheKey)
      .then(
        (prepared) => this.#keep(cacheKey, prepared, generation),
        () => {
          this.counts.broken++;
          return broken;
        },
      )
      .finally(() => this.#finding.delete(cacheKey));
    this.#finding.set(cacheKey, found);
    return found;
  }

  #keep(cacheKey: string, { reply, keepMs }: Prepared, generation: number): string {
    const framed = this.#shared(frame(reply));
    if (keepMs <= 0 || generation !== this.#generation) return framed;
    const now = this.#options.clock.monotonic();
    this.#entries.delete(cacheKey);
    this.#entries.set(cacheKey, {
      reply: framed,
      renewAt: now + Math.max(MIN_KEPT, keepMs * 0.8),
      until: now + keepMs,
      used: false,
    });
    if (this.#entries.size > (this.#options.size ?? 200_000)) this.#makeRoom();
    return framed;
  }

  /**
   * Returns one shared string for equal short replies: most domains have no policy, so
   * their replies are equal.
   */
  #shared(reply: string): string {
    if (reply.length > 64) return ownCopy(reply);
    const known = this.#replies.get(reply);
    if (known !== undefined) return known;
    if (this.#replies.size < 100) this.#replies.set(reply, reply);
    return reply;
  }

  /** Evicts the oldest entry that was not requested since the last pass (CLOCK). */
  #makeRoom(): void {
    for (const [cacheKey, entry] of this.#entries) {
      this.#entries.delete(cacheKey);
      if (!entry.used) return;
      entry.used = false;
      this.#entries.set(cacheKey, entry);
    }
  }
}

/**
 * Copies the octets of a string. In V8 a slice keeps the whole request in memory, and a
 * concatenation keeps its parts. A long-lived map must contain neither.
 */
function ownCopy(cacheKey: string): string {
  return Buffer.from(cacheKey, 'latin1').toString('latin1');
}
