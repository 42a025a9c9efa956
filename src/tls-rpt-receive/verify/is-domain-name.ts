import { parse } from 'tldts';

/** Names for documentation and tests (RFC 2606 §2), which no registry delegates. */
const documentation = /\.(example|test)$/;

/**
 * Returns whether a text is the name of a domain below a public suffix that exists. The
 * name of an organisation (`Example Inc.`), of a host (`mail`) or of a private network
 * (`mail.local`) is not.
 */
export function isDomainName(candidate: string): boolean {
  const domainName = candidate.trim().toLowerCase();
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9-]{1,63})+\.?$/.test(domainName)) return false;
  const { domain, isIcann, isPrivate } = parse(domainName, { allowPrivateDomains: true });
  return (
    domain !== null && (isIcann === true || isPrivate === true || documentation.test(domainName))
  );
}
