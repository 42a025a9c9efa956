import { BoundedMap } from '../../base/index.js';
import { cutText, type Observation, type ObservationOf } from '../observation.js';
import type { SlotTable } from './slot-table.js';

/** Maximum number of unsaved observations of one slot. */
const MAX_WAITING = 1000;
/**
 * Maximum number of DNS questions among these observations; the remaining space is for
 * connections.
 */
const MAX_DNS_WAITING = 500;
/** Maximum number of slots with unsaved observations. */
const MAX_SLOTS = 1000;
/**
 * Maximum number of DNS questions saved for one slot. Clients can forge the sources of
 * questions, so questions must not displace connections.
 */
const MAX_DNS = 2000;
/** Milliseconds for which a repeated DNS question is not saved again. */
const REPEATED_MS = 600_000;
const MAX_QUESTIONS = 20_000;

/** Collects observations, and saves the observations of each slot together. */
export class ObservationBuffer {
  readonly #waiting = new Map<string, Observation[]>();
  readonly #asked = new BoundedMap<number>(MAX_QUESTIONS);
  readonly #questions = new BoundedMap<number>(MAX_SLOTS);
  /** Observations that were dropped because a limit was reached. */
  dropped = 0;

  /** `now`: wall-clock time, milliseconds since 1970. */
  constructor(
    private readonly table: SlotTable,
    private readonly now: () => number,
  ) {}

  add(observation: Observation): void {
    const { slot } = observation;
    const waiting = this.#waiting.get(slot);
    const isFull = waiting ? waiting.length >= MAX_WAITING : this.#waiting.size >= MAX_SLOTS;
    if (isFull) {
      this.dropped++;
      return;
    }
    if (waiting) waiting.push(observation);
    else this.#waiting.set(slot, [observation]);
  }

  /** Adds a DNS question unless the same resolver asked it a few minutes ago. */
  addQuestion(question: Omit<ObservationOf<'dns'>, 'kind' | 'at'>): void {
    const { slot, name, type, source, dnssecOk } = question;
    const now = this.now();
    const key = `${slot} ${name} ${type} ${source} ${String(dnssecOk)}`;
    if (now - (this.#asked.get(key) ?? -Infinity) < REPEATED_MS) return;
    const count = this.#questions.get(slot) ?? 0;
    const waiting = this.#waiting.get(slot)?.length ?? 0;
    if (count >= MAX_DNS || waiting >= MAX_DNS_WAITING) {
      this.dropped++;
      return;
    }
    this.#asked.set(key, now);
    this.#questions.set(slot, count + 1);
    const at = new Date(now).toISOString();
    this.add({ kind: 'dns', at, ...question, name: cutText(name) });
  }

  /**
   * Saves all unsaved observations. Rejects if the database cannot be written; the next
   * call saves the rest.
   */
  async flush(): Promise<void> {
    for (const [slot, observations] of [...this.#waiting]) {
      const count = observations.length;
      await this.table.add(slot, observations.slice(0, count));
      observations.splice(0, count);
      if (observations.length === 0) this.#waiting.delete(slot);
    }
  }
}
