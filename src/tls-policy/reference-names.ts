import type { Dnssec } from '../dns/index.js';

/** The domain and the MX lookup that led to a host. */
export interface WayToHost {
  /** The next-hop domain. */
  readonly domain: string;
  /** The last target of its aliases. Default the domain itself. */
  readonly canonicalDomain?: string;
  /** DNSSEC status of the MX RRset; `secure` for a host that the operator configured. */
  readonly route: { readonly dnssec: Dnssec };
}

/**
 * Returns the reference identifiers of a DANE-TA check (RFC 7672 §3.2.2). The TLSA base
 * domain is always one of the identifiers. The next-hop domain and the target of its
 * aliases are included only if the MX RRset is secure: otherwise an attacker who forges
 * an unsigned MX record could redirect mail to a host with a certificate for the domain.
 *
 * [7672-3.2.2-1, 7672-3.2.2-2, 7672-3.2.2-3, 7672-3.2.2-4]
 */
export function referenceNames(
  base: string,
  { domain, canonicalDomain = domain, route }: WayToHost,
): readonly string[] {
  const provenNames = route.dnssec === 'secure' ? [domain, canonicalDomain] : [];
  return [...new Set([base, ...provenNames])];
}
