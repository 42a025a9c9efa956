import type { Failure } from '../base/index.js';
import type { CachedPolicy, StsEntry } from './cache-entry.js';
import type { StsPolicy } from './parse-policy.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Milliseconds after a failed fetch in which the same `id` is not fetched again (RFC 8461
 * §3.3 [8461-3.3-8]).
 */
export const BACK_OFF = 5 * MINUTE;
/**
 * Minimum remaining lifetime of a policy when the cache is opened, milliseconds. The
 * clock may be wrong at boot and is usually corrected within minutes.
 */
export const GRACE = HOUR;
/** Milliseconds after the last use of a policy, from which it is no longer refreshed. */
const UNUSED = 180 * DAY;

/**
 * Returns the expiry time of a policy: `max_age` after its last fetch (RFC 8461 §3.2
 * [8461-3.2-9]).
 */
export function expiresAt({ fetchedAt, maxAge }: CachedPolicy): number {
  return fetchedAt + maxAge * 1000;
}

/**
 * Returns the policy that binds a sender now. The current state of DNS and of the policy
 * host does not matter: an unexpired cached policy stays in force (RFC 8461 §3.3
 * [8461-3.3-10, 8461-3.1-10]).
 */
export function policyInForce(
  stsEntry: StsEntry | undefined,
  now: number,
): CachedPolicy | undefined {
  if (stsEntry?.policy && now < expiresAt(stsEntry.policy)) return stsEntry.policy;
  return undefined;
}

/**
 * Decides whether a record with this `id` requires a fetch [8461-3-1, 8461-5.1-1]: no
 * policy is in force or the `id` is new, and the last failure is older than {@link
 * BACK_OFF}.
 */
export function callsForFetch(
  stsEntry: StsEntry | undefined,
  policyId: string,
  now: number,
): boolean {
  if (policyInForce(stsEntry, now)?.id === policyId) return false;
  const failed = stsEntry?.failed;
  // If the clock was set back, the wait must not exceed the back-off.
  return failed?.id !== policyId || Math.abs(now - failed.lastAt) >= BACK_OFF;
}

/** Returns the entry after a successful fetch. */
export function afterFetch(
  stsEntry: StsEntry | undefined,
  domain: string,
  got: { readonly id: string; readonly policy: StsPolicy; readonly body: string },
  now: number,
): StsEntry {
  return {
    domain,
    policy: { ...got.policy, id: got.id, body: got.body, fetchedAt: now },
    usedAt: stsEntry?.usedAt ?? now,
  };
}

/**
 * Returns the entry after a failed fetch, with the same policy and the failure counted.
 */
export function afterFailure(
  stsEntry: StsEntry | undefined,
  domain: string,
  { id, failure }: { readonly id: string | undefined; readonly failure: Failure },
  now: number,
): StsEntry {
  const failed = {
    id,
    failure,
    lastAt: now,
    count: (stsEntry?.failed?.count ?? 0) + 1,
  };
  return { usedAt: now, ...stsEntry, domain, failed };
}

/**
 * Returns the time to fetch a policy again, even if its record did not change (RFC 8461
 * §3.3, §10.2 [8461-3.3-12]): daily, or at half the lifetime for short-lived policies.
 * The time varies by domain, and the interval grows after failures. Returns undefined for
 * an unused policy and for an entry without a policy.
 */
export function refreshAt({
  domain,
  policy: cachedPolicy,
  failed,
  usedAt,
}: StsEntry): number | undefined {
  if (!cachedPolicy || cachedPolicy.fetchedAt > usedAt + UNUSED) return undefined;
  const interval = Math.min(DAY, (cachedPolicy.maxAge * 1000) / 2);
  if (failed)
    return failed.lastAt + Math.min(interval, BACK_OFF * 2 ** Math.min(failed.count - 1, 10));
  return cachedPolicy.fetchedAt + Math.round(interval * (0.75 + spread(domain) / 4));
}

/**
 * Decides whether to warn the administrator about failed refreshes: at the third failure
 * in a row, then at the 6th, the 12th and so on. A policy with mode `none` needs no
 * refresh (RFC 8461 §3.3 [8461-3.3-13]).
 */
export function isWorthWarning({ policy, failed }: StsEntry): boolean {
  if (!policy || policy.mode === 'none' || !failed) return false;
  return failed.count % 3 === 0 && Number.isInteger(Math.log2(failed.count / 3));
}

/**
 * Adjusts an entry when the cache is opened, so that a wrong clock at boot never removes
 * a policy. A fetch time in the future is replaced by the current time. A policy that
 * expired while the process was stopped stays in force for {@link GRACE}, so that it can
 * be fetched again. Returns undefined for an entry that is no longer useful.
 */
export function reopened(stsEntry: StsEntry, now: number): StsEntry | undefined {
  const failed = stsEntry.failed && {
    ...stsEntry.failed,
    lastAt: Math.min(stsEntry.failed.lastAt, now),
  };
  const common = { ...stsEntry, usedAt: Math.min(stsEntry.usedAt, now), failed };
  if (!stsEntry.policy) {
    if (failed && now - failed.lastAt < DAY) return common;
    return undefined;
  }
  const { maxAge } = stsEntry.policy;
  const least = now + Math.min(GRACE, maxAge * 1000) - maxAge * 1000;
  return {
    ...common,
    policy: {
      ...stsEntry.policy,
      fetchedAt: Math.min(now, Math.max(stsEntry.policy.fetchedAt, least)),
    },
  };
}

/**
 * Rates an entry for eviction from a full cache: expired and negative entries lowest,
 * then mode `none`, `testing` and `enforce`. Among equal modes the most recently used
 * entry ranks highest.
 */
export function usefulness(stsEntry: StsEntry, now: number): number {
  const cachedPolicy = policyInForce(stsEntry, now);
  const worth = cachedPolicy ? { none: 1, testing: 2, enforce: 3 }[cachedPolicy.mode] : 0;
  return worth * 1e14 + stsEntry.usedAt;
}

/** Returns a number from 0 to 1 that is constant for the domain (FNV-1a hash). */
function spread(domainName: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < domainName.length; index++)
    hash = Math.imul(hash ^ domainName.charCodeAt(index), 0x01000193) >>> 0;
  return hash / 2 ** 32;
}
