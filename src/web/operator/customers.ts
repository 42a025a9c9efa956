import type { Actor, Customers } from '../roles.js';
import type { OwnDomain } from './own-domains.js';

/** A customer with its domains. */
export interface CustomerView {
  readonly name: string;
  /** The domains that the configuration assigns to the customer. */
  readonly configured: readonly string[];
  /** The domains of the customer that are watched, published or reported, worst first. */
  readonly known: readonly OwnDomain[];
}

/**
 * Returns the customers that an account may see, in alphabetical order. The domains of a
 * customer have the order of `domains`: worst first.
 */
export function customersOf(
  { customers: granted }: Pick<Actor, 'customers'>,
  customers: Customers,
  domains: readonly OwnDomain[],
): readonly CustomerView[] {
  const order = new Map(domains.map((own, index) => [own.domain, { own, index }]));
  return Object.entries(customers)
    .filter(([name]) => granted === undefined || granted.includes(name))
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([name, configured]) => {
      const known = [...new Set(configured)]
        .flatMap((domain) => order.get(domain) ?? [])
        .sort((left, right) => left.index - right.index)
        .map((found) => found.own);
      return { name, configured, known };
    });
}
