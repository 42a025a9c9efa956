/**
 * Domains that do not exist in the public DNS: RFC 6761 (localhost), RFC 6762 (local),
 * RFC 7686 (onion), RFC 8375 (home.arpa), RFC 9476 (alt), and the domain that ICANN
 * reserves for private networks (internal). A check of such a domain could disclose names
 * in a private zone to visitors.
 */
const localDomains = ['localhost', 'local', 'onion', 'home.arpa', 'alt', 'internal'];

/** Returns whether a name in lower case belongs to a local network. */
export function isLocalName(name: string): boolean {
  return localDomains.some((local) => name === local || name.endsWith(`.${local}`));
}
