import { getDomain } from 'tldts';
import { BoundedMap, neutralise } from '../../base/index.js';

/** A cache of organisational domains, since a few reporters send nearly all reports. */
const organisations = new BoundedMap<string>(1000);

/**
 * Returns the organisational domain of a name according to the public suffix list;
 * undefined if the text is not such a name.
 */
export function organisationOf(domainName: string): string | undefined {
  const known = organisations.get(domainName);
  if (known !== undefined) return known === '' ? undefined : known;
  const found = neutralise(getDomain(domainName, { allowPrivateDomains: true }) ?? '', 200);
  organisations.set(domainName, found);
  return found === '' ? undefined : found;
}

/**
 * Returns whether two domains are equal or have the same organisational domain: relaxed
 * alignment.
 */
export function sameOrganisation(left: string, right: string): boolean {
  const [one, two] = [left.toLowerCase(), right.toLowerCase()];
  if (one === two) return true;
  const organisation = organisationOf(one);
  return organisation !== undefined && organisation === organisationOf(two);
}

/** Returns the domain of a mail address, in lower case. */
export function domainOfAddress(address: string | undefined): string | undefined {
  const domainName = address === undefined ? undefined : /@([^@>\s]+)[^@]*$/.exec(address)?.[1];
  return domainName?.toLowerCase();
}
