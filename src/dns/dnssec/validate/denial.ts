import type { Name } from '../../../base/index.js';
import type { RRset } from './rrset.js';

/**
 * The result of a proof of non-existence. `used` contains the verified RRsets on which
 * the proof depends.
 */
export interface Denial {
  readonly kind: 'nodata' | 'nxdomain';
  /**
   * `insecure`: the name lies in an opt-out span, so it may exist as an unsigned
   * delegation (RFC 5155 §9.2), or the zone uses too many iterations.
   */
  readonly status: 'secure' | 'insecure';
  /**
   * Whether the name is a delegation point: NS without SOA. Defined only if a record
   * matches the name.
   */
  readonly delegation?: boolean;
  readonly used: readonly RRset[];
}

/** A proof that no closer match than the wildcard exists. */
export interface NoCloser {
  readonly status: 'secure' | 'insecure';
  readonly used: readonly RRset[];
}

/**
 * Returns whether an RRset has a valid signature. Called only for RRsets that a proof
 * needs.
 */
export type SetTrust = (recordSet: RRset) => boolean;

/**
 * Returns the next closer name: one label longer than the ancestor with `encloserLabels`
 * labels (RFC 5155 §1.3).
 */
export function nextCloser(domainName: Name, encloserLabels: number): Name {
  return domainName.suffix(encloserLabels + 1);
}
