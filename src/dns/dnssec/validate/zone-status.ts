import type { Failure, Name } from '../../../base/index.js';
import { dnssecFailures, type DnssecFailureCode } from '../failures.js';

/** Returns the failure for a name without a trust anchor above it. */
export function noAnchor(domainName: Name): Failure {
  return dnssecFailures.make('dnssec-no-anchor', domainName.toString());
}

/** Returns a bogus status with its failure. */
export function bogus(
  code: DnssecFailureCode,
  detail: string,
): { readonly status: 'bogus'; readonly failure: Failure } {
  return { status: 'bogus', failure: dnssecFailures.make(code, detail) };
}

/**
 * Returns the stored promise for a key, or stores and returns the promise from `make`.
 */
export function memo<T>(
  map: Map<string, Promise<T>>,
  cacheKey: string,
  make: () => Promise<T>,
): Promise<T> {
  let made = map.get(cacheKey);
  if (!made) map.set(cacheKey, (made = make()));
  return made;
}
