import {
  bestLevels,
  observeFaults,
  presentLevels,
  provesAbsence,
  provesKeyAbsent,
  type ObservedFault,
} from './observe-faults.js';
import {
  isCertain,
  levels,
  CHECKS_TO_CONFIRM,
  MIN_CHECKS_UNSEEN,
  namesOwnCause,
  OUTAGE_MS,
  UNSEEN_MS,
} from './rules.js';
import { alarmOf, gravest } from './build-alarm.js';
import { watchedFactsOf } from './facts-of.js';
import {
  comesAndGoes,
  endedLately,
  endsAfter,
  isQuiet,
  isRemembered,
  trailAfter,
} from './flapping.js';
import type { DomainState, WatchedCheck, WatchAlarm, WatchedFault, WatchState } from './types.js';

/** The new memory, and the alarms to send. */
export interface AlarmDecision {
  readonly state: WatchState;
  readonly alarms: readonly WatchAlarm[];
}

/**
 * Decides the changes of one check. Pure: the same memory, check and time give the same
 * answer.
 * `now`: milliseconds since 1970.
 *
 * A fault is reported when two checks in a row confirm that it began, became worse or
 * ended. A check without a certain result changes no fault; three days of such checks
 * raise an alarm (`not-seen`). An outage of this machine raises one alarm (`cannot-see`)
 * for all domains, and suspends the three days of each domain.
 */
export function decideAlarms(state: WatchState, check: WatchedCheck, now: number): AlarmDecision {
  const { domain: domainName, result, silent = false } = check;
  const known = memoryOf(state.domains, domainName);
  if (known && overlaps(check, known, now)) return { state, alarms: [] };
  const before = known ?? firstState(now);
  const certain = result !== undefined && isCertain(result);
  const checked: DomainState = {
    ...before,
    lookedAt: now,
    verdict: result?.verdict ?? 'inconclusive',
    blind: certain ? 0 : before.blind + 1,
    blindSince: certain ? undefined : blindSince(before, now),
    silent: silent || undefined,
  };
  const own = decideOwn(state, check, checked, now);
  const blindHere = own.state.own.open || silent;
  if (!certain) {
    // Neither an outage of this machine nor maintenance counts towards the three days.
    const kept = blindHere ? { ...checked, blindSince: now } : checked;
    const unseen = blindHere ? { state: kept, alarms: [] } : decideUnseen(domainName, kept, now);
    return join(own, domainName, unseen);
  }
  const seen = decideSeen(domainName, { ...checked, certainAt: now }, silent, now);
  const faults = decideFaults(seen.state, { domain: domainName, result, silent }, now);
  return join(own, domainName, {
    state: faults.state,
    alarms: [...seen.alarms, ...faults.alarms],
  });
}

/** Returns whether the next check of a domain should come soon, to confirm this check. */
export function awaitsConfirmation({ domains }: WatchState, domainName: string): boolean {
  const known = memoryOf(domains, domainName);
  if (!known) return true;
  const isOpen = ({ alarm, seen, gone, higher }: WatchedFault): boolean =>
    [alarm === '' ? seen : 0, gone, higher].some((count) => count > 0 && count < CHECKS_TO_CONFIRM);
  return (known.blind > 0 && known.blind < CHECKS_TO_CONFIRM) || known.faults.some(isOpen);
}

/**
 * Removes domains from memory that are no longer watched. Each of their open alarms ends,
 * because its receiver would otherwise wait for the end forever.
 */
export function keepDomains(
  state: WatchState,
  domains: readonly string[],
  now: number,
): AlarmDecision {
  const kept = new Set(domains);
  const entries = Object.entries(state.domains);
  const alarms = entries
    .filter(([domainName]) => !kept.has(domainName))
    .flatMap(([domainName, known]) => endedUnwatched(domainName, known, now));
  const rest = entries.filter(([domainName]) => kept.has(domainName));
  return { state: { ...state, domains: Object.fromEntries(rest) }, alarms };
}

/** Returns the ends of the open alarms of a domain that is no longer watched. */
function endedUnwatched(
  domainName: string,
  { faults, unseen, unseenSince, certainAt }: DomainState,
  now: number,
): readonly WatchAlarm[] {
  const says = `${domainName}: the watch of this domain ended.`;
  const names = [...new Set(faults.map(({ alarm }) => alarm))].filter((name) => name !== '');
  const ends = names.map((name): WatchAlarm => {
    const group = faults.filter(({ alarm }) => alarm === name);
    const first = { ...(gravest(group) as WatchedFault), says, todo: [] };
    return { ...alarmOf('ended', domainName, name, { first, group }), also: [] };
  });
  if (!unseen) return ends;
  return [...ends, { ...notSeen('ended', domainName, unseenSince ?? certainAt, now), says }];
}

/** Returns the number of active alarms of one domain. */
export function openAlarms({ faults, unseen }: DomainState): number {
  const alarms = new Set(faults.map(({ alarm }) => alarm).filter((alarm) => alarm !== ''));
  return alarms.size + Number(unseen);
}

/** The part of a decision that concerns one domain. */
interface DomainDecision {
  readonly state: DomainState;
  readonly alarms: readonly WatchAlarm[];
}

/** Returns the state of a domain. The name may be a member of Object.prototype. */
export function memoryOf(
  domains: WatchState['domains'],
  domainName: string,
): DomainState | undefined {
  return Object.hasOwn(domains, domainName) ? domains[domainName] : undefined;
}

/**
 * Returns whether the check began before the last one ended, which can happen during a
 * reload of the daemon: both checks observe the same moment, so neither confirms the
 * other. After the clock is set back, the order of the checks is unknown.
 */
function overlaps({ began }: WatchedCheck, { lookedAt }: DomainState, now: number): boolean {
  return began !== undefined && began < lookedAt && lookedAt <= now;
}

/**
 * Returns the first of the consecutive checks without a certain result. Time without any
 * check does not count, such as the days in which the daemon was off.
 */
function blindSince({ blind, blindSince: known, certainAt }: DomainState, now: number): number {
  // States of earlier versions lack the field.
  const since = blind > 0 ? (known ?? certainAt) : now;
  return Math.min(since, now);
}

/** Returns the state of a new domain. The three days begin at the first check. */
function firstState(now: number): DomainState {
  return {
    lookedAt: now,
    certainAt: now,
    blind: 0,
    verdict: 'inconclusive',
    unseen: false,
    standing: [],
    faults: [],
  };
}

/** Stores the memory of one domain, with its alarms after those of this machine. */
function join(
  { state, alarms }: AlarmDecision,
  domainName: string,
  decided: DomainDecision,
): AlarmDecision {
  return {
    state: { ...state, domains: { ...state.domains, [domainName]: decided.state } },
    alarms: [...alarms, ...decided.alarms],
  };
}

/**
 * Returns the outage of this machine. It begins when two checks in a row name a cause
 * here, or when two checks of each of several domains give no result: simultaneous faults
 * of several domains are more likely a fault of the observer. Any certain result ends it.
 */
function decideOwn(
  state: WatchState,
  check: WatchedCheck,
  checked: DomainState,
  now: number,
): AlarmDecision {
  const { own } = state;
  // One certain check proves that the resolver and the network work again.
  if (checked.blind === 0) {
    const ended = { ...state, own: { looks: 0, since: 0, open: false } };
    if (!own.open) return { state: ended, alarms: [] };
    return { state: resumed(ended, now), alarms: [cannotSee('ended', own.since)] };
  }
  // A server that is down for maintenance looks like a blocked port here.
  if (check.silent === true) return { state, alarms: [] };
  const hasCause = check.result !== undefined && namesOwnCause(check.result);
  const checks = hasCause ? own.looks + 1 : own.looks;
  const others = Object.entries(state.domains).filter(([name]) => name !== check.domain);
  const all = [...others.map(([, known]) => known), checked].filter(({ silent }) => !silent);
  // The result of a single domain does not distinguish its fault from a fault of the
  // observer.
  const allBlind = all.length > 1 && all.every(({ blind }) => blind >= CHECKS_TO_CONFIRM);
  const since = own.since === 0 ? now : Math.min(own.since, now);
  const lasts = now - since >= OUTAGE_MS;
  const open = own.open || (lasts && (checks >= CHECKS_TO_CONFIRM || allBlind));
  const next = { ...state, own: { looks: checks, since, open } };
  return { state: next, alarms: open && !own.open ? [cannotSee('added', since)] : [] };
}

/**
 * Returns the state after an outage of this machine. The three days of every domain that
 * is still hidden begin now.
 */
function resumed(state: WatchState, now: number): WatchState {
  const entries = Object.entries(state.domains).map(([domainName, known]) => {
    const next: DomainState = known.blind > 0 ? { ...known, blindSince: now } : known;
    return [domainName, next] as const;
  });
  return { ...state, domains: Object.fromEntries(entries) };
}

/**
 * Returns the alarm about a fault of this machine. The alarm names no watched domain, so
 * that the operator examines the resolver and the network of this machine, and not a
 * remote zone or server.
 */
function cannotSee(kind: 'added' | 'ended', since: number): WatchAlarm {
  return {
    id: `cannot-see/${since}/${kind}`,
    kind,
    domain: 'this machine',
    rule: 'cannot-see',
    rules: ['cannot-see'],
    says:
      kind === 'added'
        ? 'The watch cannot observe the domains: its own resolver or network does not answer. No domain is at fault.'
        : 'The watch can observe the domains again.',
    also: [],
    since: new Date(since).toISOString(),
    todo: kind === 'added' ? ['Examine the resolver and outgoing port 25 of this machine.'] : [],
  };
}

/**
 * Begins the alarm `not-seen` once. A domain can stay unobserved because of inconclusive
 * answers, such as SERVFAIL, a time-out or a greylisting server: such an answer neither
 * proves nor excludes a fault.
 */
function decideUnseen(domainName: string, state: DomainState, now: number): DomainDecision {
  const { unseen, blind, blindSince: since = now, certainAt } = state;
  if (unseen || blind < MIN_CHECKS_UNSEEN || now - since < UNSEEN_MS) return { state, alarms: [] };
  const opened = { ...state, unseen: true, unseenSince: certainAt };
  return { state: opened, alarms: [notSeen('added', domainName, certainAt, certainAt)] };
}

/** Ends `not-seen` at the first certain check, which needs no confirmation. */
function decideSeen(
  domainName: string,
  state: DomainState,
  silent: boolean,
  now: number,
): DomainDecision {
  if (!state.unseen || silent) return { state, alarms: [] };
  const ended = notSeen('ended', domainName, state.unseenSince ?? now, now);
  return { state: { ...state, unseen: false, unseenSince: undefined }, alarms: [ended] };
}

/**
 * Returns the alarm on a domain without a certain result. `name` identifies the alarm
 * from its start to its end; `since` is the time in its text.
 */
function notSeen(
  kind: 'added' | 'ended',
  domainName: string,
  name: number,
  since: number,
): WatchAlarm {
  return {
    id: `${domainName}/not-seen/${name}/${kind}`,
    kind,
    domain: domainName,
    rule: 'not-seen',
    rules: ['not-seen'],
    says:
      kind === 'added'
        ? `${domainName} was not observed for 3 days: no check had a certain result.`
        : `${domainName} can be observed again.`,
    also: [],
    since: new Date(since).toISOString(),
    todo: kind === 'added' ? [`Read the reason: hermetic check ${domainName}`] : [],
  };
}

/** A check whose result answers every question of a watch. */
type CertainCheck = Required<Omit<WatchedCheck, 'began'>> & {
  readonly result: NonNullable<WatchedCheck['result']>;
};

/**
 * Counts one certain check for each fault of the domain. A check during maintenance
 * counts as well, but reports no fault: the first check after the maintenance confirms a
 * fault that persists.
 */
function decideFaults(state: DomainState, certainCheck: CertainCheck, now: number): DomainDecision {
  const { domain, result, silent } = certainCheck;
  const observed = observeFaults(result, state.best);
  const standing = standingOf(state, certainCheck, observed);
  // A known warning that has become a failure is a new fault.
  const shown = observed.filter(({ key, level }) => level > levels.warn || !standing.includes(key));
  const faults = remember(state.faults, shown, result, now);
  const best = bestLevels(result, state.best);
  const facts = watchedFactsOf(result, state.facts);
  const protection = { best, levels: presentLevels(result, state.levels) };
  const next: DomainState = { ...state, standing, ...protection, faults, facts };
  return silent ? { state: next, alarms: [] } : report(next, domain, shown, now);
}

/**
 * Returns the known warnings: those of the first certain check stay known until a check
 * proves their absence.
 */
function standingOf(
  { best, standing }: DomainState,
  { result }: CertainCheck,
  observed: readonly ObservedFault[],
): string[] {
  const present = observed.map(({ key }) => key);
  if (best === undefined)
    return observed.filter(({ level }) => level <= levels.warn).map(({ key }) => key);
  return standing.filter((key) => present.includes(key) || !provesKeyAbsent(result, key));
}

/** Counts the check for each fault, and adds new faults. */
function remember(
  known: readonly WatchedFault[],
  shown: readonly ObservedFault[],
  checkResult: CertainCheck['result'],
  now: number,
): WatchedFault[] {
  const counted = known.flatMap((fault): readonly WatchedFault[] => {
    const found = shown.find(({ key }) => key === fault.key);
    if (found) return [metAgain(fault, found, now)];
    if (!provesAbsence(checkResult, fault)) return [fault];
    const counts = { seen: 0, higher: 0 };
    const goneSince = Math.min(now, fault.gone === 0 ? now : (fault.goneSince ?? now));
    if (fault.alarm !== '') return [{ ...fault, ...counts, gone: fault.gone + 1, goneSince }];
    // An unconfirmed observation was never reported; it counts only if the fault is
    // intermittent.
    const trail = trailAfter(fault.trail, false);
    return isRemembered(trail) ? [{ ...fault, ...counts, trail }] : [];
  });
  const added = shown.filter(({ key }) => !known.some((fault) => fault.key === key));
  return [
    ...counted,
    ...added.map((observedFault) => ({
      ...observedFault,
      since: now,
      seen: 1,
      higher: 0,
      gone: 0,
      alarm: '',
      trail: trailAfter('', true),
    })),
  ];
}

/**
 * Returns a fault that a further check found. Before the alarm, each check updates the
 * text; after the alarm, only `report` updates it.
 */
function metAgain(fault: WatchedFault, found: ObservedFault, now: number): WatchedFault {
  const { subjects } = found;
  const counts = { seen: fault.seen + 1, gone: 0, goneSince: undefined };
  if (fault.alarm === '') {
    const since = fault.seen === 0 ? now : fault.since;
    const trail = trailAfter(fault.trail, true);
    return { ...fault, ...found, ...counts, since, trail, higher: 0 };
  }
  const higher = found.level > fault.level ? fault.higher + 1 : 0;
  return { ...fault, ...counts, subjects, higher };
}

/**
 * Turns confirmed counts into alarms, and marks them as reported. Only a fault that this
 * check found begins or becomes worse.
 */
function report(
  state: DomainState,
  domainName: string,
  shown: readonly ObservedFault[],
  now: number,
): DomainDecision {
  const watchAlarms: WatchAlarm[] = [];
  const found = new Map(shown.map((one) => [one.key, one]));
  let { faults } = state;
  const began = faults
    .filter(
      ({ key, alarm, seen, trail }) =>
        alarm === '' && found.has(key) && (seen >= CHECKS_TO_CONFIRM || comesAndGoes(trail)),
    )
    .map((fault) => begun(fault, endedLately(state, fault.key, now)));
  if (began.length > 0) {
    // One cause often produces several faults, which together raise one alarm.
    const first = gravest(began) as WatchedFault;
    const name = `${domainName}/${first.rule}/${first.since}`;
    watchAlarms.push(alarmOf('added', domainName, name, { first, group: began }));
    faults = faults.map((fault) => {
      const first = began.find(({ key }) => key === fault.key);
      return first ? { ...first, alarm: name } : fault;
    });
  }
  faults = faults.map((fault) => {
    const graver = fault.higher >= CHECKS_TO_CONFIRM ? found.get(fault.key) : undefined;
    if (!graver) return fault;
    const first = { ...fault, ...graver, higher: 0 };
    const name = `${fault.alarm}/${now}`;
    watchAlarms.push(alarmOf('worse', domainName, name, { first, group: [] }));
    return first;
  });
  const names = new Set(faults.map(({ alarm }) => alarm).filter((name) => name !== ''));
  let { ends } = state;
  // An alarm ends when all the faults that began with it have ended.
  for (const name of names) {
    const group = faults.filter(({ alarm }) => alarm === name);
    if (group.some((fault) => fault.gone < CHECKS_TO_CONFIRM || !isQuiet(fault, now))) continue;
    const first = gravest(group) as WatchedFault;
    watchAlarms.push(alarmOf('ended', domainName, name, { first: { ...first, todo: [] }, group }));
    faults = faults.filter(({ alarm }) => alarm !== name);
    const keys = group.map(({ key }) => key);
    ends = endsAfter({ ends }, keys, now);
  }
  return { state: { ...state, faults, ends }, alarms: watchAlarms };
}

/** Returns a fault whose alarm begins. `isRepeated`: an earlier alarm ended recently. */
function begun(fault: WatchedFault, isRepeated: boolean): WatchedFault {
  const unconfirmed = fault.seen < CHECKS_TO_CONFIRM;
  const says = unconfirmed ? `${fault.says} The fault is intermittent.` : fault.says;
  return { ...fault, says, flaps: unconfirmed || isRepeated || undefined, trail: undefined };
}
