import type { Clock } from '../../../base/index.js';
import { frame } from './serve-socketmap.js';

/** A reply, and how long it may be given. */
export interface Prepared {
  /** Unframed: `OK secure ...`, `NOTFOUND `, `TEMP reason`. */
  readonly reply: string;
  /** Milliseconds from now. */
  readonly keepMs: number;
}

export interface PreparedAnswersOptions {
  /** Finds the reply to a key that is not known. */
  prepare(key: string): Promise<Prepared>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Keys kept at most. Default 200 000. */
  readonly size?: number;
  /**
   * Replies being found at one time; beyond that a key is answered TEMP. Default 1000.
   */
  readonly atOnce?: number;
}

interface Entry {
  /** Framed. */
  reply: string;
  /**
   * Monotonic milliseconds from which on it is found anew in the background, and from
   * which on it is not given any more.
   */
  renewAt: number;
  until: number;
  /** Asked for since the last time room was made. */
  used: boolean;
}

const busy = frame('TEMP too many policies are being looked up, try again');
const broken = frame(
  'TEMP the policy could not be looked up: an error inside hermetic, see its log',
);
/** Soonest time at which an answer that is in use is found anew. */
const MIN_KEPT = 1000;

/**
 * Replies ready to be sent: the way of a known key is one look into a map. An answer in
 * use is found anew before its time is over, so that a busy domain never waits; one whose
 * time is over is never given. Spans are measured by the monotonic clock: setting the
 * date changes nothing.
 */
export class PreparedAnswers {
  readonly #entries = new Map<string, Entry>();
  readonly #finding = new Map<string, Promise<string>>();
  /** Equal replies share one string. */
  readonly #replies = new Map<string, string>();
  readonly #options: PreparedAnswersOptions;
  /** What was begun before a {@link clear} is not kept after it. */
  #generation = 0;
  readonly counts = { known: 0, found: 0, busy: 0, broken: 0 };

  constructor(options: PreparedAnswersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  readonly answer = (key: string): string | Promise<string> => {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      const now = this.#options.clock.monotonic();
      if (now < entry.until) {
        this.counts.known++;
        entry.used = true;
        if (now >= entry.renewAt) this.#renew(key, entry);
        return entry.reply;
      }
    }
    return this.#finding.get(key) ?? this.#find(ownCopy(key));
  };

  /** Forgets everything: what the answers were made from has changed. */
  clear(): void {
    this.#generation++;
    this.#entries.clear();
    this.#replies.clear();
  }

  #renew(key: string, entry: Entry): void {
    // Once only; should it fail to come in time, the next question after `until` waits
    // for it.
    entry.renewAt = Infinity;
    if (!this.#finding.has(key)) void this.#find(ownCopy(key));
  }

  #find(key: string): string | Promise<string> {
    const { prepare, atOnce = 1000 } = this.#options;
    if (this.#finding.size >= atOnce) {
      this.counts.busy++;
      return busy;
    }
    this.counts.found++;
    const generation = this.#generation;
    const found = prepare(key)
      .then(
        (prepared) => this.#keep(key, prepared, generation),
        () => {
          this.counts.broken++;
          return broken;
        },
      )
      .finally(() => this.#finding.delete(key));
    this.#finding.set(key, found);
    return found;
  }

  #keep(key: string, { reply, keepMs }: Prepared, generation: number): string {
    const framed = this.#shared(frame(reply));
    if (keepMs <= 0 || generation !== this.#generation) return framed;
    const now = this.#options.clock.monotonic();
    this.#entries.delete(key);
    this.#entries.set(key, {
      reply: framed,
      renewAt: now + Math.max(MIN_KEPT, keepMs * 0.8),
      until: now + keepMs,
      used: false,
    });
    if (this.#entries.size > (this.#options.size ?? 200_000)) this.#makeRoom();
    return framed;
  }

  /** Most domains have no policy: their reply exists once. */
  #shared(reply: string): string {
    if (reply.length > 64) return ownCopy(reply);
    const known = this.#replies.get(reply);
    if (known !== undefined) return known;
    if (this.#replies.size < 100) this.#replies.set(reply, reply);
    return reply;
  }

  /**
   * The oldest goes, unless it was asked for since it was last looked at: then it counts
   * as new.
   */
  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      if (!entry.used) return;
      entry.used = false;
      this.#entries.set(key, entry);
    }
  }
}

/**
 * A piece of a longer text keeps the whole of it in memory, a text put together keeps its
 * parts; the copy does not.
 */
function ownCopy(key: string): string {
  return Buffer.from(key, 'latin1').toString('latin1');
}
