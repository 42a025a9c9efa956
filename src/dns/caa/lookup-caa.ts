import type { Failure, Name } from '../../base/index.js';
import type { AskOptions, Dnssec, Resolver } from '../types.js';
import { RRType } from '../wire/types-registry.js';
import { readCaa, type CaaProperty } from './parse-caa.js';

/** The CAA RRset that is relevant for a name (RFC 8659 §3). */
export interface RelevantCaa {
  /** `absent`: neither the name nor a name above it has CAA records. */
  readonly status: 'found' | 'absent' | 'failed';
  /**
   * The name at which the climb ended: the owner of the RRset, or the name of the failed
   * lookup.
   */
  readonly at: Name;
  /** The last target of that name's aliases; the name itself if it has no alias. */
  readonly canonicalName: Name;
  readonly properties: readonly CaaProperty[];
  /** The weakest status of all lookups in the climb. */
  readonly dnssec: Dnssec;
  readonly failure?: Failure | undefined;
}

/** Maximum lookups of one climb: names of mail and policy hosts have fewer labels. */
const MAX_CLIMB = 12;
const gravity: readonly Dnssec[] = ['secure', 'insecure', 'indeterminate', 'bogus'];

/**
 * An unreadable record counts as a property that no CA understands, because the CA
 * receives the same record.
 */
const unreadable: CaaProperty = { critical: true, tag: '(unreadable)', value: '' };

/**
 * Looks up the CAA records that a CA applies to a name: those of the name, or else of its
 * closest ancestor that has some, without the root. The lookup of each name follows
 * aliases; the climb continues from the name itself, never from the target of its alias
 * (RFC 8659 §3) [8659-3-1]. A failed lookup ends the climb: a CA with the same failure
 * does not issue.
 */
export async function lookupCaa(
  resolver: Resolver,
  domainName: Name,
  options: AskOptions = {},
): Promise<RelevantCaa> {
  const asked: AskOptions = { ...options, acceptUnvalidated: true };
  let dnssec: Dnssec = 'secure';
  let at = domainName;
  for (let n = 0; n < MAX_CLIMB && !at.isRoot; n++, at = at.parent) {
    const answer = await resolver.ask(at, RRType.CAA, asked);
    const { status, canonicalName, failure } = answer;
    dnssec = gravity[Math.max(gravity.indexOf(dnssec), gravity.indexOf(answer.dnssec))] ?? dnssec;
    if (status === 'failed') return { status, at, canonicalName, properties: [], dnssec, failure };
    if (status !== 'found') continue;
    // All records are read, because the last one may permit the CA in use. The size of a
    // DNS message limits their number.
    const properties = answer.records.map(
      (resourceRecord) => readCaa(resourceRecord) ?? unreadable,
    );
    return { status, at, canonicalName, properties, dnssec };
  }
  const status = at.isRoot ? 'absent' : 'failed';
  return { status, at, canonicalName: at, properties: [], dnssec };
}
