import type { Clock } from './clock.js';

export interface RepeatOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** Milliseconds between two rounds, unless a round returns another number. */
  readonly pauseMs: number;
  /** Milliseconds before the first round; by default the first round runs at once. */
  readonly firstPauseMs?: number;
  /**
   * Receives the error of a failed round. A number that the function returns is the pause
   * before the next round, in milliseconds.
   */
  onError(error: Error): number | void;
}

/**
 * Runs `round` until the signal aborts, with a pause after each run. An error ends its
 * round, but not the loop. An error after the abort results from the abort and is
 * ignored.
 */
export async function repeat(
  round: () => unknown,
  { clock, signal, pauseMs, firstPauseMs, onError }: RepeatOptions,
): Promise<void> {
  if (firstPauseMs !== undefined) await clock.sleep(firstPauseMs, signal).catch(() => undefined);
  while (!signal.aborted) {
    let pause = pauseMs;
    try {
      const next = await round();
      if (typeof next === 'number') pause = next;
    } catch (error) {
      if (signal.aborted) return;
      pause = onError(error as Error) ?? pauseMs;
    }
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}
