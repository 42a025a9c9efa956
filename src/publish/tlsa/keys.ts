import type { KeySlot, RolloverState, ServerKey } from './types.js';

/** Keys the server may show at this moment: those in use, and those on their way. */
export function mayBeShown({ slots }: Pick<RolloverState, 'slots'>): readonly ServerKey[] {
  return Object.values(slots).flatMap(({ current, next, deploying }: KeySlot) => [
    ...(current ? [current] : []),
    ...(next && deploying ? [next] : []),
  ]);
}

/** Keys in use and next ones. */
export function knownKeys({ slots }: Pick<RolloverState, 'slots'>): readonly ServerKey[] {
  return Object.values(slots).flatMap(({ current, next }: KeySlot) => [
    ...(current ? [current] : []),
    ...(next ? [next] : []),
  ]);
}
