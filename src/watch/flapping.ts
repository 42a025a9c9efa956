import type { DomainState } from './types.js';

/**
 * Intermittent faults. Two checks in a row never confirm a fault that appears at every
 * second check, and a fault that returns every few hours would raise an alarm each time.
 */

/** Number of certain checks in the trail of an unconfirmed fault. */
const TRAIL = 10;
/**
 * Number of checks with the fault, in one trail, that raise an alarm even if no two of
 * them are consecutive.
 */
const MIN_SIGHTINGS = 5;
/** Time after the end of an alarm in which a new alarm on the same fault lasts longer. */
const RECENT_MS = 7 * 86_400_000;
/** Time without the fault until a longer alarm ends. */
const QUIET_MS = 86_400_000;
/** Maximum number of alarm ends in memory for each domain. */
const MAX_ENDS = 100;

/**
 * Returns the trail after one more certain check: `1` for each check that found the
 * fault.
 */
export function trailAfter(trail: string | undefined, isFound: boolean): string {
  return `${trail ?? ''}${isFound ? 1 : 0}`.slice(-TRAIL);
}

/**
 * Returns whether an unconfirmed fault stays in memory, because one of the checks found
 * it.
 */
export function isRemembered(trail: string): boolean {
  return trail.includes('1');
}

/** Returns whether a fault counts although no two checks in a row found it. */
export function comesAndGoes(trail: string | undefined): boolean {
  return (trail?.split('1').length ?? 1) - 1 >= MIN_SIGHTINGS;
}

/** Returns whether an alarm on the fault ended recently. */
export function endedLately({ ends = [] }: Pick<DomainState, 'ends'>, key: string, now: number) {
  return ends.some((end) => end.key === key && now - end.at < RECENT_MS);
}

/** Returns the remembered ends, with the ends of the alarms on these faults added. */
export function endsAfter(
  { ends = [] }: Pick<DomainState, 'ends'>,
  keys: readonly string[],
  now: number,
): DomainState['ends'] {
  const recent = ends.filter(({ at }) => now - at < RECENT_MS);
  const all = [...recent, ...keys.map((key) => ({ key, at: now }))].slice(-MAX_ENDS);
  return all.length > 0 ? all : undefined;
}

/** Returns whether a fault has been absent for long enough to end its alarm. */
export function isQuiet(
  {
    flaps,
    goneSince,
  }: { readonly flaps?: boolean | undefined; readonly goneSince?: number | undefined },
  now: number,
): boolean {
  return !flaps || (goneSince !== undefined && now - goneSince >= QUIET_MS);
}
