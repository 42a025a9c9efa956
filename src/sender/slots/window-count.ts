import { BoundedMap } from '../../base/index.js';

/** Keys in memory. The least recent one is forgotten, which favours it. */
const MAX_KEYS = 20_000;

/** Counts events of each key in windows of fixed length. */
export class WindowCount {
  readonly #counts = new BoundedMap<{ readonly window: number; readonly count: number }>(MAX_KEYS);

  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
    private readonly now: () => number,
  ) {}

  /** Counts an event; false where it exceeds the limit of its window. */
  admits(key: string): boolean {
    const window = Math.floor(this.now() / this.windowMs);
    const before = this.#counts.get(key);
    const count = before?.window === window ? before.count + 1 : 1;
    this.#counts.set(key, { window, count });
    return count <= this.limit;
  }
}
