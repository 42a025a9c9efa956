import { dateOf, type DomainFacts } from './facts.js';
import type { Explanation } from './explain-group.js';

/** Is it safe to go to `mode: enforce`? */
export interface EnforceAnswer {
  readonly answer: 'yes' | 'not-yet' | 'already' | 'no-policy' | 'unclear';
  readonly reasons: readonly string[];
}

const wantedDays = 14;

/** Judged by a fortnight of reports on the MTA-STS policy without a failure that is one's own, from more than one reporter. */
export function canEnforce(facts: DomainFacts, failures: readonly Explanation[]): EnforceAnswer {
  const mode = modeOf(facts);
  if (mode === 'enforce')
    return { answer: 'already', reasons: ['The policy that senders apply is in mode enforce.'] };
  const rows = facts.reporters.filter((r) => r.type === 'sts');
  if (rows.length === 0)
    return facts.reporters.length === 0
      ? { answer: 'unclear', reasons: ['There are no reports.'] }
      : {
          answer: 'no-policy',
          reasons: ['No sender reports an MTA-STS policy: publish one in mode testing first.'],
        };
  const days = new Set(rows.map((r) => r.day));
  const reporters = new Set(rows.map((r) => r.reporter));
  const own = failures.filter(
    (f) =>
      f.policy === 'sts' &&
      f.whose !== 'theirs' &&
      Date.parse(f.last) > (facts.to - wantedDays) * 86_400_000,
  );
  const reasons = [
    ...own.map((f) => `${f.result}${f.host === '' ? '' : ` at ${f.host}`}: last on ${f.last}.`),
    ...(days.size < wantedDays
      ? [`Only ${days.size} days with reports on the policy; wait for ${wantedDays}.`]
      : []),
    ...(reporters.size < 2 ? ['Only one reporter applies the policy.'] : []),
  ];
  if (reasons.length > 0) return { answer: 'not-yet', reasons };
  return {
    answer: 'yes',
    reasons: [
      `${days.size} days without a failure of your own, from ${reporters.size} reporters, last on ${dateOf(Math.max(...days))}.`,
    ],
  };
}

function modeOf({ checks, policies }: DomainFacts): string | undefined {
  const checked = checks.at(-1)?.mtaSts.mode;
  if (checked !== undefined) return checked;
  const last = policies.filter((p) => p.type === 'sts').at(-1);
  return last?.strings
    .map((line) => /^mode[ \t]*:[ \t]*(\w+)/.exec(line)?.[1])
    .find((m) => m !== undefined);
}
