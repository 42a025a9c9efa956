import type { Failure, Name } from '../../base/index.js';
import type { AskOptions, Dnssec, Resolver } from '../types.js';
import { RRType } from '../wire/types-registry.js';
import { readCaa, type CaaProperty } from './parse-caa.js';

/** The CAA RRset that is relevant for a name (RFC 8659 §3). */
export interface RelevantCaa {
  /** `absent`: neither the name nor a name above it has CAA records. */
  readonly status: 'found' | 'absent' | 'failed';
  /**
   * The name at which the search ended: the owner of the RRset, or the name of the failed
   * lookup.
   */
  readonly at: Name;
  /** The last target of the aliases of `at`, or `at` itself if it has no alias. */
  readonly canonicalName: Name;
  readonly properties: readonly CaaProperty[];
  /** The weakest DNSSEC status of all lookups of the search. */
  readonly dnssec: Dnssec;
  readonly failure?: Failure | undefined;
}

/**
 * Maximum lookups of one search. The names of mail and policy hosts have fewer labels.
 */
const MAX_CLIMB = 12;
const gravity: readonly Dnssec[] = ['secure', 'insecure', 'indeterminate', 'bogus'];

/**
 * An unreadable record is treated as a critical property with an unknown tag, because the
 * CA receives the same record.
 */
const unreadable: CaaProperty = { critical: true, tag: '(unreadable)', value: '' };

/**
 * Looks up the CAA RRset that applies to a name: its own RRset, or that of the closest
 * ancestor with CAA records. The root is never queried. Each lookup follows aliases. The
 * search continues at the parent of the name itself, never at the parent of an alias
 * target (RFC 8659 §3) [8659-3-1]. A failed lookup ends the search: a CA that sees the
 * same failure does not issue.
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
    // All records are parsed, because the last one may permit the operator's CA. The size
    // of a DNS message limits the number of records.
    const properties = answer.records.map(
      (resourceRecord) => readCaa(resourceRecord) ?? unreadable,
    );
    return { status, at, canonicalName, properties, dnssec };
  }
  const status = at.isRoot ? 'absent' : 'failed';
  return { status, at, canonicalName: at, properties: [], dnssec };
}
