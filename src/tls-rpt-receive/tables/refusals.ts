import type { Store } from '../../store/index.js';
import type { Via } from '../types.js';

/** An item that was refused, by transport and failure code. */
export interface Refusal {
  /** Days since 1970. */
  readonly day: number;
  readonly via: Via;
  /** One of `reportFailures`. */
  readonly code: string;
}

/** Counts refused input, so that a reporter that fails every day becomes visible. */
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
