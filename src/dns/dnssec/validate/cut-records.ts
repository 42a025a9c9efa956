import type { Name } from '../../../base/index.js';
import { RRType } from '../../wire/types-registry.js';
import type { RRset } from './rrset.js';
import type { DnsResponse } from './session.js';
import type { TrustAnchor } from './types.js';

/**
 * The RRset of a DS response that settles whether a zone begins at a name: its DS
 * records, or a signed CNAME. An owner of a CNAME has no other records, so neither NS nor
 * DS (RFC 4035 §2.5, §5.2) [4035-5.2-1].
 */
export function cutSet(response: DnsResponse, name: Name): RRset | undefined {
  const at = (type: number): RRset | undefined =>
    response.recordSets.find((set) => set.type === type && set.name.equals(name));
  const alias = at(RRType.CNAME);
  return at(RRType.DS) ?? (alias && alias.signatures.length > 0 ? alias : undefined);
}

/**
 * Signers that may speak for the parent side of a name: strictly above it, not above the
 * anchor. At most four are looked at.
 */
export function signersAbove(
  name: Name,
  signers: readonly Name[],
  anchor: TrustAnchor | undefined,
): readonly Name[] {
  const fitting = signers.filter(
    (signer) =>
      name.isAtOrBelow(signer) &&
      !name.equals(signer) &&
      anchor !== undefined &&
      signer.isAtOrBelow(anchor.zone),
  );
  return [...new Map(fitting.map((domain) => [domain.key, domain])).values()].slice(0, 4);
}
