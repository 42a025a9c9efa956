import { SingleFlight, type Clock } from '../../base/index.js';

/** The computation of an answer, and the time for which it may be used. */
export interface KeptAnswerOptions<Answer> {
  /** Computes the answer. `now`: milliseconds since 1970. */
  compute(now: number): Promise<Answer>;
  /**
   * Returns the milliseconds for which an answer is reused; 0 if it must be computed for
   * each request.
   */
  keepMs(answer: Answer): number;
  readonly clock: Clock;
}

/**
 * A cache for an answer that is computed from many rows. Concurrent requests share one
 * computation, and the answer is reused for a short time. So a page with ten thousand
 * domains costs no more than a page with a few.
 */
export class KeptAnswer<Answer> {
  readonly #flights = new SingleFlight<Answer>();
  #kept: { readonly answer: Answer; readonly until: number } | undefined;

  constructor(private readonly options: KeptAnswerOptions<Answer>) {}

  async get(): Promise<Answer> {
    const { clock, compute, keepMs } = this.options;
    if (this.#kept && clock.monotonic() < this.#kept.until) return this.#kept.answer;
    return this.#flights.run('', async () => {
      const answer = await compute(clock.now());
      this.#kept = { answer, until: clock.monotonic() + keepMs(answer) };
      return answer;
    });
  }
}
