import type { Failure } from '../base/index.js';
import type { StsPolicy } from './parse-policy.js';

/** A policy with its body and the time of its fetch. */
export interface CachedPolicy extends StsPolicy {
  /**
   * The `id` of the `_mta-sts` record at the time of the fetch. The `id` is opaque, and
   * only compared for equality (RFC 8461 §3.1).
   */
  readonly id: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
}

/** The number of failed fetches since the last successful fetch. */
export interface FailedFetches {
  /** The `id` of the record at the last failed fetch; absent if there was no record. */
  readonly id?: string;
  readonly failure: Failure;
  readonly lastAt: number;
  readonly count: number;
}

/**
 * The cache entry of one policy domain. An entry without `policy` is negative: it records
 * only failed fetches, so that they are not repeated at once.
 */
export interface StsEntry {
  /** The policy domain in A-labels, lower case, without a final dot. */
  readonly domain: string;
  readonly policy?: CachedPolicy;
  readonly failed?: FailedFetches;
  /** The time when a delivery last needed the policy, milliseconds since 1970. */
  readonly usedAt: number;
}

/**
 * The interface of a policy cache. Implementations are bounded: a full cache evicts the
 * entry with the lowest {@link usefulness}. No other event evicts an entry, in particular
 * no failure: otherwise an on-path attacker could remove a policy by blocking its host
 * (RFC 8461 §3.3). No method throws: a cache that cannot store an entry keeps it in
 * memory.
 */
export interface StsCache {
  get(domainName: string): StsEntry | undefined;
  /**
   * Saves an entry. The promise resolves when the entry is durable, or after a short time
   * if the entry cannot be stored; it never rejects.
   */
  put(stsEntry: StsEntry): void | Promise<void>;
  delete(domainName: string): void | Promise<void>;
  /** Returns entries whose {@link refreshAt} is at or before `now`, most urgent first. */
  due(now: number, limit: number): readonly StsEntry[];
  readonly size: number;
}
