import type { Dnssec } from '../dns/index.js';

/** How a host was come by. */
export interface WayToHost {
  /** The next-hop domain. */
  readonly domain: string;
  /** Where its aliases lead. Default the domain itself. */
  readonly canonicalDomain?: string;
  /** Of the MX records; `secure` for a host that whoever runs the sender has named. */
  readonly route: { readonly dnssec: Dnssec };
}

/**
 * Reference identifiers of a DANE-TA check (RFC 7672 §3.2.2): the TLSA base domain; the
 * next-hop domain and where its aliases lead only when nobody could forge the way from
 * there.
 *
 * [7672-3.2.2-1, 7672-3.2.2-2, 7672-3.2.2-3, 7672-3.2.2-4]
 */
export function referenceNames(
  base: string,
  { domain, canonicalDomain = domain, route }: WayToHost,
): readonly string[] {
  return [...new Set([base, ...(route.dnssec === 'secure' ? [domain, canonicalDomain] : [])])];
}
