import type { Name } from '../../../base/index.js';
import type { Zones } from './types.js';

/**
 * Returns whether a zone is above the closest trust anchor of the subject. The signatures
 * of such a zone are used, but its insecure status has no effect: the closest anchor
 * decides (RFC 6840 appendix C).
 */
export function above(zoneName: Name, subject: Name, zoneChain: Zones): boolean {
  const trustAnchor = zoneChain.anchor(subject);
  return trustAnchor !== undefined && !zoneName.isAtOrBelow(trustAnchor.zone);
}
