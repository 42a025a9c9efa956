import type { CheckResult } from '../../evidence/index.js';
import { dateOf, type DomainFacts, type QuotedPolicy } from './facts.js';
import { patternsOf } from './judge-fault.js';

/** Did a reporter see the current MTA-STS policy? */
export interface SeenPolicy {
  readonly reporter: string;
  readonly last: string;
  /** `current`: as published now; `other`: it differs; `unknown`: there is no check to compare with. */
  readonly state: 'current' | 'other' | 'unknown';
  readonly differences: readonly string[];
}

/** The last policy each reporter quoted, beside the one that the latest check found. A sender keeps a policy for its max_age, so an older one is no fault. */
export function seenPolicies({ domain, policies, checks }: DomainFacts): readonly SeenPolicy[] {
  const published = checks.at(-1)?.mtaSts;
  const last = new Map<string, QuotedPolicy>();
  for (const policy of policies)
    if (
      policy.type === 'sts' &&
      policy.domain === domain &&
      (last.get(policy.reporter)?.lastDay ?? -1) <= policy.lastDay
    )
      last.set(policy.reporter, policy);
  return [...last.values()].map((policy) => {
    const differences = published?.status === 'found' ? differencesOf(policy, published) : [];
    const state =
      published?.status === 'found' ? (differences.length > 0 ? 'other' : 'current') : 'unknown';
    return { reporter: policy.reporter, last: dateOf(policy.lastDay), state, differences } as const;
  });
}

function differencesOf(policy: QuotedPolicy, published: CheckResult['mtaSts']): readonly string[] {
  const value = (name: string): string | undefined =>
    policy.strings
      .map((line) => new RegExp(`^${name}[ \\t]*:[ \\t]*(\\S+)`).exec(line)?.[1])
      .find((v) => v !== undefined);
  const [mx, now] = [patternsOf(policy), published.mx ?? []];
  const mode = value('mode');
  return [
    ...(mode !== undefined && mode !== published.mode
      ? [`mode ${mode}, now ${published.mode ?? 'none'}`]
      : []),
    ...mx.filter((m) => !now.includes(m)).map((m) => `mx ${m}, which is not in it now`),
    ...now.filter((m) => mx.length > 0 && !mx.includes(m)).map((m) => `without mx ${m}`),
  ];
}

/** A TLSA record that reporters quote: while they do, it must not be taken away without another that matches. */
export interface QuotedRecord {
  readonly domain: string;
  readonly record: string;
  readonly reporters: readonly string[];
  readonly last: string;
  readonly published: boolean | 'unknown';
}

export function quotedRecords({ policies, checks }: DomainFacts): readonly QuotedRecord[] {
  const hosts = checks.at(-1)?.hosts;
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
    published: hosts ? hosts.some((h) => h.tlsa.records.includes(rest.record)) : 'unknown',
  }));
}
