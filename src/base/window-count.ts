import { BoundedMap } from './bounded-map.js';

/**
 * Maximum number of keys in memory. The least recently used key is evicted, so its count
 * begins again.
 */
const MAX_KEYS = 20_000;

/** The events of a key in the current window. */
export interface WindowState {
  /** The number of events, including the last one. */
  readonly count: number;
  /** Milliseconds until the next window. */
  readonly restMs: number;
}

/** Counts events of each key in windows of fixed length: constant work for each event. */
export class WindowCount {
  readonly #counts = new BoundedMap<{ readonly start: number; readonly count: number }>(MAX_KEYS);

  /** `now`: milliseconds of a monotonic clock. */
  constructor(
    private readonly windowMs: number,
    private readonly now: () => number,
  ) {}

  /** Counts an event of a key, and returns the state of the window that contains it. */
  count(key: string): WindowState {
    const now = this.now();
    const start = Math.floor(now / this.windowMs) * this.windowMs;
    const before = this.#counts.get(key);
    const count = before?.start === start ? before.count + 1 : 1;
    this.#counts.set(key, { start, count });
    return { count, restMs: start + this.windowMs - now };
  }
}
