import type { CheckResult } from '../../evidence/index.js';
import { mxPatterns } from '../../tls-rpt/index.js';
import { dateOf, type ReportedFacts, type QuotedPolicy } from './facts.js';

/**
 * The comparison of the MTA-STS policy that a reporter applied with the published policy.
 */
export interface SeenPolicy {
  readonly reporter: string;
  readonly last: string;
  /**
   * `current`: equal to the published policy. `other`: different from the published
   * policy. `unknown`: no check found a published policy.
   */
  readonly state: 'current' | 'other' | 'unknown';
  readonly differences: readonly string[];
}

/**
 * Compares the last policy that each reporter quoted with the policy that the latest
 * check found. A sender caches a policy for its max_age, so an older policy is not a
 * fault.
 */
export function seenPolicies({ domain, policies, checks }: ReportedFacts): readonly SeenPolicy[] {
  const published = checks.at(-1)?.mtaSts;
  const last = new Map<string, QuotedPolicy>();
  for (const quotedPolicy of policies)
    if (
      quotedPolicy.type === 'sts' &&
      quotedPolicy.domain === domain &&
      (last.get(quotedPolicy.reporter)?.lastDay ?? -1) <= quotedPolicy.lastDay
    )
      last.set(quotedPolicy.reporter, quotedPolicy);
  return [...last.values()].map((quotedPolicy) => {
    const known = published?.status === 'found';
    const differences = known ? differencesOf(quotedPolicy, published) : [];
    const compared = differences.length > 0 ? 'other' : 'current';
    const state = known ? compared : 'unknown';
    return {
      reporter: quotedPolicy.reporter,
      last: dateOf(quotedPolicy.lastDay),
      state,
      differences,
    } as const;
  });
}

function differencesOf(
  quotedPolicy: QuotedPolicy,
  published: CheckResult['mtaSts'],
): readonly string[] {
  const [exchangers, now] = [patternsOf(quotedPolicy), published.mx ?? []];
  const mode = modeOf(quotedPolicy);
  return [
    ...(mode !== undefined && mode !== published.mode
      ? [`mode ${mode}, now ${published.mode ?? 'none'}`]
      : []),
    ...exchangers
      .filter((m) => !now.includes(m))
      .map((m) => `mx ${m}, which is not in the published policy now`),
    ...now
      .filter((m) => exchangers.length > 0 && !exchangers.includes(m))
      .map((m) => `without mx ${m}`),
  ];
}

/**
 * A cache of the patterns in quoted policies, since each failure is compared with all
 * policies.
 */
const knownPatterns = new WeakMap<readonly string[], readonly string[]>();

/**
 * Returns the mx patterns in the text of a quoted policy, as {@link mxPatterns} finds
 * them.
 */
export function patternsOf({ strings }: Pick<QuotedPolicy, 'strings'>): readonly string[] {
  const known = knownPatterns.get(strings);
  if (known) return known;
  const patterns = mxPatterns(strings);
  knownPatterns.set(strings, patterns);
  return patterns;
}

/** Returns the mode in the text of a quoted policy. */
export function modeOf(quotedPolicy: QuotedPolicy): string | undefined {
  return valuesOf(quotedPolicy, 'mode')[0];
}

/** Returns the max_age in the text of a quoted policy, in days. */
export function maxAgeOf(quotedPolicy: QuotedPolicy): number | undefined {
  const seconds = Number(valuesOf(quotedPolicy, 'max_age')[0] ?? NaN);
  return Number.isFinite(seconds) ? seconds / 86_400 : undefined;
}

function valuesOf(
  { strings }: Pick<QuotedPolicy, 'strings'>,
  name: 'mode' | 'max_age',
): readonly string[] {
  const pattern = new RegExp(`^${name}[ \\t]*:[ \\t]*(\\S+)`);
  return strings.flatMap((textLine) => pattern.exec(textLine)?.[1] ?? []);
}

/**
 * A TLSA record that reporters quote. The server must use the key of the record for as
 * long as reporters quote the record.
 */
export interface QuotedRecord {
  readonly domain: string;
  readonly record: string;
  readonly reporters: readonly string[];
  readonly last: string;
  readonly published: boolean | 'unknown';
}

/**
 * Returns every TLSA record that reporters quote, and whether the latest check found the
 * record published.
 */
export function quotedRecords({ policies, checks }: ReportedFacts): readonly QuotedRecord[] {
  const mailHosts = checks.at(-1)?.hosts;
  const records = new Map<
    string,
    { domain: string; record: string; reporters: Set<string>; lastDay: number }
  >();
  for (const { type, domain, strings, reporter, lastDay } of policies)
    for (const string of type === 'tlsa' ? strings : []) {
      const record = string.trim().replace(/\s+/g, ' ').toLowerCase();
      const known = records.get(`${domain} ${record}`) ?? {
        domain,
        record,
        reporters: new Set(),
        lastDay,
      };
      known.reporters.add(reporter);
      known.lastDay = Math.max(known.lastDay, lastDay);
      records.set(`${domain} ${record}`, known);
    }
  return [...records.values()].map(({ reporters, lastDay, ...rest }) => ({
    ...rest,
    reporters: [...reporters],
    last: dateOf(lastDay),
    published: mailHosts
      ? mailHosts.some((host) => host.tlsa.records.includes(rest.record))
      : 'unknown',
  }));
}
