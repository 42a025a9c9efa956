interface Running<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Single flight: concurrent calls with one key share one promise. Aborting one caller
 * does not affect the others; the work is aborted with its last caller. A finished result
 * is not kept.
 */
export class SingleFlight<T> {
  readonly #running = new Map<string, Running<T>>();

  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.waiting++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (--running.waiting === 0) {
          this.#forget(key, running);
          running.controller.abort(signal?.reason);
        }
        reject(signal?.reason as Error);
      };
      const settled = (): void => signal?.removeEventListener('abort', leave);
      signal?.addEventListener('abort', leave, { once: true });
      running.promise.finally(settled).then(resolve, reject);
    });
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const running: Running<T> = { promise: work(controller.signal), controller, waiting: 0 };
    this.#running.set(key, running);
    const forget = (): void => this.#forget(key, running);
    running.promise.then(forget, forget);
    return running;
  }

  #forget(key: string, running: Running<T>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}
