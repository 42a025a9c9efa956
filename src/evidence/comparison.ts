/**
 * `hermetic.diff/1`: the differences between two checks of a domain. A stable contract:
 * fields are added, never renamed.
 */

/**
 * The direction of a change. `unclear`: a fact that was known can no longer be
 * determined; `changed`: the fact is neither better nor worse.
 */
export type Direction = 'worse' | 'unclear' | 'better' | 'changed';

export interface FactChange {
  readonly direction: Direction;
  /** Domain, host, or `host [ip]`. */
  readonly subject: string;
  /** The id of a finding, or words. */
  readonly what: string;
  /** `none` if the fact was absent. */
  readonly before: string;
  readonly after: string;
}

export interface Comparison {
  readonly schema: 'hermetic.diff/1';
  /** The domain in A-labels, without a final dot. */
  readonly domain: string;
  /** The times of the two checks, RFC 3339 UTC. */
  readonly before: string;
  readonly after: string;
  /** The changes by direction: worse, unclear, better, changed. */
  readonly changes: readonly FactChange[];
}
