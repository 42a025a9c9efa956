import type { Failure, Name } from '../../../base/index.js';
import { RRType } from '../../wire/types-registry.js';
import { countLabels } from '../canonical.js';
import { dnssecFailures } from '../failures.js';
import { judgeNoCloser } from './judge-denial.js';
import { above } from './above-anchor.js';
import type { RRset } from './rrset.js';
import type { DnsResponse, Session } from './session.js';
import type { Zones } from './types.js';

export type JudgedRrset =
  | {
      readonly status: 'secure' | 'insecure';
      readonly ttl: number;
      /** A wildcard answered. */ readonly expanded: boolean;
    }
  | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure };

/**
 * Judges records that are there. Unsigned or badly signed data is insecure only where the
 * zone is proved to be unsigned; else it is bogus.
 */
export async function judgeRrset(
  session: Session,
  chain: Zones,
  heard: DnsResponse,
  set: RRset,
): Promise<JudgedRrset> {
  const parentSide = set.type === RRType.DS && !set.name.isRoot;
  const subject = parentSide ? set.name.parent : set.name;
  const plainTtl = Math.min(...set.records.map((rr) => rr.ttl));
  let failure: Failure | undefined;
  for (const zone of signersOf(set, subject, chain)) {
    const status = await chain.zone(zone);
    if (status.status === 'insecure' && !above(zone, subject, chain)) {
      session.use(heard, set);
      return { status: 'insecure', ttl: plainTtl, expanded: false };
    }
    if (status.status === 'indeterminate') return status;
    if (status.status !== 'secure') {
      if (status.status === 'bogus') failure ??= status.failure;
      continue;
    }
    const verified = session.verify(heard, set, zone, status.keys);
    if (!verified.ok) {
      failure ??= dnssecFailures.make(
        verified.code,
        `${set.name.toString()} in ${zone.toString()}`,
      );
      continue;
    }
    session.use(heard, set, verified);
    const { labels } = verified.signature.rrsig;
    if (labels === countLabels(set.name))
      return { status: 'secure', ttl: verified.ttl, expanded: false };
    const closer = judgeNoCloser(session, heard, { zone, keys: status.keys }, set.name, labels);
    if (closer === 'secure' || (closer && !above(zone, subject, chain)))
      return { status: closer, ttl: verified.ttl, expanded: true };
    failure ??= dnssecFailures.make(
      'dnssec-denial-missing',
      `a wildcard answered for ${set.name.toString()}, a closer name is not ruled out`,
    );
  }
  const enclosing = await chain.enclosing(subject);
  if (enclosing.status === 'insecure') {
    session.use(heard, set);
    return { status: 'insecure', ttl: plainTtl, expanded: false };
  }
  if (enclosing.status === 'indeterminate') return enclosing;
  if (enclosing.status === 'bogus')
    return { status: 'bogus', failure: failure ?? enclosing.failure };
  return {
    status: 'bogus',
    failure: failure ?? dnssecFailures.make('dnssec-signature-missing', set.name.toString()),
  };
}

/**
 * Who claims to have signed: at or above the subject and below some anchor; closest
 * first, at most four.
 */
function signersOf(set: RRset, subject: Name, chain: Zones): readonly Name[] {
  const fitting = set.signatures
    .map((s) => s.rrsig.signer)
    .filter((s) => subject.isAtOrBelow(s) && chain.anchor(s) !== undefined);
  return [...new Map(fitting.map((s) => [s.key, s])).values()]
    .sort((a, b) => b.labels.length - a.labels.length)
    .slice(0, 4);
}
