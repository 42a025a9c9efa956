import type { Name } from '../../../base/index.js';
import type { RRset } from './rrset.js';

/**
 * The result of a proof of non-existence. `used`: the verified RRsets that it depends on.
 */
export interface Denial {
  readonly kind: 'nodata' | 'nxdomain';
  /**
   * `insecure`: the name lies in an opt-out span, so it may exist unsigned (RFC 5155
   * §9.2), or the zone uses too many iterations.
   */
  readonly status: 'secure' | 'insecure';
  /**
   * The name is a delegation point: NS without SOA. Only a direct match is conclusive.
   */
  readonly delegation?: boolean;
  readonly used: readonly RRset[];
}

/** True if a closer match than the wildcard is denied. */
export interface NoCloser {
  readonly status: 'secure' | 'insecure';
  readonly used: readonly RRset[];
}

/** Returns true if an RRset is verified. Called only for RRsets that a proof needs. */
export type SetTrust = (recordSet: RRset) => boolean;

/**
 * The next closer name: one label longer than the ancestor with that many labels (RFC
 * 5155 §1.3).
 */
export function nextCloser(domainName: Name, encloserLabels: number): Name {
  return domainName.suffix(encloserLabels + 1);
}
