import type { CheckResult } from '../../evidence/index.js';
import { countByDay } from './count-sessions.js';
import { dateOf, dayOfCheck, type ReportedFacts, type QuotedPolicy } from './facts.js';

/** The sessions of one UTC day, and the changes of the domain on it. */
export interface TimelineDay {
  readonly day: string;
  /** Sessions, counted once each: of two policies the larger number. */
  readonly ok: number;
  readonly failed: number;
  readonly reports: number;
  /** The changes of that day, by checks and quoted policies. */
  readonly changes: readonly string[];
}

/**
 * Sessions of each day, counted once each, with what changed that day: a change is often
 * the cause of the failures that begin on its day.
 */
export function timeline(facts: ReportedFacts): readonly TimelineDay[] {
  const changes = [
    ...changesOfPolicy(facts.policies),
    ...facts.checks.flatMap((check, i) => changesOfCheck(facts.checks[i - 1], check)),
  ];
  const counts = new Map(countByDay(facts.sessions).map((count) => [count.day, count]));
  return Array.from({ length: facts.to - facts.from + 1 }, (_, i) => {
    const day = facts.from + i;
    const { ok, failed } = counts.get(day) ?? { ok: 0, failed: 0 };
    return {
      day: dateOf(day),
      ok,
      failed,
      reports: facts.reports.reduce((n, r) => (r.day === day ? n + r.reports : n), 0),
      changes: [...new Set(changes.filter((c) => c.day === day).map((c) => c.says))],
    };
  });
}

interface TimelineChange {
  readonly day: number;
  readonly says: string;
}

/** A policy text that was first quoted later than another of its domain. */
function changesOfPolicy(policies: readonly QuotedPolicy[]): readonly TimelineChange[] {
  const texts = new Map<string, QuotedPolicy>();
  for (const policy of [...policies].sort((a, b) => a.firstDay - b.firstDay)) {
    const key = `${policy.type} ${policy.domain} ${[...policy.strings].sort().join('\n')}`;
    if (!texts.has(key)) texts.set(key, policy);
  }
  const found: TimelineChange[] = [];
  const all = [...texts.values()];
  for (const [i, policy] of all.entries()) {
    const before = all
      .slice(0, i)
      .findLast((p) => p.type === policy.type && p.domain === policy.domain);
    if (!before) continue;
    const [gone, come] = [
      without(before.strings, policy.strings),
      without(policy.strings, before.strings),
    ];
    const says = [...gone.map((line) => `- ${line}`), ...come.map((line) => `+ ${line}`)]
      .slice(0, 6)
      .join('; ');
    found.push({
      day: policy.firstDay,
      says: `senders apply another ${policy.type === 'tlsa' ? 'set of TLSA records' : 'policy'}: ${says}`,
    });
  }
  return found;
}

function changesOfCheck(
  before: CheckResult | undefined,
  now: CheckResult,
): readonly TimelineChange[] {
  if (!before) return [];
  const day = dayOfCheck(now);
  const says: string[] = [];
  const differ = (what: string, a: string, b: string): void =>
    void (a !== b && says.push(`${what}: ${a || 'none'} -> ${b || 'none'}`));
  // A check that could not tell proves no change.
  const found = (check: CheckResult): boolean =>
    check.mtaSts.status === 'found' || check.mtaSts.status === 'absent';
  if (before.hosts.length > 0 && now.hosts.length > 0)
    differ('MX', before.hosts.map((h) => h.name).join(' '), now.hosts.map((h) => h.name).join(' '));
  if (found(before) && found(now)) {
    differ('MTA-STS id', before.mtaSts.id ?? '', now.mtaSts.id ?? '');
    differ('MTA-STS mode', before.mtaSts.mode ?? '', now.mtaSts.mode ?? '');
    differ('MTA-STS mx', (before.mtaSts.mx ?? []).join(' '), (now.mtaSts.mx ?? []).join(' '));
  }
  for (const host of now.hosts) {
    const old = before.hosts.find((h) => h.name === host.name);
    if (!old) continue;
    if ([...old.tlsa.records].sort().join() !== [...host.tlsa.records].sort().join())
      says.push(`TLSA of ${host.name}`);
    const [was, is] = [old, host].map((h) => h.addresses.flatMap((a) => a.certificates)[0]);
    if (was && is && was.notAfter !== is.notAfter)
      says.push(`certificate of ${host.name}: until ${is.notAfter.slice(0, 10)}`);
    else if (
      is &&
      Date.parse(is.notAfter) < Date.parse(now.checkedAt) &&
      Date.parse(is.notAfter) >= Date.parse(before.checkedAt)
    )
      return [
        ...says.map((s) => ({ day, says: s })),
        { day: dayOfDate(is.notAfter), says: `certificate of ${host.name} expired` },
      ];
  }
  return says.map((s) => ({ day, says: s }));
}

function dayOfDate(text: string): number {
  return Math.floor(Date.parse(text) / 86_400_000);
}

function without(a: readonly string[], b: readonly string[]): readonly string[] {
  const known = new Set(b);
  return a.filter((line) => line !== '' && !known.has(line));
}
