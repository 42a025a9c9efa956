import { systemClock, type Clock } from '../../src/base/index.js';

/**
 * The effect of a sleep. `jump`: the sleep moves the time to its end. `skip`: the sleep
 * ends immediately and does not move the time. `wait`: the sleep ends when the test has
 * moved the time far enough.
 */
export type SleepEffect = 'jump' | 'skip' | 'wait';

/**
 * A clock that a test controls; wall-clock time and monotonic time are equal. The methods
 * are bound, so that they can be passed on as functions.
 */
export class FakeClock implements Clock {
  /** The milliseconds of each sleep, in order. */
  readonly pauses: number[] = [];
  #at: number;
  readonly #effect: SleepEffect;
  readonly #sleepers = new Set<() => void>();

  constructor(at = Date.now(), effect: SleepEffect = 'jump') {
    this.#at = at;
    this.#effect = effect;
  }

  /** Milliseconds since 1970. */
  get at(): number {
    return this.#at;
  }

  set at(time: number) {
    this.#at = time;
    for (const wake of [...this.#sleepers]) wake();
  }

  readonly now = (): number => this.#at;

  readonly monotonic = (): number => this.#at;

  readonly sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    this.pauses.push(milliseconds);
    if (this.#effect === 'wait') return this.#wait(this.#at + milliseconds, signal);
    if (this.#effect === 'jump') this.at += milliseconds;
    await new Promise((resolve) => setImmediate(resolve));
  };

  /** Moves the time by some milliseconds. */
  move(milliseconds: number): void {
    this.at += milliseconds;
  }

  #wait(until: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#sleepers.delete(wake);
        reject(signal?.reason as Error);
      };
      const wake = (): void => {
        if (this.#at < until) return;
        this.#sleepers.delete(wake);
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.#sleepers.add(wake);
      wake();
    });
  }
}

/** Returns the system clock with another wall-clock time, for tests with real sockets. */
export const systemClockAt = (now: () => number): Clock => ({ ...systemClock, now });
