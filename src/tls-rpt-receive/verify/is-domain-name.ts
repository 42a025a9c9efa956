import { parse } from 'tldts';

/**
 * Matches names for documentation and tests (RFC 2606 §2), which are not in the public
 * suffix list.
 */
const documentation = /\.(example|test)$/;

/**
 * Returns whether a text is the name of a domain below an existing public suffix. Names
 * of organisations (`Example Inc.`), of hosts without a domain (`mail`) and in private
 * networks (`mail.local`) are not.
 */
export function isDomainName(candidate: string): boolean {
  const domainName = candidate.trim().toLowerCase();
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9-]{1,63})+\.?$/.test(domainName)) return false;
  const { domain, isIcann, isPrivate } = parse(domainName, { allowPrivateDomains: true });
  return (
    domain !== null && (isIcann === true || isPrivate === true || documentation.test(domainName))
  );
}
