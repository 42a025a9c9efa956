import type { Failure } from '../base/index.js';
import type { CachedPolicy, StsEntry } from './cache-entry.js';
import type { StsPolicy } from './parse-policy.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * RFC 8461 §3.3 [8461-3.3-8]: after a failed fetch the same id is left alone for five
 * minutes.
 */
export const BACK_OFF = 5 * MINUTE;
/**
 * Life that a policy has at least when the cache is opened: the clock may be wrong then,
 * and is mended within minutes.
 */
export const GRACE = HOUR;
/** A policy nobody sends mail for is not refreshed for ever. */
const UNUSED = 180 * DAY;

/**
 * When the policy ends: `max_age` counted from the last fetch (RFC 8461 §3.2
 * [8461-3.2-9]).
 */
export function expiresAt({ fetchedAt, maxAge }: CachedPolicy): number {
  return fetchedAt + maxAge * 1000;
}

/**
 * The policy that binds a sender, whatever DNS and the policy host say at the moment (RFC
 * 8461 §3.3 [8461-3.3-10, 8461-3.1-10]).
 */
export function policyInForce(entry: StsEntry | undefined, now: number): CachedPolicy | undefined {
  if (entry?.policy && now < expiresAt(entry.policy)) return entry.policy;
  return undefined;
}

/**
 * Whether a record with this id calls for a fetch [8461-3-1, 8461-5.1-1]: nothing in
 * force, or an id that is not the known one; and the last failure is not too fresh.
 */
export function callsForFetch(entry: StsEntry | undefined, id: string, now: number): boolean {
  if (policyInForce(entry, now)?.id === id) return false;
  const failed = entry?.failed;
  // A clock that was set back must not keep a fetch waiting longer than the back-off
  // itself.
  return failed?.id !== id || Math.abs(now - failed.lastAt) >= BACK_OFF;
}

/** The entry after a fetch. */
export function afterFetch(
  entry: StsEntry | undefined,
  domain: string,
  got: { readonly id: string; readonly policy: StsPolicy; readonly body: string },
  now: number,
): StsEntry {
  return {
    domain,
    policy: { ...got.policy, id: got.id, body: got.body, fetchedAt: now },
    usedAt: entry?.usedAt ?? now,
  };
}

/** The entry after a fetch that failed: the policy stays. */
export function afterFailure(
  entry: StsEntry | undefined,
  domain: string,
  { id, failure }: { readonly id: string | undefined; readonly failure: Failure },
  now: number,
): StsEntry {
  const failed = {
    id,
    failure,
    lastAt: now,
    count: (entry?.failed?.count ?? 0) + 1,
  };
  return { usedAt: now, ...entry, domain, failed };
}

/**
 * When to fetch a policy anew, whether or not its record changed (RFC 8461 §3.3, §10.2
 * [8461-3.3-12]): daily, short-lived ones at half their life, each domain at its own
 * time; after failures at growing intervals. Undefined: never, since nobody uses it or
 * there is none.
 */
export function refreshAt({ domain, policy, failed, usedAt }: StsEntry): number | undefined {
  if (!policy || policy.fetchedAt > usedAt + UNUSED) return undefined;
  const interval = Math.min(DAY, (policy.maxAge * 1000) / 2);
  if (failed)
    return failed.lastAt + Math.min(interval, BACK_OFF * 2 ** Math.min(failed.count - 1, 10));
  return policy.fetchedAt + Math.round(interval * (0.75 + spread(domain) / 4));
}

/**
 * Whether an administrator should hear of it: a third failure in a row, then ever more
 * rarely; withdrawn policies need no refresh (RFC 8461 §3.3 [8461-3.3-13]).
 */
export function isWorthWarning({ policy, failed }: StsEntry): boolean {
  if (!policy || policy.mode === 'none' || !failed) return false;
  return failed.count % 3 === 0 && Number.isInteger(Math.log2(failed.count / 3));
}

/**
 * The entry as it counts when a cache is opened. What was stored under a clock that stood
 * ahead ages from now on; what ran out while nobody watched has {@link GRACE} left to be
 * fetched anew. So no wrong clock at the start takes a policy away. Undefined: nothing
 * worth keeping.
 */
export function reopened(entry: StsEntry, now: number): StsEntry | undefined {
  const failed = entry.failed && { ...entry.failed, lastAt: Math.min(entry.failed.lastAt, now) };
  const common = { ...entry, usedAt: Math.min(entry.usedAt, now), ...(failed ? { failed } : {}) };
  if (!entry.policy) {
    if (failed && now - failed.lastAt < DAY) return common;
    return undefined;
  }
  const { maxAge } = entry.policy;
  const least = now + Math.min(GRACE, maxAge * 1000) - maxAge * 1000;
  return {
    ...common,
    policy: { ...entry.policy, fetchedAt: Math.min(now, Math.max(entry.policy.fetchedAt, least)) },
  };
}

/**
 * How much would be lost with an entry, for a full cache: what ran out and what never was
 * a policy nothing, then `none`, `testing` and `enforce`; among equals what was used last
 * is worth most.
 */
export function usefulness(entry: StsEntry, now: number): number {
  const policy = policyInForce(entry, now);
  const worth = policy ? { none: 1, testing: 2, enforce: 3 }[policy.mode] : 0;
  return worth * 1e14 + entry.usedAt;
}

/** A number from 0 to 1 that belongs to the domain: FNV-1a. */
function spread(domain: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < domain.length; index++)
    hash = Math.imul(hash ^ domain.charCodeAt(index), 0x01000193) >>> 0;
  return hash / 2 ** 32;
}
