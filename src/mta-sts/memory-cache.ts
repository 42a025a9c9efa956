import type { StsCache, StsEntry } from './cache-entry.js';
import { refreshAt, usefulness } from './cache-rules.js';

/**
 * Creates a policy cache in memory, for tests and for senders that run once. `now` has
 * the meaning of {@link StsSourceOptions.now}.
 */
export function memoryStsCache(
  options: { readonly limit?: number; now?(): number } = {},
): StsCache {
  const { limit = 10_000, now = Date.now } = options;
  const entries = new Map<string, StsEntry>();
  return {
    get: (domainName) => entries.get(domainName),
    put(stsEntry) {
      entries.set(stsEntry.domain, stsEntry);
      if (entries.size > limit) makeRoom(entries, limit, now());
    },
    delete: (domainName) => void entries.delete(domainName),
    due: (until, count) =>
      [...entries.values()]
        .flatMap((stsEntry) => {
          const at = refreshAt(stsEntry);
          if (at !== undefined && at <= until) return [{ entry: stsEntry, at }];
          return [];
        })
        .sort((left, right) => left.at - right.at)
        .slice(0, count)
        .map(({ entry }) => entry),
    get size() {
      return entries.size;
    },
  };
}

/**
 * Evicts a tenth of the entries at once, so that a full cache does not sort its entries
 * for every new one.
 */
function makeRoom(entries: Map<string, StsEntry>, limit: number, now: number): void {
  const ranked = [...entries.values()].sort(
    (left, right) => usefulness(left, now) - usefulness(right, now),
  );
  for (const { domain } of ranked.slice(0, entries.size - Math.floor(limit * 0.9)))
    entries.delete(domain);
}
