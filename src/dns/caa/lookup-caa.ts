import type { Failure, Name } from '../../base/index.js';
import type { AskOptions, Dnssec, Resolver } from '../types.js';
import { RRType } from '../wire/types-registry.js';
import { readCaa, type CaaProperty } from './parse-caa.js';

/** The CAA RRset that is relevant for a name (RFC 8659 §3). */
export interface RelevantCaa {
  /** `absent`: neither the name nor a name above it has CAA records. */
  readonly status: 'found' | 'absent' | 'failed';
  /** The name at which the climb ended: the owner of the RRset, or of the failed lookup. */
  readonly at: Name;
  /** The end of the aliases of that name; the name itself without aliases. */
  readonly canonicalName: Name;
  readonly properties: readonly CaaProperty[];
  /** The weakest status of the lookups of the climb. */
  readonly dnssec: Dnssec;
  readonly failure?: Failure | undefined;
}

/** Lookups of one climb: names of mail and policy hosts have fewer labels. */
const MAX_CLIMB = 12;
const gravity: readonly Dnssec[] = ['secure', 'insecure', 'indeterminate', 'bogus'];

/**
 * A record that cannot be read stands for a property that no CA understands: the CA sees
 * the same record.
 */
const unreadable: CaaProperty = { critical: true, tag: '(unreadable)', value: '' };

/**
 * Looks up the CAA records that a CA applies to a name: those of the name, else of its
 * parent, and so on below the root. The lookup of each name follows aliases; the climb
 * continues from the name itself, never from the target of its alias (RFC 8659 §3)
 * [8659-3-1]. A failed lookup ends the climb: a CA that sees it does not issue.
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
    // The last one may permit the CA in use: a DNS message bounds their number.
    const properties = answer.records.map(
      (resourceRecord) => readCaa(resourceRecord) ?? unreadable,
    );
    return { status, at, canonicalName, properties, dnssec };
  }
  const status = at.isRoot ? 'absent' : 'failed';
  return { status, at, canonicalName: at, properties: [], dnssec };
}
