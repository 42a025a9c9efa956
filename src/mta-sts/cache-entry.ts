import type { Failure } from '../base/index.js';
import type { StsPolicy } from './parse-policy.js';

/** A policy as it was fetched. */
export interface CachedPolicy extends StsPolicy {
  /**
   * Of the `_mta-sts` record at the time of the fetch; it is only ever compared for
   * equality (RFC 8461 §3.1).
   */
  readonly id: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
}

/** Fetches that failed since the last one that did not. */
export interface FailedFetches {
  /** Id of the record that the last of them was for; absent where there was none. */
  readonly id?: string;
  readonly failure: Failure;
  readonly lastAt: number;
  readonly count: number;
}

/**
 * What is remembered of one policy domain. Without `policy` it is a negative entry: only
 * failed fetches.
 */
export interface StsEntry {
  /** Lower case, A-labels, no final dot. */
  readonly domain: string;
  readonly policy?: CachedPolicy;
  readonly failed?: FailedFetches;
  /** When mail last asked for it, milliseconds since 1970. */
  readonly usedAt: number;
}

/**
 * Where policies are kept. Implementations are bounded: a full cache gives up what {@link
 * usefulness} rates lowest. Nothing else may drop an entry, least of all a failure. No
 * method throws: a cache that cannot store an entry answers it from memory.
 */
export interface StsCache {
  get(domain: string): StsEntry | undefined;
  /**
   * A promise resolves when the entry is durable, or soon where it cannot be; it never
   * rejects.
   */
  put(entry: StsEntry): void | Promise<void>;
  delete(domain: string): void | Promise<void>;
  /** Entries to be refreshed by then ({@link refreshAt}), the most urgent first. */
  due(now: number, limit: number): readonly StsEntry[];
  readonly size: number;
}
