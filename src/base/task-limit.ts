/**
 * Runs at most the given number of tasks at the same time, in the order of their calls.
 */
export class TaskLimit {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Runs a task when the limit permits it; resolves or rejects with the task. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.limit) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The next waiting task starts directly, so no later task starts before it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
