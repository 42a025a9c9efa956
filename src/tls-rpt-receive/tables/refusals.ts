import type { Store } from '../../store/index.js';
import type { Via } from '../types.js';

/** The refusal of an item, with the day, the transport and the failure code. */
export interface Refusal {
  /** The day of arrival, in days since 1970. */
  readonly day: number;
  readonly via: Via;
  /** A code of `reportFailures`. */
  readonly code: string;
}

/**
 * Counts refused items in the database, so that the operator notices a reporter whose
 * reports are refused every day.
 */
export function storeRefusals(
  stateStore: Store,
  refusals: readonly Refusal[],
): readonly undefined[] {
  stateStore.transaction(() => {
    const count = stateStore.prepare(
      `INSERT INTO report_refusal (day, via, code, refused) VALUES (?, ?, ?, 1)
       ON CONFLICT (day, via, code) DO UPDATE SET refused = report_refusal.refused + 1`,
    );
    for (const { day, via, code } of refusals) count.run(day, via, code);
  });
  return [];
}
