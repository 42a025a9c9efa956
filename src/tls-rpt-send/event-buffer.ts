import { repeat, type Clock } from '../base/index.js';
import { isStoreFailure, type Store } from '../store/index.js';
import { countInSteps, REPORTING } from './count-sessions.js';
import type { SessionEvent } from './session-event.js';

/** The store to which a buffer writes, and its clock. */
export interface EventBufferOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onError(error: unknown): void;
}

/**
 * Maximum number of events in memory. Beyond it, new events are dropped and counted as
 * dropped.
 */
const MAX_EVENTS = 100_000;
const GROUP_SIZE = 1000;
const PAUSE = 1000;

/**
 * Groups events into transactions, one per second or one per thousand events. Without
 * groups, each session of a busy server would cause a synchronous write. While the disk
 * is full or another process holds the lock, up to {@link MAX_EVENTS} events stay in
 * memory, and the store reports the failure.
 */
export class EventBuffer {
  #waiting: SessionEvent[] = [];
  #flushing: Promise<void> | undefined;
  readonly counts = { counted: 0, dropped: 0 };

  constructor(private readonly options: EventBufferOptions) {
    const { clock, signal } = options;
    void repeat(() => this.flush(), {
      clock,
      signal,
      firstPauseMs: PAUSE,
      pauseMs: PAUSE,
      onError: options.onError,
    }).then(() => this.flush());
  }

  readonly add = (sessionEvents: readonly SessionEvent[]): void => {
    if (this.#waiting.length + sessionEvents.length > MAX_EVENTS) {
      this.counts.dropped += sessionEvents.length;
      return;
    }
    this.#waiting.push(...sessionEvents);
    if (this.#waiting.length >= GROUP_SIZE) void this.flush();
  };

  /**
   * Writes the buffered events. Events that cannot be written stay in the buffer. Never
   * rejects.
   */
  flush(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async #writeAll(): Promise<void> {
    const { store, onError } = this.options;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, GROUP_SIZE);
      try {
        await store.write(REPORTING, () => countInSteps(store, group));
      } catch (error) {
        if (!isStoreFailure(error)) onError(error);
        return;
      }
      this.counts.counted += group.length;
      this.#waiting.splice(0, group.length);
    }
  }
}
