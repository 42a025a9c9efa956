import { BoundedMap } from '../../base/index.js';

/**
 * Maximum number of keys. Beyond this number the least recently used key is evicted, and
 * its count begins again.
 */
const MAX_KEYS = 20_000;

/** Counts events for each key in a sliding window of time. */
export class RateWindow {
  readonly #times = new BoundedMap<readonly number[]>(MAX_KEYS);

  /** `windowMs`: the length of the window; `now`: milliseconds of a monotonic clock. */
  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
    private readonly now: () => number,
  ) {}

  /**
   * Returns the milliseconds until one more event is permitted; 0 if it is permitted now.
   */
  waitFor(clientKey: string): number {
    const recent = this.#recent(clientKey);
    const [oldest] = recent.slice(-this.limit);
    if (recent.length < this.limit || oldest === undefined) return 0;
    return Math.max(1, oldest + this.windowMs - this.now());
  }

  /**
   * Returns the number of events that are permitted now, and the milliseconds until one
   * more event is permitted.
   */
  quota(clientKey: string): { readonly remaining: number; readonly resetMs: number } {
    const recent = this.#recent(clientKey);
    const [oldest] = recent;
    const resetMs = oldest === undefined ? 0 : oldest + this.windowMs - this.now();
    return { remaining: Math.max(0, this.limit - recent.length), resetMs };
  }

  /** Counts one event. */
  count(clientKey: string): void {
    this.#times.set(clientKey, [...this.#recent(clientKey), this.now()].slice(-this.limit));
  }

  /** Removes the event that was counted last. */
  forgive(clientKey: string): void {
    this.#times.set(clientKey, this.#recent(clientKey).slice(0, -1));
  }

  #recent(clientKey: string): readonly number[] {
    const since = this.now() - this.windowMs;
    return (this.#times.get(clientKey) ?? []).filter((time) => time > since);
  }
}
