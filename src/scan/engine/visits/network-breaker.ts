import type { Clock } from '../../../base/index.js';
import type { Queries } from '../database/database.js';

const WINDOW_MS = 60_000;
/** Minimum number of networks for a decision: a share of fewer proves nothing. */
const MIN_NETWORKS = 20;

/**
 * Recognises a fault of the scanner's own network: within a minute, too large a share of
 * the networks that are contacted for the first time do not answer at all.
 */
export class NetworkBreaker {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #maxShare: number;
  #results: { readonly at: number; readonly timedOut: boolean }[] = [];

  constructor(clock: Pick<Clock, 'monotonic'>, maxShare: number) {
    this.#clock = clock;
    this.#maxShare = maxShare;
  }

  /** Counts one network; `timedOut`: none of its addresses answered. */
  count(timedOut: boolean): void {
    this.#results.push({ at: this.#clock.monotonic(), timedOut });
  }

  get isOpen(): boolean {
    const since = this.#clock.monotonic() - WINDOW_MS;
    this.#results = this.#results.filter(({ at }) => at >= since);
    const timedOut = this.#results.filter((result) => result.timedOut).length;
    return this.#results.length >= MIN_NETWORKS && timedOut > this.#maxShare * this.#results.length;
  }

  reset(): void {
    this.#results = [];
  }
}

/**
 * Pauses running scans: silence of too many servers indicates a fault in the scanner's
 * own network.
 */
export async function pauseForOwnNetwork(
  database: Queries,
  scans: readonly number[],
): Promise<void> {
  await database.query(
    `UPDATE hermetic_scan.scan SET state = 'paused', reason = 'own-network'
      WHERE id = ANY($1) AND state = 'running'`,
    [[...new Set(scans)]],
  );
}
