import type { Clock } from '../../base/index.js';

/** The limits of {@link PublicShare}. */
export interface PublicShareLimits {
  /** The average share of a CPU core that public pages may use. */
  readonly share: number;
  /** Milliseconds of work that may be done at once after an idle time. */
  readonly burstMs: number;
  /** Maximum number of requests that wait for credit. */
  readonly waiting: number;
}

export const publicShareLimits: PublicShareLimits = { share: 0.05, burstMs: 300, waiting: 40 };

/**
 * A limit on the share of CPU time that requests without an account may use. The same
 * thread serves policies and answers mail servers, on which mail delivery depends. In a
 * flood of requests the public pages must therefore degrade first.
 *
 * The time of each request is subtracted from a credit that grows with the clock. Without
 * credit a request waits. If too many requests wait, further ones are refused.
 */
export class PublicShare {
  /** The number of refused requests. */
  refused = 0;
  #credit: number;
  #refilledAt: number;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly clock: Clock,
    private readonly limits: PublicShareLimits = publicShareLimits,
  ) {
    this.#credit = limits.burstMs;
    this.#refilledAt = clock.monotonic();
  }

  /** Whether another request would be refused. */
  get isExhausted(): boolean {
    return this.#waiting >= this.limits.waiting;
  }

  /** Counts a refused request. */
  refuse(): void {
    this.refused++;
  }

  /** Resolves when there is credit for the request, in the order of the calls. */
  async enter(): Promise<void> {
    this.#waiting++;
    this.#last = this.#last.then(() => this.#untilCredit());
    await this.#last;
    this.#waiting--;
  }

  /** Subtracts the milliseconds of a request from the credit. */
  spend(milliseconds: number): void {
    this.#credit -= Math.min(Math.max(milliseconds, MIN_COST), MAX_COST);
  }

  async #untilCredit(): Promise<void> {
    const { share, burstMs } = this.limits;
    const now = this.clock.monotonic();
    this.#credit = Math.min(burstMs, this.#credit + (now - this.#refilledAt) * share);
    this.#refilledAt = now;
    if (this.#credit > 0) return;
    await this.clock.sleep(Math.ceil(-this.#credit / share) + 1);
    return this.#untilCredit();
  }
}

/**
 * Minimum milliseconds charged for one request, since the caller does not measure reading
 * and sending.
 */
const MIN_COST = 1;
/**
 * Maximum milliseconds charged for one request. If a request takes longer, it waits for a
 * disk and uses no CPU time.
 */
const MAX_COST = 5;
