import type { Name } from '../../../base/index.js';
import { RRType } from '../../wire/types-registry.js';
import type { RRset } from './rrset.js';
import type { DnsResponse } from './session.js';
import type { TrustAnchor } from './types.js';

/**
 * Returns the RRset of a DS response that proves whether a zone begins at a name: its DS
 * records, or a signed CNAME. The owner of a CNAME has no other records, so it has
 * neither NS nor DS (RFC 4035 §2.5, §5.2) [4035-5.2-1].
 */
export function cutSet(response: DnsResponse, domainName: Name): RRset | undefined {
  const at = (recordType: number): RRset | undefined =>
    response.recordSets.find(
      (recordSet) => recordSet.type === recordType && recordSet.name.equals(domainName),
    );
  const aliasRecord = at(RRType.CNAME);
  return (
    at(RRType.DS) ?? (aliasRecord && aliasRecord.signatures.length > 0 ? aliasRecord : undefined)
  );
}

/**
 * Returns the signers that may prove the parent's statement about a name: strictly above
 * the name, and at or below the trust anchor. Returns at most four signers.
 */
export function signersAbove(
  domainName: Name,
  signers: readonly Name[],
  trustAnchor: TrustAnchor | undefined,
): readonly Name[] {
  const fitting = signers.filter(
    (signer) =>
      domainName.isAtOrBelow(signer) &&
      !domainName.equals(signer) &&
      trustAnchor !== undefined &&
      signer.isAtOrBelow(trustAnchor.zone),
  );
  return [...new Map(fitting.map((domain) => [domain.key, domain])).values()].slice(0, 4);
}
