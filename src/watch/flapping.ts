import type { DomainState } from './types.js';

/**
 * Intermittent faults. A fault at every second check is never confirmed by two checks in
 * a row, and one that lasts for an hour in every few would be an alarm each time.
 */

/** Certain checks that the trail of an unconfirmed fault covers. */
const TRAIL = 10;
/** Checks of a trail with the fault that make an alarm although none confirmed another. */
const MIN_SIGHTINGS = 5;
/** An alarm that ended within this time makes the next one of the same fault last longer. */
const RECENT_MS = 7 * 86_400_000;
/** Time without the fault until such an alarm ends. */
const QUIET_MS = 86_400_000;
/** Ends that are remembered for each domain. */
const MAX_ENDS = 100;

/** The trail after one more certain check: `1` for each that found the fault. */
export function trailAfter(trail: string | undefined, isFound: boolean): string {
  return `${trail ?? ''}${isFound ? 1 : 0}`.slice(-TRAIL);
}

/** Returns whether an unconfirmed fault is remembered: one of the checks found it. */
export function isRemembered(trail: string): boolean {
  return trail.includes('1');
}

/** Returns whether a fault that no two checks in a row found is a fault nevertheless. */
export function comesAndGoes(trail: string | undefined): boolean {
  return (trail?.split('1').length ?? 1) - 1 >= MIN_SIGHTINGS;
}

/** Returns whether an alarm on the fault ended lately. */
export function endedLately({ ends = [] }: Pick<DomainState, 'ends'>, key: string, now: number) {
  return ends.some((end) => end.key === key && now - end.at < RECENT_MS);
}

/** The remembered ends after those of some faults. */
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
