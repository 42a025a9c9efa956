import type { Name } from '../../../base/index.js';
import type { Zones } from './types.js';

/**
 * Returns true for a zone above the closest trust anchor of the subject. Signatures of
 * such a zone count, but its insecure status has no effect: the closer anchor decides
 * (RFC 6840 appendix C).
 */
export function above(zoneName: Name, subject: Name, zoneChain: Zones): boolean {
  const trustAnchor = zoneChain.anchor(subject);
  return trustAnchor !== undefined && !zoneName.isAtOrBelow(trustAnchor.zone);
}
