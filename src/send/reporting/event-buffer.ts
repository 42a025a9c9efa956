import type { Clock } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { countSessions } from './count-sessions.js';
import type { SessionEvent } from './session-event.js';

export interface EventBufferOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onError(error: unknown): void;
}

/** Events in memory at most: beyond it those that come are dropped, and counted. */
const MOST = 100_000;
const GROUP = 1000;
const PAUSE = 1000;

/** Events gathered into transactions of a second, or a thousand. A full disk holds them back as long as memory is set aside for them. */
export class EventBuffer {
  #waiting: SessionEvent[] = [];
  readonly counts = { counted: 0, dropped: 0 };

  constructor(private readonly options: EventBufferOptions) {
    void this.#flushNowAndThen();
  }

  readonly add = (events: readonly SessionEvent[]): void => {
    if (this.#waiting.length + events.length > MOST) {
      this.counts.dropped += events.length;
      return;
    }
    this.#waiting.push(...events);
    if (this.#waiting.length >= GROUP) this.flush();
  };

  /** Writes what waits; what cannot be written goes on waiting. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, GROUP);
      try {
        countSessions(this.options.store, group);
      } catch (error) {
        return this.options.onError(error);
      }
      this.counts.counted += group.length;
      this.#waiting.splice(0, group.length);
    }
  }

  async #flushNowAndThen(): Promise<void> {
    const { clock, signal } = this.options;
    while (!signal.aborted) {
      await clock.sleep(PAUSE, signal).catch(() => undefined);
      this.flush();
    }
  }
}
