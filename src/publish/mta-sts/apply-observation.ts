import { parsePolicy, parseStsRecord } from '../../mta-sts/index.js';
import { policyId } from '../records/policy-id.js';
import type {
  AgreedRrset,
  FetchResult,
  PolicyObservation,
  PolicyState,
  ServedPolicy,
  ServerAnswer,
} from './types.js';

/** A cache holds a record for one TTL; two TTLs also cover a forwarder before a cache. */
const CACHE_TTLS = 2;

/**
 * Returns the state after an observation: which policies are served, announced or
 * expired, and which MX hosts caches may hold. Makes no decision. Pure.
 */
export function applyPolicyObservation(
  policyState: PolicyState,
  observed: PolicyObservation,
): PolicyState {
  const { unannounced: _, ...rest } = policyState;
  const served = updateServed(policyState, observed);
  const hosts = updateHosts(policyState, observed);
  return { ...rest, served, hosts, ...updateRemoval(policyState, served, observed) };
}

/**
 * Returns the policy that is served now or was ordered last; undefined if no policy ever
 * existed, or if all were removed.
 */
export function currentPolicy({ served }: PolicyState): ServedPolicy | undefined {
  const newest = served.at(-1);
  return newest?.last === undefined ? newest : undefined;
}

/**
 * Returns the RRset on which every authoritative server agrees; undefined if a server
 * does not answer, or answers with another RRset, as an outdated secondary server does.
 */
export function agreedRrset(answers: readonly ServerAnswer[]): AgreedRrset | undefined {
  const rrsets = answers.map(({ rrset, synthesised = false }) =>
    rrset === 'unknown'
      ? undefined
      : { records: [...rrset.records].sort(), ttl: rrset.ttl, synthesised },
  );
  const [first] = rrsets;
  const isLikeFirst = (rrset: AgreedRrset | undefined): boolean =>
    rrset?.synthesised === first?.synthesised &&
    rrset?.records.join('\n') === first?.records.join('\n');
  if (!first || !rrsets.every(isLikeFirst)) return undefined;
  return { ...first, ttl: Math.max(...rrsets.map((rrset) => rrset?.ttl ?? 0)) };
}

/**
 * Returns the records of the name itself. Only these records can be compared, replaced or
 * required by an update. Records that a wildcard synthesises are not among these records
 * (RFC 4592 §2.2.1, RFC 2136 §3.2).
 */
export function ownRecords({ records, synthesised }: AgreedRrset): readonly string[] {
  return synthesised ? [] : records;
}

/**
 * Explains why the servers do not agree on an RRset. `rrsetName`: the RRset in words,
 * such as `MX records`.
 */
export function disagreement(
  hostName: string,
  rrsetName: string,
  answers: readonly ServerAnswer[],
): { readonly why: string; readonly alias?: string } {
  const aliases = new Set(answers.map(({ alias }) => alias));
  const [aliasName] = aliases;
  if (aliases.size === 1 && aliasName !== undefined)
    return { why: `${hostName} is an alias of ${aliasName}`, alias: aliasName };
  if (answers.length === 0) return { why: `no authoritative server of ${hostName} could be found` };
  const silent = answers
    .filter(({ rrset, alias: target }) => rrset === 'unknown' && target === undefined)
    .map(({ server }) => server);
  if (silent.length > 0) return { why: `no answer on ${rrsetName} from ${silent.join(', ')}` };
  return { why: `the authoritative servers do not all answer with the same ${rrsetName}` };
}

/**
 * Returns the reason why no record can be published below a domain whose MX records come
 * from a wildcard: the domain would then exist, the wildcard would no longer apply to it
 * (RFC 4592 §2.2.2), and it would lose its MX records.
 */
export function mxWildcardBlocker(
  domainName: string,
  { mx }: Pick<PolicyObservation, 'mx'>,
): string | undefined {
  if (!mx.some(({ synthesised }) => synthesised)) return undefined;
  return `${domainName} has its MX records from a wildcard, and any record below ${domainName} would disable the wildcard for it (RFC 4592 §2.2.2): publish MX records at ${domainName} itself first`;
}

/**
 * Returns the time from which no cache holds an RRset that was observed to change at
 * `at`.
 */
export function cacheExpiry({ at, ttl }: { readonly at: number; readonly ttl: number }): number {
  return at + CACHE_TTLS * ttl * 1000;
}

/** Returns true for a record that senders read as an MTA-STS record (RFC 8461 §3.1). */
export function isStsRecord(text: string): boolean {
  return parseStsRecord([text]).status !== 'absent';
}

/**
 * Returns whether the records announce this id and no other. Spaces, a final semicolon
 * and further fields do not matter (RFC 8461 §3.1).
 */
function announces(records: readonly string[], id: string): boolean {
  const parsed = parseStsRecord(records);
  return parsed.status === 'found' && parsed.id === id;
}

/**
 * Returns the largest TTL of the record if every authoritative server announces this id,
 * in any spelling; undefined if some server does not.
 */
export function announcedTtl(answers: readonly ServerAnswer[], id: string): number | undefined {
  const ttls = answers.map(({ rrset }) =>
    rrset !== 'unknown' && announces(rrset.records, id) ? rrset.ttl : undefined,
  );
  return ttls.every((ttl) => ttl !== undefined) && ttls.length > 0 ? Math.max(...ttls) : undefined;
}

/**
 * Returns the time at which the last policy of mode testing or enforce has expired in
 * every cache [8461-8.3-1]; undefined while senders may still fetch a policy of these
 * modes.
 */
export function allExpired({ served }: Pick<PolicyState, 'served'>): number | undefined {
  const ends = served
    .filter(({ mode }) => mode !== 'none')
    .map(({ last, maxAge }) => (last === undefined ? undefined : last + maxAge * 1000));
  return ends.every((end) => end !== undefined) ? Math.max(0, ...ends) : undefined;
}

/**
 * Returns the body that an address serves; undefined if it serves no policy, or if the
 * result of the fetch is unknown.
 */
export function bodyOf(fetched: FetchResult): string | undefined {
  return typeof fetched === 'object' && 'body' in fetched ? fetched.body : undefined;
}

/** Returns whether every address of the policy host serves this body. */
export function servesEverywhere(
  { policyHosts }: Pick<PolicyObservation, 'policyHosts'>,
  bodyText: string,
): boolean {
  return policyHosts.length > 0 && policyHosts.every(({ fetched }) => bodyOf(fetched) === bodyText);
}

function updateServed(
  { served: known, unannounced }: PolicyState,
  observed: PolicyObservation,
): readonly ServedPolicy[] {
  const { at: instant } = observed;
  const served = known.length > 0 ? known : adoptServedPolicies(observed);
  const current = served.at(-1);
  if (!current) return served;
  const isEverywhere = servesEverywhere(observed, current.body);
  const ttl = announcedTtl(observed.txt, current.id);
  const isRemovalOver =
    unannounced !== undefined &&
    instant >= cacheExpiry(unannounced) &&
    instant >= (allExpired({ served }) ?? Infinity);
  const isStopped =
    isRemovalOver &&
    observed.policyHosts.every(
      ({ fetched }) => typeof fetched === 'object' && 'failure' in fetched,
    );
  return served.map((servedPolicy): ServedPolicy => {
    if (servedPolicy.last !== undefined) return servedPolicy;
    // A sender may have fetched an earlier policy until every address was observed with
    // its successor.
    if (servedPolicy !== current)
      return isEverywhere ? { ...servedPolicy, last: instant } : servedPolicy;
    // Members are added one by one, because a missing member of the stored state means
    // "not yet".
    const updated: { -readonly [Key in keyof ServedPolicy]: ServedPolicy[Key] } = {
      ...servedPolicy,
    };
    if (isEverywhere) updated.everywhere ??= instant;
    if (ttl !== undefined) updated.announced ??= { at: instant, ttl };
    if (isStopped) updated.last = instant;
    return updated;
  });
}

/** Adopts the policies that were published before the ledger existed. */
function adoptServedPolicies({ policyHosts, txt, at }: PolicyObservation): readonly ServedPolicy[] {
  const bodies = policyHosts.flatMap(({ fetched }) => bodyOf(fetched) ?? []);
  const stsRecord = parseStsRecord(agreedRrset(txt)?.records ?? []);
  return [...new Set(bodies)].flatMap((bodyText): ServedPolicy[] => {
    const policy = parsePolicy(bodyText);
    if (!policy.ok) return [];
    const id = stsRecord.status === 'found' ? stsRecord.id : policyId(bodyText);
    return [{ id, body: bodyText, ...policy.value, first: at, adopted: true }];
  });
}

/**
 * Keeps an MX host in the state for as long as a cache may hold its record: a policy has
 * to name the host until then (RFC 8461 §8.1).
 */
function updateHosts({ hosts }: PolicyState, { mx, at }: PolicyObservation): PolicyState['hosts'] {
  const agreed = agreedRrset(mx);
  const shown = new Map<string, number>();
  for (const { rrset } of mx) {
    if (rrset === 'unknown') continue;
    for (const hostName of rrset.records.map(hostOf))
      shown.set(hostName, Math.max(rrset.ttl, shown.get(hostName) ?? 0));
  }
  const earlier = hosts.filter(({ host }) => !shown.has(host));
  return [
    ...[...shown].map(([host, ttl]) => ({ host, ttl })),
    ...earlier.flatMap((known) => {
      if (known.gone === undefined) return [agreed ? { ...known, gone: at } : known];
      return at >= cacheExpiry({ at: known.gone, ttl: known.ttl }) ? [] : [known];
    }),
  ];
}

/** Returns the host of an MX record: `10 mx.example.com` without its preference. */
export function hostOf(record: string): string {
  return record.split(' ')[1] ?? '';
}

function updateRemoval(
  { unannounced }: PolicyState,
  served: readonly ServedPolicy[],
  { txt, at }: PolicyObservation,
): Pick<PolicyState, 'unannounced'> {
  const current = served.at(-1);
  const agreed = agreedRrset(txt);
  if (current?.mode !== 'none' || !current.announced) return {};
  if (!agreed || agreed.records.some(isStsRecord)) return {};
  // A removed record no longer has a TTL, but caches hold it for its former TTL.
  const ttl = Math.max(agreed.ttl, current.announced.ttl);
  return { unannounced: unannounced ?? { at, ttl } };
}
