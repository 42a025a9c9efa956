import { parsePolicy, parseStsRecord } from '../../mta-sts/index.js';
import { policyId } from '../records/policy-id.js';
import type {
  AgreedRrset,
  PolicyReading,
  PolicyState,
  ServedPolicy,
  ServerAnswer,
} from './types.js';

/** A cache keeps a record for one TTL; two also cover caches in a row. */
const TTLS = 2;

/** What a reading changes in what is remembered. Nothing is decided here. */
export function readPolicyWorld(state: PolicyState, seen: PolicyReading): PolicyState {
  const { unannounced: _, ...rest } = state;
  const served = readServed(state, seen);
  return { ...rest, served, hosts: readHosts(state, seen), ...readRemoval(state, served, seen) };
}

/**
 * The policy that is served now or was ordered last; undefined when none was, or all was
 * removed.
 */
export function currentPolicy({ served }: PolicyState): ServedPolicy | undefined {
  const last = served.at(-1);
  return last?.last === undefined ? last : undefined;
}

/**
 * What every authoritative server shows alike; undefined while one is silent or behind.
 */
export function agreed(answers: readonly ServerAnswer[]): AgreedRrset | undefined {
  const sets = answers.map(({ rrset, synthesised = false }) =>
    rrset === 'unknown'
      ? undefined
      : { records: [...rrset.records].sort(), ttl: rrset.ttl, synthesised },
  );
  const [first] = sets;
  const isAsFirst = (set: AgreedRrset | undefined): boolean =>
    set?.synthesised === first?.synthesised &&
    set?.records.join('\n') === first?.records.join('\n');
  if (!first || !sets.every(isAsFirst)) return undefined;
  return { ...first, ttl: Math.max(...sets.map((set) => set?.ttl ?? 0)) };
}

/**
 * The records of the name itself, which alone can be kept, replaced or required: what a
 * wildcard synthesises is not among them (RFC 4592 §2.2.1, RFC 2136 §3.2).
 */
export function ownRecords({ records, synthesised }: AgreedRrset): readonly string[] {
  return synthesised ? [] : records;
}

/** Why nothing is known of an RRset as a whole. `what`: the RRset in words. */
export function disagreement(
  name: string,
  what: string,
  answers: readonly ServerAnswer[],
): { readonly why: string; readonly alias?: string } {
  const aliases = new Set(answers.map(({ alias }) => alias));
  const [alias] = aliases;
  if (aliases.size === 1 && alias !== undefined)
    return { why: `${name} is an alias of ${alias}`, alias };
  const silent = answers.filter(({ rrset, alias }) => rrset === 'unknown' && alias === undefined);
  if (answers.length === 0) return { why: `no authoritative server of ${name} could be found` };
  if (silent.length > 0)
    return { why: `no answer on ${what} from ${silent.map(({ server }) => server).join(', ')}` };
  return { why: `the authoritative servers do not all answer with the same ${what}` };
}

/**
 * Why no record can be published below a domain whose own answers come from a wildcard:
 * the domain would exist from then on and the wildcard would no longer apply to it (RFC
 * 4592 §2.2.2), so its MX records would be gone.
 */
export function heldByWildcard(
  domain: string,
  { mx }: Pick<PolicyReading, 'mx'>,
): string | undefined {
  return mx.some(({ synthesised }) => synthesised)
    ? `${domain} has its MX records from a wildcard, and any record below ${domain} would take them away (RFC 4592 §2.2.2): publish MX records at ${domain} itself first`
    : undefined;
}

/** When no cache holds what was seen to change at `at`. */
export function settled({ at, ttl }: { readonly at: number; readonly ttl: number }): number {
  return at + TTLS * ttl * 1000;
}

/** A record that senders take for one of MTA-STS (RFC 8461 §3.1). */
export function isStsRecord(text: string): boolean {
  return parseStsRecord([text]).status !== 'absent';
}

/**
 * Whether the records announce this id and no other, however they are spelled: blanks, a
 * last semicolon and further fields are free (RFC 8461 §3.1).
 */
export function announces(records: readonly string[], id: string): boolean {
  const read = parseStsRecord(records);
  return read.status === 'found' && read.id === id;
}

/**
 * When the last policy that asked for anything has left the last cache [8461-8.3-1];
 * undefined while one may still be fetched.
 */
export function allExpired({ served }: Pick<PolicyState, 'served'>): number | undefined {
  const ends = served
    .filter(({ mode }) => mode !== 'none')
    .map(({ last, maxAge }) => (last === undefined ? undefined : last + maxAge * 1000));
  return ends.every((end) => end !== undefined) ? Math.max(0, ...ends) : undefined;
}

/** Every address of the policy host serves this body. */
export function servesEverywhere({ policyHosts }: PolicyReading, body: string): boolean {
  return (
    policyHosts.length > 0 &&
    policyHosts.every(({ got }) => typeof got === 'object' && 'body' in got && got.body === body)
  );
}

function readServed(
  { served: known, unannounced }: PolicyState,
  seen: PolicyReading,
): readonly ServedPolicy[] {
  const served = known.length > 0 ? known : adopt(seen);
  const current = served.at(-1);
  if (!current) return served;
  const everywhere = servesEverywhere(seen, current.body);
  const txt = agreed(seen.txt);
  const announced = txt !== undefined && announces(txt.records, current.id);
  const over =
    unannounced !== undefined &&
    seen.at >= settled(unannounced) &&
    seen.at >= (allExpired({ served }) ?? Infinity);
  const stopped =
    over && seen.policyHosts.every(({ got }) => typeof got === 'object' && 'failure' in got);
  return served.map((policy, i): ServedPolicy => {
    if (policy.last !== undefined) return policy;
    // Any sender may have fetched an earlier policy until every address was seen with its
    // successor.
    if (i + 1 < served.length) return everywhere ? { ...policy, last: seen.at } : policy;
    return {
      ...policy,
      ...(everywhere && policy.everywhere === undefined ? { everywhere: seen.at } : {}),
      ...(announced && policy.announced === undefined
        ? { announced: { at: seen.at, ttl: txt.ttl } }
        : {}),
      ...(stopped ? { last: seen.at } : {}),
    };
  });
}

/** A policy that was published before the ledger began is taken over as it is. */
function adopt({ policyHosts, txt, at }: PolicyReading): readonly ServedPolicy[] {
  const bodies = policyHosts.flatMap(({ got }) =>
    typeof got === 'object' && 'body' in got ? [got.body] : [],
  );
  const record = parseStsRecord(agreed(txt)?.records ?? []);
  return [...new Set(bodies)].flatMap((body): ServedPolicy[] => {
    const policy = parsePolicy(body);
    if (!policy.ok) return [];
    return [
      {
        id: record.status === 'found' ? record.id : policyId(body),
        body,
        ...policy.value,
        first: at,
        adopted: true,
      },
    ];
  });
}

function readHosts({ hosts }: PolicyState, { mx, at }: PolicyReading): PolicyState['hosts'] {
  const whole = agreed(mx);
  const shown = new Map<string, number>();
  for (const { rrset } of mx) {
    if (rrset === 'unknown') continue;
    for (const record of rrset.records)
      shown.set(hostOf(record), Math.max(rrset.ttl, shown.get(hostOf(record)) ?? 0));
  }
  const earlier = hosts.filter(({ host }) => !shown.has(host));
  return [
    ...[...shown].map(([host, ttl]) => ({ host, ttl })),
    ...earlier.flatMap((known) => {
      if (known.gone === undefined) return [whole ? { ...known, gone: at } : known];
      return at >= settled({ at: known.gone, ttl: known.ttl }) ? [] : [known];
    }),
  ];
}

/** `10 mx.example.com` without its preference. */
export function hostOf(record: string): string {
  return record.split(' ')[1] ?? '';
}

function readRemoval(
  { unannounced }: PolicyState,
  served: readonly ServedPolicy[],
  { txt, at }: PolicyReading,
): Pick<PolicyState, 'unannounced'> {
  const current = served.at(-1);
  const records = agreed(txt);
  if (
    current?.mode !== 'none' ||
    !current.announced ||
    !records ||
    records.records.some(isStsRecord)
  )
    return {};
  // What is gone has no TTL any more: caches keep it for the one it had.
  return { unannounced: unannounced ?? { at, ttl: Math.max(records.ttl, current.announced.ttl) } };
}
