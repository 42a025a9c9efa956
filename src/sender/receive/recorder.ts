import type { SenderCase } from '../cases/sender-case.js';
import { MAX_OBSERVATIONS, type Observation } from '../observation.js';

/** The case to which a connection, question or request belongs. */
export interface CasePlace {
  readonly senderCase: SenderCase;
  readonly slot: string;
}

type WithoutPlace<T> = T extends unknown ? Omit<T, 'at' | 'case' | 'slot' | 'message'> : never;
/** An observation before the recorder adds time, case and slot. */
export type UnplacedObservation = WithoutPlace<Observation>;

/**
 * Collects the observations of one test, up to {@link MAX_OBSERVATIONS}: a flood of
 * connections costs a bounded amount of memory, and only the first observations count.
 */
export class Recorder {
  readonly #observations: Observation[] = [];
  readonly #withdrawn = new Set<string>();
  #connections = 0;

  /**
   * @param now milliseconds of the wall clock
   * @param onChange is called after each observation
   */
  constructor(
    private readonly now: () => number = Date.now,
    private readonly onChange: (observation: Observation) => void = () => undefined,
  ) {}

  /** Returns the observations in the order of arrival. */
  get observations(): readonly Observation[] {
    return this.#observations;
  }

  /** Returns a new id for a connection. */
  nextConnection(): string {
    return String(++this.#connections);
  }

  /**
   * Returns the number of the current message of a case with two messages; undefined for
   * other cases.
   */
  messageOf({ senderCase }: CasePlace): 1 | 2 | undefined {
    if (!senderCase.withdrawn) return undefined;
    return this.#withdrawn.has(senderCase.id) ? 2 : 1;
  }

  /**
   * Records one observation. `message`: for a connection, the number of the message with
   * which the connection began; by default the current one.
   */
  record(place: CasePlace, seen: UnplacedObservation, message = this.messageOf(place)): void {
    if (this.#observations.length >= MAX_OBSERVATIONS) return;
    const observation = {
      at: new Date(this.now()).toISOString(),
      case: place.senderCase.id,
      slot: place.slot,
      message,
      ...seen,
    } as Observation;
    this.#observations.push(observation);
    this.onChange(observation);
  }

  /** Counts later messages of a case as its second; only for cases with `withdrawn`. */
  withdraw(place: CasePlace): void {
    if (!place.senderCase.withdrawn || this.isWithdrawn(place)) return;
    this.record(place, { kind: 'withdrawn' });
    this.#withdrawn.add(place.senderCase.id);
  }

  isWithdrawn({ senderCase }: CasePlace): boolean {
    return this.#withdrawn.has(senderCase.id);
  }
}
