import type { CheckResult } from '../../evidence/index.js';
import { kindOf, checkedHosts } from './check-evidence.js';
import { distinct, plus, type ReportedFacts } from './facts.js';
import type { FailureGroup } from './group-failures.js';
import { maxAgeOf, patternsOf } from './quoted.js';
import {
  failedBy,
  isSameFault,
  rateOf,
  sessionsBetween,
  totalOf,
  type SessionsByReporter,
} from './same-fault.js';
import { COMPARABLE_SHARE, countSources, failedOn, failingDays, isBackground } from './sources.js';

/** The evidence of the other reporters about a failure. */
export interface Comparison {
  /**
   * Reporters that met it, or failures that may be the same under another result type.
   */
  readonly affected: readonly string[];
  /**
   * Independent sources among them, each with more failures than noise explains:
   * reporters in one network count as one.
   */
  readonly sources: number;
  /** Noise explains the failures of this group at each of its reporters. */
  readonly noise: boolean;
  /** Reporters that applied the same policy, could have met the failure, and did not. */
  readonly unaffected: readonly string[];
  /** Days on which an affected reporter failed about as often as on its worst day. */
  readonly failingDays: number;
  /**
   * The probability that only the affected reporters met the failure although it could
   * have hit any session of all of them. 1 where no reporter is comparable.
   */
  readonly chance: number;
  /**
   * Reporters with sessions on those days that did not apply this policy: no comparison.
   */
  readonly without: number;
  /**
   * The share of the sessions of the affected reporters that failed in this way, 0 to 1.
   */
  readonly rate: number;
  /** The same for this group alone, without failures of other result types. */
  readonly ownRate: number;
}

/**
 * Compares a group of failures with what every reporter of the domain says of those days.
 */
export function compareReporters(
  group: FailureGroup,
  facts: ReportedFacts,
  clean: CheckResult | undefined,
): Comparison {
  const during = facts.sessions.filter(
    (s) => s.day >= group.firstDay && s.day <= group.lastDay && s.ok + s.failed > 0,
  );
  const applied = sessionsBetween(group.firstDay, group.lastDay, group, facts);
  const failed = failedBy(group, facts, applied);
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
  const failing = failingDays(affected, applied);
  const onDays = (reporters: readonly string[]): number =>
    reporters.reduce((n, reporter) => {
      const rows = (applied.get(reporter) ?? []).filter((row) => failing.has(row.day));
      return plus(n, totalOf(rows));
    }, 0);
  const counted = kindOf(group.result) === 'starttls' ? atAnyHost(group, facts, applied) : failed;
  const met = affected.reduce((n, reporter) => plus(n, counted.get(reporter) ?? 0), 0);
  return {
    affected,
    sources: countSources(group, facts, affected),
    noise: isBackground(group, applied),
    unaffected,
    failingDays: failing.size,
    chance: chanceOf(
      Math.min(met, failedOn(failing, affected, applied)),
      onDays(affected),
      onDays(unaffected),
    ),
    rate: Math.min(1, met / Math.max(1, sessionsOf(affected))),
    ownRate: Math.min(1, group.sessions / Math.max(1, sessionsOf(group.reporters))),
    without: new Set(during.map((s) => s.reporter).filter((r) => !applied.has(r))).size,
  };
}

/**
 * A filter or attacker that removes STARTTLS from a sender's sessions does so at every
 * host, so the failures at all hosts count.
 */
function atAnyHost(
  group: FailureGroup,
  facts: ReportedFacts,
  applied: SessionsByReporter,
): Map<string, number> {
  return failedBy({ ...group, mx: '' }, facts, applied);
}

/**
 * Whether a reporter that had no failure would have met the fault. It must have used the
 * same policy, the same MX host and the same address family, or else a check must have
 * found the host in order: then the fault is not at the host.
 */
function couldHaveMet(
  reporter: string,
  group: FailureGroup,
  facts: ReportedFacts,
  clean: CheckResult | undefined,
): boolean {
  if (kindOf(group.result) === 'policy-file') return fetchedPolicy(reporter, group, facts);
  const starttls = kindOf(group.result) === 'starttls';
  if (!starttls && !quotesSamePolicy(reporter, group, facts)) return false;
  if (clean) return true;
  if (group.ips.length > 0 && group.ips.every((ip) => ip.includes(':'))) return false;
  if (group.type === 'tlsa' && group.domain === group.mx) return true;
  if (starttls && group.mx !== '' && reachedByDane(reporter, group.mx, facts)) return true;
  const hosts = hostsOf(facts);
  if (hosts === undefined) return false;
  // A sender uses some host of the domain: where all of them failed, it used one that
  // did.
  const failing = new Set(
    facts.failures
      .filter((row) => isSameFault({ ...group, mx: '' }, row, facts.domain))
      .filter((row) => group.reporters.includes(row.reporter))
      .map((row) => row.mx),
  );
  return hosts.length === 1 || hosts.every((host) => failing.has(host));
}

/**
 * With DANE a report names the MX host of its successes, too: it is the policy domain.
 */
function reachedByDane(reporter: string, mx: string, { sessions }: ReportedFacts): boolean {
  return sessions.some(
    (s) => s.reporter === reporter && s.type === 'tlsa' && s.domain === mx && s.ok > 0,
  );
}

/** The MX hosts, as far as checks or the quoted policies name them all. */
function hostsOf(facts: ReportedFacts): readonly string[] | undefined {
  const checked = checkedHosts(facts.checks);
  if (checked) return [...checked];
  const patterns = facts.policies
    .filter((p) => p.type === 'sts' && p.domain === facts.domain)
    .flatMap((p) => patternsOf(p));
  if (patterns.length === 0 || patterns.some((p) => p.startsWith('*'))) return undefined;
  return distinct([...patterns, ...facts.failures.map((f) => f.mx)]);
}

/**
 * A sender with a cached policy needs the policy file only when it expires (RFC 8461
 * §3.2), so a success proves that the file was there only for a reporter that began to
 * apply the policy on those days, or whose copy must have expired since.
 */
function fetchedPolicy(reporter: string, group: FailureGroup, facts: ReportedFacts): boolean {
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

/**
 * Whether no policy text that the reporter quoted differs from what the affected ones
 * quoted.
 */
function quotesSamePolicy(reporter: string, group: FailureGroup, facts: ReportedFacts): boolean {
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

const MAX_FACTORS = 10_000;
const NEGLIGIBLE = Math.log(1e-9);

/**
 * Fisher's exact test, one-sided: the probability that all failures fall among the
 * sessions of the affected reporters by chance, C(affected, failed) / C(all, failed).
 */
export function chanceOf(failed: number, affected: number, unaffected: number): number {
  const all = Math.max(affected, failed) + unaffected;
  // The same product in fewer factors: failed and unaffected can change places.
  const [factors, other] = failed < unaffected ? [failed, unaffected] : [unaffected, failed];
  // Reports name any number of sessions: many factors are approximated in blocks.
  const block = Math.ceil(factors / MAX_FACTORS);
  let logarithm = 0;
  for (let i = 0; i < factors && logarithm > NEGLIGIBLE; i += block) {
    const size = Math.min(block, factors - i);
    logarithm += size * Math.log1p(-other / (all - i - (size - 1) / 2));
  }
  return Math.exp(logarithm);
}
