import type { Store } from '../../store/index.js';
import { resultTypes } from '../../tls-rpt/index.js';

/** The numbers of sessions in authenticated reports about one domain or one MX host. */
export interface SessionSums {
  /** The domain or host, as the reports name it. */
  readonly domain: string;
  readonly outcomes: readonly {
    /** The type of the policy (RFC 8460 §4.4). */
    readonly type: string;
    readonly successful: number;
    readonly failed: number;
  }[];
  /**
   * Number of failed sessions by result type (RFC 8460 §4.3); any other text counts as
   * `other`.
   */
  readonly results: ReadonlyMap<string, number>;
}

const dayMs = 86_400_000;
const known: ReadonlySet<string> = new Set(resultTypes);

/**
 * Returns the sums of the sessions of one domain since `since`, in milliseconds since
 * 1970; undefined if no authenticated report names the domain.
 */
export function sumSessions(
  stateStore: Store,
  domain: string,
  since: number,
): SessionSums | undefined {
  const day = Math.floor(since / dayMs);
  const outcomes = stateStore
    .prepare<{ type: string; successful: number; failed: number }>(
      `SELECT type, sum(ok) AS successful, sum(failed) AS failed FROM report_day
       WHERE domain = ? AND day >= ? AND authenticated = 1 GROUP BY type ORDER BY type`,
    )
    .all(domain, day);
  if (outcomes.length === 0) return undefined;
  const rows = stateStore
    .prepare<{ result: string; failed: number }>(
      `SELECT result, sum(failed) AS failed FROM report_failure
       WHERE domain = ? AND day >= ? AND authenticated = 1 GROUP BY result`,
    )
    .all(domain, day);
  const results = new Map<string, number>();
  for (const { result, failed } of rows) {
    const type = known.has(result) ? result : 'other';
    results.set(type, (results.get(type) ?? 0) + failed);
  }
  return { domain, outcomes, results };
}
