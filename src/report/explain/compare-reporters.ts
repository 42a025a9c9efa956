import type { CheckResult } from '../../evidence/index.js';
import { kindOf, checkedHosts } from './check-evidence.js';
import { groupBy } from './count-sessions.js';
import { distinct, NOT_DESCRIBED, plus, type DomainFacts, type FailureRow } from './facts.js';
import { isSamePolicy, type FailureGroup } from './group-failures.js';
import { maxAgeOf, patternsOf } from './quoted.js';

/** What other reporters say about a failure. */
export interface Comparison {
  /** Reporters that met it, or failures that may be the same under another result type. */
  readonly affected: readonly string[];
  /** Independent sources among them: reporters in one network count as one. */
  readonly sources: number;
  /** Reporters that applied the same policy, could have met the failure, and did not. */
  readonly unaffected: readonly string[];
  /**
   * The probability that only the affected reporters met the failure although it could have
   * hit any session of all of them. 1 where nobody is comparable.
   */
  readonly chance: number;
  /** Reporters with sessions on those days that did not apply this policy: no comparison. */
  readonly without: number;
}

/** A reporter met a fault when it failed at least a fifth as often as the one hit hardest. */
const COMPARABLE_SHARE = 0.2;

/** Compares a group of failures with what every reporter of the domain says of those days. */
export function compareReporters(
  group: FailureGroup,
  facts: DomainFacts,
  clean: CheckResult | undefined,
): Comparison {
  const during = facts.sessions.filter(
    (s) => s.day >= group.firstDay && s.day <= group.lastDay && s.ok + s.failed > 0,
  );
  const applied = groupBy(
    during.filter((s) => isSamePolicy(group, s)),
    (s) => s.reporter,
  );
  const failed = failedBy(group, facts.failures);
  const rates = new Map(
    [...failed].map(([reporter, n]) => [reporter, rateOf(n, applied.get(reporter))] as const),
  );
  const worst = Math.max(0, ...group.reporters.map((reporter) => rates.get(reporter) ?? 1));
  const isAffected = (reporter: string): boolean =>
    group.reporters.length === 1 && group.reporters[0] === reporter
      ? true
      : (rates.get(reporter) ?? 0) >= COMPARABLE_SHARE * worst;
  const affected = [...new Set([...group.reporters, ...failed.keys()])].filter(isAffected);
  const others = [...applied].flatMap(([reporter, rows]) =>
    !affected.includes(reporter) && rows.some((row) => row.ok > 0) ? reporter : [],
  );
  const unaffected = others.filter((reporter) => couldHaveMet(reporter, group, facts, clean));
  const sessionsOf = (reporters: readonly string[]): number =>
    reporters.reduce((n, reporter) => plus(n, totalOf(applied.get(reporter))), 0);
  const counted = kindOf(group.result) === 'starttls' ? atAnyHost(group, facts.failures) : failed;
  const met = affected.reduce((n, reporter) => plus(n, counted.get(reporter) ?? 0), 0);
  return {
    affected,
    sources: Math.min(affected.length, networksOf(affected, group, facts)),
    unaffected,
    chance: chanceOf(met, sessionsOf(affected), sessionsOf(unaffected)),
    without: new Set(during.map((s) => s.reporter).filter((r) => !applied.has(r))).size,
  };
}

/** What removes STARTTLS from a sender's sessions does so at every host: all of them count. */
function atAnyHost(group: FailureGroup, failures: readonly FailureRow[]): Map<string, number> {
  return failedBy({ ...group, mx: '' }, failures);
}

/** Failed sessions by reporter, of this failure and of those that may be the same one. */
function failedBy(group: FailureGroup, failures: readonly FailureRow[]): Map<string, number> {
  const failed = new Map<string, number>();
  for (const row of failures)
    if (isSameFault(group, row))
      failed.set(row.reporter, plus(failed.get(row.reporter) ?? 0, Math.max(1, row.failed)));
  return failed;
}

/**
 * Reporters use different result types for one fault, and some name no host. So failures under
 * the same policy count as the same fault unless kind, host or days tell them apart.
 */
function isSameFault(group: FailureGroup, row: FailureRow): boolean {
  if (!isSamePolicy(group, row)) return false;
  if (row.lastDay < group.firstDay || row.firstDay > group.lastDay) return false;
  if (row.mx !== '' && group.mx !== '' && row.mx !== group.mx) return false;
  const [one, other] = [kindOf(group.result), kindOf(row.result)];
  if (one === other) return true;
  // A missing STARTTLS has a result type of its own, which every reporter knows.
  if (one === 'starttls' || other === 'starttls') return row.result === NOT_DESCRIBED;
  return one === 'any' || other === 'any';
}

function rateOf(failed: number, rows: readonly { ok: number; failed: number }[] = []): number {
  return Math.min(1, failed / Math.max(1, totalOf(rows)));
}

function totalOf(rows: readonly { ok: number; failed: number }[] = []): number {
  return rows.reduce((n, row) => plus(n, row.ok + row.failed), 0);
}

/** Reporters that are known to send from one network share its path: they are one source. */
function networksOf(reporters: readonly string[], group: FailureGroup, facts: DomainFacts): number {
  const known = new Set(
    facts.senders.filter((s) => s.result === group.result).map((s) => s.reporter),
  );
  const all = reporters.every((reporter) => known.has(reporter));
  return all && group.networks.length > 0 ? group.networks.length : reporters.length;
}

/**
 * Whether a reporter that had no failure would have met the fault. It must have used the same
 * policy, the same MX host and the same address family, or else a check must have found the host
 * in order: then the fault is on nobody's side of these.
 */
function couldHaveMet(
  reporter: string,
  group: FailureGroup,
  facts: DomainFacts,
  clean: CheckResult | undefined,
): boolean {
  if (kindOf(group.result) === 'policy-file') return fetchedPolicy(reporter, group, facts);
  const starttls = kindOf(group.result) === 'starttls';
  if (!starttls && !quotesSamePolicy(reporter, group, facts)) return false;
  if (clean) return true;
  if (group.ips.length > 0 && group.ips.every((ip) => ip.includes(':'))) return false;
  if (group.type === 'tlsa' && group.domain === group.mx) return true;
  if (starttls && group.mx !== '' && reachedByDane(reporter, group.mx, facts)) return true;
  return hostCount(facts) === 1;
}

/** With DANE a report names the MX host of its successes, too: it is the policy domain. */
function reachedByDane(reporter: string, mx: string, { sessions }: DomainFacts): boolean {
  return sessions.some(
    (s) => s.reporter === reporter && s.type === 'tlsa' && s.domain === mx && s.ok > 0,
  );
}

/** The number of MX hosts, as far as checks or the quoted policies tell. */
function hostCount(facts: DomainFacts): number | undefined {
  const checked = checkedHosts(facts.checks);
  if (checked) return checked.size;
  const patterns = distinct(
    facts.policies
      .filter((p) => p.type === 'sts' && p.domain === facts.domain)
      .flatMap((p) => patternsOf(p)),
  );
  const hosts = distinct([...patterns, ...facts.failures.map((f) => f.mx)]);
  return patterns.length === 0 || patterns.some((p) => p.startsWith('*'))
    ? undefined
    : hosts.length;
}

/**
 * A sender with a cached policy needs the policy file only when it expires (RFC 8461 §3.2), so
 * a success proves that the file was there only for a reporter that began to apply the policy
 * on those days, or whose copy must have expired since.
 */
function fetchedPolicy(reporter: string, group: FailureGroup, facts: DomainFacts): boolean {
  return facts.policies.some(
    (p) =>
      p.type === 'sts' &&
      p.domain === group.domain &&
      p.reporter === reporter &&
      p.firstDay <= group.lastDay &&
      p.lastDay >= group.firstDay &&
      ((p.firstDay >= group.firstDay && p.firstDay > facts.from) ||
        Math.min(p.lastDay, group.lastDay) - group.firstDay > (maxAgeOf(p) ?? Infinity)),
  );
}

/** Whether no policy text that the reporter quoted differs from what the affected ones quoted. */
function quotesSamePolicy(reporter: string, group: FailureGroup, facts: DomainFacts): boolean {
  if (group.type !== 'sts') return true;
  const textsOf = (of: (reporter: string) => boolean): ReadonlySet<string> =>
    new Set(
      facts.policies
        .filter(
          (p) =>
            p.type === 'sts' &&
            of(p.reporter) &&
            p.lastDay >= group.firstDay &&
            p.firstDay <= group.lastDay,
        )
        .map((p) => [...patternsOf(p)].sort().join(' ')),
    );
  const theirs = textsOf((r) => group.reporters.includes(r));
  const own = textsOf((r) => r === reporter);
  return theirs.size === 0 || own.size === 0 || [...own].some((text) => theirs.has(text));
}

/**
 * Fisher's exact test, one-sided: the probability that all failures fall among the sessions of
 * the affected reporters by chance, C(affected, failed) / C(all, failed).
 */
export function chanceOf(failed: number, affected: number, unaffected: number): number {
  if (unaffected === 0 || failed === 0) return 1;
  const own = Math.max(affected, failed);
  let chance = 1;
  for (let i = 0; i < failed && chance > 1e-9; i++) chance *= (own - i) / (own + unaffected - i);
  return chance;
}
