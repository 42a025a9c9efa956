import { getDomain } from 'tldts';
import { BoundedMap } from '../../base/index.js';

/** Organisational domains of recent names. */
const known = new BoundedMap<string>(20_000);

/**
 * Returns the family of a host name: its organisational domain by the public suffix list,
 * private suffixes included. Host names of one provider's customers have one family, such as
 * `outlook.com`. A name without an organisational domain is a family of its own.
 */
export function familyOf(host: string): string {
  const found = known.get(host);
  if (found !== undefined) return found;
  const family = getDomain(host, { allowPrivateDomains: true }) ?? host;
  known.set(host, family);
  return family;
}

/** The operator of hosts in the domain's own organisational domain. */
export const OWN_OPERATOR = 'own';

/**
 * Returns the operator of a mail host for a domain: {@link OWN_OPERATOR} if both have the
 * same organisational domain, otherwise the family of the host.
 */
export function operatorOf(host: string, domain: string): string {
  const family = familyOf(host);
  return family === familyOf(domain) ? OWN_OPERATOR : family;
}
