import { collect, collectOptions, nameOf, type CheckOptions } from '../check/index.js';
import type { Evidence } from '../evidence/index.js';
import type { Lab } from '../lab/index.js';
import { labOptions } from './lab.js';

/**
 * Number of lab domains that are checked concurrently. All servers of the lab share this
 * process: with more concurrent checks, a busy machine causes timeouts.
 */
const MAX_CONCURRENT = 8;

/**
 * Collects the evidence of lab domains, in their order, each as soon as it is available.
 */
export function checkDomains(
  lab: Lab,
  domains: readonly string[],
  more: CheckOptions = {},
): readonly Promise<Evidence>[] {
  const options = collectOptions({ ...labOptions(lab), ...more });
  return inLanes(domains, MAX_CONCURRENT, (domainName) => collect(nameOf(domainName), options));
}

/**
 * Runs asynchronous work for each item, at most `lanes` at a time, and returns the
 * promises in the order of the items. A failure stops only its own item.
 *
 * The work of an item starts when an earlier item has settled, so the number of
 * connections stays bounded for any length of the list.
 */
export function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): readonly Promise<R>[] {
  const starters: (() => void)[] = [];
  const results = items.map((item) => {
    const turn = new Promise<void>((resolve) => starters.push(resolve));
    const result = turn.then(() => work(item));
    // The caller may stop waiting after the first failure.
    result.catch(() => undefined).finally(() => starters.shift()?.());
    return result;
  });
  for (const start of starters.splice(0, lanes)) start();
  return results;
}
