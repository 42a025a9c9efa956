import type { Clock } from '../base/index.js';
import type { AcmeReply } from './session.js';

/**
 * The limits of one round of polling: its interval, its duration, its signal and its
 * claim.
 */
export interface PollOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /**
   * `every`: milliseconds between two polls without a `Retry-After`. `atMost`:
   * milliseconds for all polls together.
   */
  readonly poll: { readonly every: number; readonly atMost: number };
  /**
   * Extends the claim of this process on the key, before each wait and each
   * authorization. Resolves to false if another process has taken over the key; this
   * process then stops.
   */
  stillClaimed(): Promise<boolean>;
}

/**
 * Waits until the client may poll again. Resolves to false when the round has no time
 * left.
 */
export type PollTimer = (acmeReply?: AcmeReply) => Promise<boolean>;

/**
 * Returns a timer that waits until the `Retry-After` of the CA, and for at least
 * `poll.every`, so that `Retry-After: 0` causes no requests without a pause.
 * [8555-7.5.1-2]
 */
export function pollTimer({ clock, poll, signal, stillClaimed }: PollOptions): PollTimer {
  const end = clock.now() + poll.atMost;
  return async (acmeReply) => {
    const now = clock.now();
    const instant = Math.max(acmeReply?.until ?? now, now + poll.every);
    if (instant > end || !(await stillClaimed())) return false;
    await clock.sleep(instant - now, signal);
    return true;
  };
}
