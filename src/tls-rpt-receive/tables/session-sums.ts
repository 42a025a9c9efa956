import type { Store } from '../../store/index.js';
import { resultTypes } from '../../tls-rpt/index.js';

/** Sessions that authenticated reports count for one domain, or for one MX host of it. */
export interface SessionSums {
  /** The domain or host, as the reports name it. */
  readonly domain: string;
  readonly outcomes: readonly {
    /** Type of the policy (RFC 8460 §4.4). */
    readonly type: string;
    readonly successful: number;
    readonly failed: number;
  }[];
  /** Failed sessions by result type (RFC 8460 §4.3); every other text counts as `other`. */
  readonly results: ReadonlyMap<string, number>;
}

const dayMs = 86_400_000;
const known: ReadonlySet<string> = new Set(resultTypes);

/**
 * Adds up the sessions of one domain since a time in milliseconds since 1970. Undefined
 * if no authenticated report names the domain.
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
