import type { Clock } from '../base/index.js';
import type { AcmeReply } from './session.js';

/** The polling of the CA in one round: its interval and its duration. */
export interface PollOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds between two polls without a `Retry-After`, and for all polls together.
   */
  readonly poll: { readonly every: number; readonly atMost: number };
  /**
   * Extends the claim of this process, before each wait and each authorization. False:
   * another process has taken the key, so this one stops.
   */
  stillClaimed(): Promise<boolean>;
}

/**
 * Waits until the next poll is allowed. Resolves to false when the round has no time
 * left.
 */
export type PollTimer = (acmeReply?: AcmeReply) => Promise<boolean>;

/**
 * Returns a timer that waits for the `Retry-After` of the CA, and at least `poll.every`:
 * `Retry-After: 0` must not cause requests without a pause. [8555-7.5.1-2]
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
