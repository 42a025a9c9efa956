import { HermeticError, nearest } from '../../base/index.js';
import type { WatchSettings } from '../../watch/index.js';
import type { JobContext } from '../service.js';

/**
 * Returns the watched domains of a group. Throws HermeticError for an unknown group, or a
 * group without watched domains.
 */
export function customerDomains(
  customer: string,
  { domains }: Pick<WatchSettings, 'domains'>,
  customers: JobContext['customers'] = {},
): readonly string[] {
  const known = Object.keys(customers);
  if (!Object.hasOwn(customers, customer)) {
    const similar = nearest(customer, known);
    const all = known.length === 0 ? 'which is empty' : `which names ${known.join(', ')}`;
    throw invalidCustomer(
      `${customer} is not a group of pages.customers, ${all}`,
      similar === undefined ? 'Add the group to pages.customers.' : `Did you mean ${similar}?`,
    );
  }
  const own = new Set(customers[customer]);
  const watched = domains.filter((domain) => own.has(domain));
  if (watched.length > 0) return watched;
  throw invalidCustomer(
    `${customer}: no domain of this group is watched`,
    'Add its domains to watch.domains.',
  );
}

/** Returns the error for an invalid group in `watch.digest.customers`. */
export function invalidCustomer(fault: string, fix: string): HermeticError {
  return new HermeticError('config-invalid', `watch.digest.customers: ${fault}`, { fix });
}
