import type { Failure, Name } from '../../../base/index.js';
import { RRType } from '../../wire/types-registry.js';
import { countLabels } from '../canonical.js';
import { dnssecFailures, type DnssecFailureCode } from '../failures.js';
import { judgeNoCloser } from './judge-denial.js';
import { above } from './above-anchor.js';
import type { RRset } from './rrset.js';
import type { DnsResponse, ValidationSession } from './session.js';
import type { Zones } from './types.js';

/**
 * The result of judging an RRset. `ttl` is in seconds, limited by the remaining validity
 * of the signature.
 */
export type JudgedRrset =
  | {
      readonly status: 'secure' | 'insecure';
      readonly ttl: number;
      /** Whether a wildcard produced the RRset. */
      readonly expanded: boolean;
    }
  | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure };

/**
 * Validates an RRset. An RRset without a valid signature is insecure only if its zone is
 * proved to be unsigned; otherwise it is bogus.
 */
export async function judgeRrset(
  session: ValidationSession,
  zoneChain: Zones,
  response: DnsResponse,
  recordSet: RRset,
): Promise<JudgedRrset> {
  const parentSide = recordSet.type === RRType.DS && !recordSet.name.isRoot;
  const subject = parentSide ? recordSet.name.parent : recordSet.name;
  const plainTtl = Math.min(...recordSet.records.map((resourceRecord) => resourceRecord.ttl));
  let failure: Failure | undefined;
  for (const zoneName of signersOf(recordSet, subject, zoneChain)) {
    const zoneStatus = await zoneChain.zone(zoneName);
    if (zoneStatus.status === 'insecure' && !above(zoneName, subject, zoneChain)) {
      session.use(response, recordSet);
      return { status: 'insecure', ttl: plainTtl, expanded: false };
    }
    if (zoneStatus.status === 'indeterminate') return zoneStatus;
    if (zoneStatus.status !== 'secure') {
      if (zoneStatus.status === 'bogus') failure ??= zoneStatus.failure;
      continue;
    }
    const verified = session.verify(response, recordSet, zoneName, zoneStatus.keys);
    if (!verified.ok) {
      failure ??= dnssecFailures.make(
        verified.code,
        `${recordSet.name.toString()} in ${zoneName.toString()}`,
      );
      continue;
    }
    session.use(response, recordSet, verified);
    const { labels } = verified.signature.rrsig;
    if (labels === countLabels(recordSet.name))
      return { status: 'secure', ttl: verified.ttl, expanded: false };
    const closer = judgeNoCloser(
      session,
      response,
      { zone: zoneName, keys: zoneStatus.keys },
      { name: recordSet.name, encloserLabels: labels },
    );
    let code: DnssecFailureCode = 'dnssec-denial-missing';
    if (typeof closer === 'string') code = closer;
    else if (closer.status === 'secure' || !above(zoneName, subject, zoneChain))
      return {
        status: closer.status,
        ttl: Math.min(verified.ttl, closer.ttl),
        expanded: true,
      };
    failure ??= dnssecFailures.make(
      code,
      `a wildcard answered for ${recordSet.name.toString()}, and the proof does not rule out a closer name`,
    );
  }
  const enclosing = await zoneChain.enclosing(subject);
  if (enclosing.status === 'insecure') {
    session.use(response, recordSet);
    return { status: 'insecure', ttl: plainTtl, expanded: false };
  }
  if (enclosing.status === 'indeterminate') return enclosing;
  if (enclosing.status === 'bogus')
    return { status: 'bogus', failure: failure ?? enclosing.failure };
  return {
    status: 'bogus',
    failure: failure ?? dnssecFailures.make('dnssec-signature-missing', recordSet.name.toString()),
  };
}

/**
 * Returns the claimed signers of an RRset, closest first and at most four: those at or
 * above the subject and at or below a trust anchor.
 */
function signersOf(recordSet: RRset, subject: Name, zoneChain: Zones): readonly Name[] {
  const fitting = recordSet.signatures
    .map((signature) => signature.rrsig.signer)
    .filter(
      (domainName) => subject.isAtOrBelow(domainName) && zoneChain.anchor(domainName) !== undefined,
    );
  return [...new Map(fitting.map((domainName) => [domainName.key, domainName])).values()]
    .sort((left, right) => right.labelCount - left.labelCount)
    .slice(0, 4);
}
