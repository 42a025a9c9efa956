import type { Clock } from '../../../base/index.js';

/** Bounds the connections that one worker opens in a second, to all servers together. */
export class ConnectionRate {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #perSecond: number;
  #tokens: number;
  #refilledAt: number;

  constructor(clock: Pick<Clock, 'monotonic'>, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#refilledAt = clock.monotonic();
  }

  /** The number of connections that may be opened at present. */
  get available(): number {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#refilledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#refilledAt = now;
    return Math.floor(this.#tokens);
  }

  /** Counts connections before they are opened. */
  spend(connections: number): void {
    this.#tokens -= connections;
  }
}
