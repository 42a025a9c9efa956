/**
 * Time as a dependency, so that tests control it. `now` is wall-clock time in
 * milliseconds since 1970 and may jump; `monotonic` never runs backwards and measures
 * only durations.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
  /** Resolves after `ms`; rejects with `signal.reason` when aborted. */
  sleep(milliseconds: number, abortSignal?: AbortSignal): Promise<void>;
}

/**
 * Returns a clock that starts at the wall-clock time of the call and then follows the
 * monotonic clock: milliseconds since 1970 that no later clock correction changes. The
 * clock measures lifetimes that neither an attacker (by forged NTP) nor a wrong setting
 * may end early.
 */
export function steadyTime(clock: Clock): () => number {
  const offset = clock.now() - clock.monotonic();
  return () => Math.round(offset + clock.monotonic());
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(milliseconds, abortSignal) {
    return new Promise((resolve, reject) => {
      if (abortSignal?.aborted) return reject(abortSignal.reason as Error);
      const stop = (): void => {
        clearTimeout(timer);
        reject(abortSignal?.reason as Error);
      };
      const timer = setTimeout(() => {
        abortSignal?.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      abortSignal?.addEventListener('abort', stop, { once: true });
    });
  },
};
