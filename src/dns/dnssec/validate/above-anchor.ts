import type { Name } from '../../../base/index.js';
import type { Zones } from './types.js';

/**
 * A zone above the subject's own anchor can prove, but its being insecure says nothing:
 * the anchor below stands (RFC 6840 appendix C).
 */
export function above(zone: Name, subject: Name, chain: Zones): boolean {
  const anchor = chain.anchor(subject);
  return anchor !== undefined && !zone.isAtOrBelow(anchor.zone);
}
