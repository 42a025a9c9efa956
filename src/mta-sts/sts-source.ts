import { BoundedMap, Name, SingleFlight, type Failure, type Result } from '../base/index.js';
import { lookupTexts, type Resolver } from '../dns/index.js';
import type { CachedPolicy, StsCache, StsEntry } from './cache-entry.js';
import {
  afterFailure,
  afterFetch,
  BACK_OFF,
  callsForFetch,
  expiresAt,
  isWorthWarning,
  policyInForce,
} from './cache-rules.js';
import { stsFailures } from './failures.js';
import type { StsPolicy } from './parse-policy.js';
import { parseStsRecord, type StsRecord } from './parse-record.js';

/** The MTA-STS state of a domain for one delivery. */
export interface StsState {
  /** The policy in force; absent if no policy is in force. */
  readonly policy?: CachedPolicy;
  /**
   * `live`: fetched for this lookup; `cached`: the published `id` still matches it;
   * `kept`: a lookup or fetch failed and the cached policy stays in force (RFC 8461
   * §3.3).
   */
  readonly how: 'live' | 'cached' | 'kept' | 'none';
  /** The current `_mta-sts` record. */
  readonly record: {
    readonly status: 'found' | 'absent' | 'invalid' | 'tempfail';
    readonly id?: string;
  };
  /** The reason why the announced policy could not be obtained. */
  readonly failure?: Failure;
  /**
   * Milliseconds since 1970 by the source's clock: the answer can be reused until then.
   */
  readonly until: number;
}

/** The dependencies of a policy source: resolver, cache, fetch and clock. */
export interface StsSourceOptions {
  readonly resolver: Resolver;
  readonly cache: StsCache;
  /** Fetches a policy over HTTPS once, see `fetchPolicy`. */
  fetch(
    domainName: Name,
    abortSignal: AbortSignal,
  ): Promise<Result<{ readonly policy: StsPolicy; readonly body: string }>>;
  /**
   * Returns the milliseconds since 1970, preferably by a clock that no correction
   * changes: see {@link steadyTime}.
   */
  now(): number;
  /** Reports that refreshes keep failing while a policy is in force. */
  onWarning?(stsEntry: StsEntry): void;
}

/** Supplies the MTA-STS policies of a sender. */
export interface StsSource {
  /**
   * Looks up the record, fetches the policy if its `id` is new [8461-5.1-2], and returns
   * the policy in force. Rejects only with `signal.reason`.
   */
  lookup(domainName: Name, abortSignal?: AbortSignal): Promise<StsState>;
  /**
   * Fetches the policies that are due for a refresh. Resolves to the number of policies
   * tried. Rejects only with `signal.reason`.
   */
  refreshDue(abortSignal?: AbortSignal): Promise<number>;
}

/** The record, or the failure of its lookup. */
type RecordLookup = StsRecord | { readonly status: 'tempfail' };

/**
 * Minimum interval between two updates of `usedAt`, milliseconds: most lookups must not
 * write to the store.
 */
const USE_UPDATE_MS = 3_600_000;
/** Milliseconds for which a failed record lookup is cached. */
const FAILURE_TTL_MS = 30_000;
const REFRESHES = 20;

/**
 * Combines policy discovery with the cache (RFC 8461 §3, §5.1). The record is looked up
 * when its TTL has passed, a new `id` causes a fetch, and no failure ever removes an
 * unexpired policy. Without a policy in force, delivery continues as if the domain had no
 * MTA-STS [8461-3.3-11]. Parent domains are not consulted [8461-3.4-2]. Concurrent
 * lookups of one domain share one fetch.
 */
export function createStsSource(options: StsSourceOptions): StsSource {
  return new CachingSource(options);
}

class CachingSource implements StsSource {
  readonly #shared = new SingleFlight<StsState>();
  readonly #recent = new BoundedMap<StsState>(10_000);

  constructor(private readonly options: StsSourceOptions) {}

  lookup(domainName: Name, abortSignal?: AbortSignal): Promise<StsState> {
    const cacheKey = domainName.toLower();
    const known = this.#recent.get(cacheKey);
    if (known && this.options.now() < known.until)
      return Promise.resolve(known.how === 'live' ? { ...known, how: 'cached' } : known);
    return this.#shared.run(
      cacheKey,
      (all = new AbortController().signal) => this.#lookup(domainName, all),
      abortSignal,
    );
  }

  async refreshDue(abortSignal = new AbortController().signal): Promise<number> {
    const due = this.options.cache.due(this.options.now(), REFRESHES);
    await Promise.all(due.map((stsEntry) => this.#refresh(stsEntry, abortSignal)));
    return due.length;
  }

  async #lookup(domainName: Name, abortSignal: AbortSignal): Promise<StsState> {
    const { cache, now } = this.options;
    const cacheKey = domainName.toLower();
    const { record, until, failure } = await this.#readRecord(domainName, abortSignal);
    let stsEntry = cache.get(cacheKey);
    let live: CachedPolicy | undefined;
    if (record.status === 'found' && callsForFetch(stsEntry, record.id, now())) {
      const fetched = await this.options.fetch(domainName, abortSignal);
      stsEntry = fetched.ok
        ? afterFetch(stsEntry, cacheKey, { id: record.id, ...fetched.value }, now())
        : afterFailure(stsEntry, cacheKey, { id: record.id, failure: fetched.failure }, now());
      live = fetched.ok ? stsEntry.policy : undefined;
      await cache.put(stsEntry);
    }
    if (stsEntry?.policy && !policyInForce(stsEntry, now()))
      stsEntry = await this.#dropPolicy(stsEntry);
    const stsState = stateOf({ entry: stsEntry, record, failure, live, until, now: now() });
    if (stsEntry?.policy && now() - stsEntry.usedAt > USE_UPDATE_MS)
      void cache.put({ ...stsEntry, usedAt: now() });
    this.#recent.set(cacheKey, stsState);
    return stsState;
  }

  /**
   * Deletes a policy that expired while the process ran, or is not to be cached at all
   * (`max_age` 0), so that a restart does not grant it the grace period.
   */
  async #dropPolicy(stsEntry: StsEntry): Promise<StsEntry> {
    const { policy: _policy, ...rest } = stsEntry;
    if (rest.failed) await this.options.cache.put(rest);
    else await this.options.cache.delete(rest.domain);
    return rest;
  }

  async #readRecord(
    domainName: Name,
    signal: AbortSignal,
  ): Promise<{ record: RecordLookup; until: number; failure?: Failure }> {
    const { resolver, now } = this.options;
    const parsedName = domainName.prepend('_mta-sts');
    // The name would exceed 255 octets, so the record cannot exist.
    if (!parsedName.ok) return { record: { status: 'absent' }, until: Infinity };
    // RFC 8461 §8.2 [8461-8.2-1]: the resolver follows an alias at this name.
    const found = await lookupTexts(resolver, parsedName.value, { signal });
    if (found.lookup === 'failed')
      return {
        record: { status: 'tempfail' },
        until: now() + FAILURE_TTL_MS,
        failure: found.failure,
      };
    const stsRecord = parseStsRecord(found.texts);
    return {
      record: stsRecord,
      until: now() + found.ttl * 1000,
      failure: stsRecord.status === 'invalid' ? stsRecord.failure : undefined,
    };
  }

  async #refresh(stsEntry: StsEntry, abortSignal: AbortSignal): Promise<void> {
    const { cache, now } = this.options;
    const { domain: domainName } = stsEntry;
    const name = Name.of(domainName);
    // RFC 8461 §3.3: the policy is fetched even if the record is gone or unchanged.
    const { record } = await this.#readRecord(name, abortSignal);
    const fetched = await this.options.fetch(name, abortSignal);
    const policyId = record.status === 'found' ? record.id : stsEntry.policy?.id;
    const before = cache.get(domainName) ?? stsEntry;
    const after = fetched.ok
      ? afterFetch(before, domainName, { id: policyId ?? '', ...fetched.value }, now())
      : afterFailure(before, domainName, { id: policyId, failure: fetched.failure }, now());
    if (!policyInForce(after, now())) await cache.delete(domainName);
    else await cache.put(after);
    this.#recent.delete(domainName);
    if (!fetched.ok && isWorthWarning(after)) this.options.onWarning?.(after);
  }
}

interface Observed {
  readonly entry: StsEntry | undefined;
  readonly record: RecordLookup;
  readonly failure: Failure | undefined;
  /** The policy that this lookup fetched. */
  readonly live: CachedPolicy | undefined;
  readonly until: number;
  readonly now: number;
}

function stateOf(observed: Observed): StsState {
  const { entry, record, live, until, now } = observed;
  // RFC 8461 §5.1: a policy just fetched binds this mail even if it is never cached.
  const cachedPolicy = policyInForce(entry, now) ?? live;
  const isCurrent = record.status === 'found' && cachedPolicy?.id === record.id;
  return {
    policy: cachedPolicy,
    how: originOf(cachedPolicy, live, isCurrent),
    record:
      record.status === 'found' ? { status: 'found', id: record.id } : { status: record.status },
    failure: isCurrent ? undefined : failureOf(observed, cachedPolicy),
    until: Math.min(
      until,
      cachedPolicy ? expiresAt(cachedPolicy) : Infinity,
      record.status === 'found' && !isCurrent ? now + BACK_OFF : Infinity,
    ),
  };
}

function originOf(
  cachedPolicy: CachedPolicy | undefined,
  live: CachedPolicy | undefined,
  isCurrent: boolean,
): StsState['how'] {
  if (!cachedPolicy) return 'none';
  if (live) return 'live';
  return isCurrent ? 'cached' : 'kept';
}

/** Returns the reason why the announced policy was not obtained. */
function failureOf(
  { entry, record, failure }: Observed,
  cachedPolicy: CachedPolicy | undefined,
): Failure | undefined {
  if (failure) return failure;
  if (record.status === 'found') return entry?.failed?.failure;
  if (cachedPolicy && record.status === 'absent') return stsFailures.make('sts-record-gone');
  return undefined;
}
