import type { CheckResult } from '../evidence/index.js';
import { includesRule, isCertain, isFault, levels, protections, ruleOf } from './rules.js';
import type { WatchedFault } from './types.js';

/** A fault as one check shows it. */
export type ObservedFault = Pick<
  WatchedFault,
  'key' | 'rule' | 'topic' | 'subjects' | 'level' | 'says' | 'todo'
>;

/**
 * Returns the faults that a result shows, the gravest first: the findings of the result,
 * and the protections that are weaker than their best observed level. The addresses of
 * one host share a fault.
 */
export function observeFaults(
  checkResult: CheckResult,
  best: Readonly<Record<string, number>> = {},
): readonly ObservedFault[] {
  const faults = new Map<string, ObservedFault>();
  for (const finding of checkResult.findings.filter(isFault)) {
    const { id, topic = '', subject, severity, title, why, steps, fix } = finding;
    const rule = ruleOf(finding);
    const key = `${rule}\n${hostOf(subject)}`;
    const known = faults.get(key);
    const level = severity === 'fail' ? levels.fail : levels.warn;
    const subjects = [...(known?.subjects ?? []), subject];
    // The text describes the address with the gravest fault; the other addresses only add
    // their names.
    if (known && known.level >= level) {
      faults.set(key, { ...known, subjects });
      continue;
    }
    const says = `${subject}: ${title} (${id}). ${why}`;
    faults.set(key, { key, rule, topic, subjects, level, says, todo: [steps[0]?.text ?? fix] });
  }
  const graded = [...faults.values()].sort((left, right) => right.level - left.level);
  return isCertain(checkResult) ? [...graded, ...weakened(checkResult, best)] : graded;
}

/**
 * Returns the protections that are weaker than their best level at earlier checks. No
 * finding reports such a loss: missing DANE is not a fault, but a domain that has lost
 * DANE may be under attack.
 */
function weakened(
  checkResult: CheckResult,
  best: Readonly<Record<string, number>>,
): readonly ObservedFault[] {
  const { domain: domainName } = checkResult;
  return protections.flatMap(({ rule, topic, level, says, todo }) => {
    const now = level(checkResult);
    if (now === undefined || now >= (best[rule] ?? 0)) return [];
    return {
      key: `${rule}\n${domainName}`,
      rule,
      topic,
      subjects: [domainName],
      level: levels.weaker,
      says: `${domainName}: ${says} If this was intended: hermetic watch accept ${domainName}`,
      todo: [todo.replace('DOMAIN', domainName)],
    };
  });
}

/** Returns the best level of each protection, now or before. */
export function bestLevels(
  checkResult: CheckResult,
  before: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const best = { ...before };
  for (const { rule, level } of protections)
    best[rule] = Math.max(best[rule] ?? 0, level(checkResult) ?? 0);
  return best;
}

/**
 * Returns the level of each protection; a protection that the result does not show keeps
 * its level in `before`.
 */
export function presentLevels(
  checkResult: CheckResult,
  before: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const present = { ...before };
  for (const { rule, level } of protections) {
    const now = level(checkResult);
    if (now !== undefined) present[rule] = now;
  }
  return present;
}

/**
 * Returns whether a result that does not show the fault proves its absence: the result is
 * certain, the check asked the question, and every address that showed the fault still
 * answers or is no longer published.
 */
export function provesAbsence(checkResult: CheckResult, fault: WatchedFault): boolean {
  const { notLookedAt, undecided = [] } = checkResult;
  if (!isCertain(checkResult) || includesRule([...notLookedAt, ...undecided], fault.rule))
    return false;
  if (fault.topic === 'mta-sts' && checkResult.mtaSts.status === 'tempfail') return false;
  if (fault.topic === 'tls-rpt' && checkResult.tlsRpt.status === 'tempfail') return false;
  const protection = protections.find(({ rule }) => rule === fault.rule);
  if (protection && protection.level(checkResult) === undefined) return false;
  // A host that is no longer in the MX records cannot have the fault.
  return checkResult.hosts.every(({ name, tlsa, addresses }) => {
    if (!fault.subjects.some((subject) => hostOf(subject) === name)) return true;
    if (fault.topic === 'dane' && tlsa.status === 'tempfail') return false;
    const hidden = addresses.filter(({ status }) => status !== 'reachable');
    return !hidden.some(({ ip }) => fault.subjects.includes(`${name} [${ip}]`));
  });
}

/**
 * Returns whether a result that does not show a known warning proves its absence: the
 * check asked the question, and every address of the host answers.
 */
export function provesKeyAbsent(checkResult: CheckResult, key: string): boolean {
  const [rule = '', hostName = ''] = key.split('\n');
  const { notLookedAt, undecided = [], hosts } = checkResult;
  if (includesRule([...notLookedAt, ...undecided], rule)) return false;
  const host = hosts.find(({ name }) => name === hostName);
  return host?.addresses.every(({ status }) => status === 'reachable') ?? true;
}

/** Returns the host of `host [ip]`. */
function hostOf(subject: string): string {
  return subject.replace(/ \[[^\]]*\]$/, '');
}
