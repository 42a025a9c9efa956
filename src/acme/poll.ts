import type { Clock } from '../base/index.js';
import type { AcmeReply } from './session.js';

export interface PatienceOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between two looks where the CA does not say, and for all of them. */
  readonly poll: { readonly every: number; readonly atMost: number };
  /** Asked before each wait and each authorization; false ends the work here. */
  goesOn(): boolean;
}

/** Waits; false when an order would take too long for one round. */
export type Patience = (reply?: AcmeReply) => Promise<boolean>;

/**
 * As long as the CA asks for, and never less than our usual while: `Retry-After: 0` is no
 * reason to ask without a pause. [8555-7.5.1-2]
 */
export function patience({ clock, poll, signal, goesOn }: PatienceOptions): Patience {
  const end = clock.now() + poll.atMost;
  return async (reply) => {
    const now = clock.now();
    const at = Math.max(reply?.until ?? now, now + poll.every);
    if (at > end || !goesOn()) return false;
    await clock.sleep(at - now, signal);
    return true;
  };
}
