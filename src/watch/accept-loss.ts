import { alarmOf, gravest } from './build-alarm.js';
import { memoryOf, type AlarmDecision } from './decide-alarms.js';
import { protections } from './rules.js';
import type { AcceptedLevel, DomainState, WatchAlarm, WatchedFault, WatchState } from './types.js';

/** A protection that a domain has lost, with an open alarm. */
export interface LostProtection {
  readonly rule: string;
  /** The best observed level, and the present one. */
  readonly from: number;
  readonly to: number;
  /** The loss in words: `MTA-STS mode enforce -> no MTA-STS policy`. */
  readonly says: string;
}

/** Maximum number of acceptances in memory for each domain. */
const MAX_ACCEPTED = 50;

/**
 * Returns the losses of a domain that can be accepted. Pure. Two checks have confirmed
 * each of these losses: an unconfirmed loss may be temporary. The losses do not include
 * findings, since only a fix ends a fault.
 */
export function acceptableLosses(
  { domains }: WatchState,
  domainName: string,
): readonly LostProtection[] {
  const known = memoryOf(domains, domainName);
  return protections.flatMap(({ rule, levelNames }) => {
    const fault = known?.faults.find(({ key }) => key === `${rule}\n${domainName}`);
    const [from, to] = [known?.best?.[rule], known?.levels?.[rule]];
    const isOpen = fault !== undefined && fault.alarm !== '' && fault.gone === 0;
    if (!isOpen || from === undefined || to === undefined || to >= from) return [];
    const says = `${levelNames[from] ?? from} -> ${levelNames[to] ?? to}`;
    return [{ rule, from, to, says }];
  });
}

/** The acceptance of losses by one account. */
export interface Acceptance {
  readonly losses: readonly LostProtection[];
  readonly by: string;
  readonly reason?: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * Accepts the present levels of the given losses as the known levels, and ends their
 * alarms. Pure. A protection that falls below the accepted level is a new fault, and so
 * is a protection that returns and is lost again.
 */
export function acceptLosses(
  state: WatchState,
  domainName: string,
  { losses, by, reason, at }: Acceptance,
): AlarmDecision {
  const before = memoryOf(state.domains, domainName);
  if (!before || losses.length === 0) return { state, alarms: [] };
  const best = { ...before.best };
  for (const { rule, to } of losses) best[rule] = to;
  const keys = new Set(losses.map(({ rule }) => `${rule}\n${domainName}`));
  const faults = before.faults.filter(({ key }) => !keys.has(key));
  const added = losses.map(({ rule, from, to }): AcceptedLevel => ({
    ...{ rule, from, to, at, by, reason },
  }));
  const accepted = [...(before.accepted ?? []), ...added].slice(-MAX_ACCEPTED);
  const next: DomainState = { ...before, best, faults, accepted };
  const words = losses.map(({ says }) => says).join('; ');
  const says = `${domainName}: ${by} accepted: ${words}.${reason ? ` Reason: ${reason}` : ''}`;
  return {
    state: { ...state, domains: { ...state.domains, [domainName]: next } },
    alarms: endedBy(domainName, before.faults, faults, says),
  };
}

/** Returns the end events of alarms without a remaining fault. */
function endedBy(
  domainName: string,
  before: readonly WatchedFault[],
  after: readonly WatchedFault[],
  says: string,
): readonly WatchAlarm[] {
  const open = new Set(after.map(({ alarm }) => alarm));
  const names = [...new Set(before.map(({ alarm }) => alarm))];
  return names
    .filter((name) => name !== '' && !open.has(name))
    .map((name) => {
      const group = before.filter(({ alarm }) => alarm === name);
      const first = { ...(gravest(group) as WatchedFault), says, todo: [] };
      return { ...alarmOf('ended', domainName, name, { first, group }), also: [] };
    });
}

/** Returns an acceptance as text: rule, levels, account, day and reason. */
export function acceptedText({ rule, from, to, at, by, reason }: AcceptedLevel): string {
  const names = protections.find((one) => one.rule === rule)?.levelNames ?? [];
  const day = new Date(at).toISOString().slice(0, 10);
  const why = reason ? `: ${reason}` : '';
  return `${rule}: ${names[from] ?? from} -> ${names[to] ?? to}, accepted by ${by} on ${day}${why}`;
}
