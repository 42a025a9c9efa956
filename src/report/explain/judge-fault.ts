import { matchMx } from '../../mta-sts/index.js';
import type { CheckResult, Finding } from '../../evidence/index.js';
import { dateOf, dayOfCheck, type DomainFacts, type QuotedPolicy } from './facts.js';
import type { FailureGroup } from './group-failures.js';
import type { ResultText } from './result-texts-registry.js';

/** `yours`: the domain or its mail host; `theirs`: the reporter; `path`: somebody or something between the two, which may be an attack. */
export type Whose = 'yours' | 'theirs' | 'path' | 'unclear';

export interface Fault {
  readonly whose: Whose;
  readonly because: string;
  /** What a check saw of the same fault. */
  readonly finding?: Finding;
}

/** Is it me or them? Judged by what checks saw, by the policy quoted, and by who else had the same trouble on the same days. */
export function judgeFault(group: FailureGroup, text: ResultText, facts: DomainFacts): Fault {
  const seen = seenByCheck(group, text, facts.checks);
  if (seen)
    return {
      whose: 'yours',
      because: `hermetic check saw it too, on ${dateOf(dayOfCheck(seen.check))}: ${seen.finding.title}.`,
      finding: seen.finding,
    };
  const left = missingFromPolicy(group, facts.policies);
  if (left) return { whose: 'yours', because: left };
  const others = othersWithout(group, facts);
  const clean = cleanCheck(group, facts.checks);
  const one = group.reporters.length === 1;
  const who = group.reporters[0] ?? 'the reporter';
  if (!one && others.length <= group.reporters.length)
    return {
      whose: 'yours',
      because: `${group.reporters.length} reporters saw it independently of each other.`,
    };
  if (
    text.byAttack &&
    group.mx !== '' &&
    (others.length > 0 || sentWell(group, facts)) &&
    (clean || one)
  ) {
    const where =
      group.networks.length > 0 && group.networks.length <= 3
        ? `, from ${group.networks.join(' and ')}`
        : '';
    return {
      whose: 'path',
      because: `Only ${group.reporters.join(' and ')} met it${where}, while ${others.length > 0 ? `${others.length === 1 ? others[0] : `${others.length} others`} had no trouble` : 'its other sessions went well'} on the same days${clean ? ', and hermetic check saw nothing wrong' : ''}. Something on the way to this sender interferes: a filter, or an attacker.`,
    };
  }
  if (one && others.length > 0 && (group.mx === '' || clean || text.byAttack))
    return {
      whose: 'theirs',
      because: `Only ${who} reports it; ${others.length === 1 ? `${others[0]} was` : `${others.length} others were`} served well on the same days.`,
    };
  if (!one)
    return {
      whose: 'yours',
      because: `${group.reporters.length} reporters saw it independently of each other.`,
    };
  const alone =
    others.length === 0
      ? `Only ${who} sent reports on these days`
      : `Only ${who} reports it, and no check of that time tells`;
  return { whose: 'unclear', because: `${alone}, so there is nothing to compare with.` };
}

function seenByCheck(
  group: FailureGroup,
  text: ResultText,
  checks: readonly CheckResult[],
): { check: CheckResult; finding: Finding } | undefined {
  const near = checks.filter(
    (check) => dayOfCheck(check) >= group.firstDay && dayOfCheck(check) <= group.lastDay + 2,
  );
  for (const check of near)
    for (const finding of check.findings)
      if (text.findings.includes(finding.id) && isAbout(finding.subject, group))
        return { check, finding };
  return undefined;
}

/** A finding's subject is a domain, a host, or `host [ip]`. */
function isAbout(subject: string, { mx, domain }: FailureGroup): boolean {
  const name = subject.split(' ')[0];
  return name === mx || name === domain || mx === '';
}

/** A policy that was quoted on these days and does not name the host. */
function missingFromPolicy(
  group: FailureGroup,
  policies: readonly QuotedPolicy[],
): string | undefined {
  if (group.type !== 'sts' || group.mx === '') return undefined;
  const quoted = policies.filter(
    (p) =>
      p.type === 'sts' &&
      p.lastDay >= group.firstDay &&
      p.firstDay <= group.lastDay &&
      patternsOf(p).length > 0,
  );
  const without = quoted.find(
    (p) =>
      group.reporters.includes(p.reporter) &&
      !patternsOf(p).some((pattern) => matchMx(pattern, group.mx)),
  );
  if (!without) return undefined;
  return `The MTA-STS policy that they applied from ${dateOf(without.firstDay)} does not name ${group.mx}; it names ${patternsOf(without).join(', ')}.`;
}

/** The mx patterns in the text of a quoted policy. */
export function patternsOf({ strings }: QuotedPolicy): readonly string[] {
  return strings.flatMap((line) => /^mx[ \t]*:[ \t]*(\S+)/.exec(line)?.[1]?.toLowerCase() ?? []);
}

/** Reporters that had sessions on the days of the failure, and none that failed so. */
function othersWithout(
  group: FailureGroup,
  { reporters, failures }: DomainFacts,
): readonly string[] {
  const active = reporters
    .filter((r) => r.day >= group.firstDay && r.day <= group.lastDay && r.ok + r.failed > 0)
    .map((r) => r.reporter);
  const failing = new Set(
    failures.filter((f) => f.mx === group.mx && f.result === group.result).map((f) => f.reporter),
  );
  return [...new Set(active)].filter((reporter) => !failing.has(reporter));
}

/** Whether those who met the failure also had sessions that went well on its last day. */
function sentWell(group: FailureGroup, { reporters }: DomainFacts): boolean {
  return reporters.some(
    (r) =>
      group.reporters.includes(r.reporter) &&
      r.day >= group.firstDay &&
      r.day <= group.lastDay &&
      r.ok > r.failed,
  );
}

function cleanCheck(
  { firstDay, lastDay, mx }: FailureGroup,
  checks: readonly CheckResult[],
): boolean {
  return checks.some(
    (check) =>
      dayOfCheck(check) >= firstDay &&
      dayOfCheck(check) <= lastDay + 2 &&
      check.hosts.some((h) => h.name === mx && h.addresses.some((a) => a.starttls === 'offered')),
  );
}
