interface Running<T> {
  readonly promise: Promise<T>;
  /** Absent if the first caller has no signal, so that no caller can abort the work. */
  readonly controller: AbortController | undefined;
  waiting: number;
}

/**
 * Single flight: concurrent calls with one key share one promise. Aborting one caller
 * does not affect the others; the work is aborted with its last caller. Finished results
 * are not cached.
 */
export class SingleFlight<T> {
  readonly #running = new Map<string, Running<T>>();

  /**
   * Runs `work`, or waits for the run of an earlier caller. `work` receives no signal if
   * its first caller has none: no caller can then abort it.
   */
  run(
    cacheKey: string,
    work: (signal: AbortSignal | undefined) => Promise<T>,
    abortSignal?: AbortSignal,
  ): Promise<T> {
    if (abortSignal?.aborted) return Promise.reject(abortSignal.reason as Error);
    const known = this.#running.get(cacheKey);
    const running = known ?? this.#start(cacheKey, work, abortSignal !== undefined);
    running.waiting++;
    if (!abortSignal) return running.promise;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (--running.waiting === 0) {
          this.#forget(cacheKey, running);
          running.controller?.abort(abortSignal.reason);
        }
        reject(abortSignal.reason as Error);
      };
      const settled = (): void => abortSignal.removeEventListener('abort', leave);
      abortSignal.addEventListener('abort', leave, { once: true });
      running.promise.finally(settled).then(resolve, reject);
    });
  }

  #start(
    cacheKey: string,
    work: (abortSignal: AbortSignal | undefined) => Promise<T>,
    canAbort: boolean,
  ): Running<T> {
    const controller = canAbort ? new AbortController() : undefined;
    const running: Running<T> = { promise: work(controller?.signal), controller, waiting: 0 };
    this.#running.set(cacheKey, running);
    const forget = (): void => this.#forget(cacheKey, running);
    running.promise.then(forget, forget);
    return running;
  }

  #forget(cacheKey: string, running: Running<T>): void {
    if (this.#running.get(cacheKey) === running) this.#running.delete(cacheKey);
  }
}
