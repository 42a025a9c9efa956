import type { CheckResult } from '../../src/evidence/index.js';
import {
  decideAlarms,
  emptyState,
  watchStateSchema,
  type WatchedCheck,
  type WatchAlarm,
  type WatchState,
} from '../../src/watch/index.js';
import { healthyResult, type Plant } from './watch-results.js';

export const HOUR = 3_600_000;
/** Returns the result unchanged: no fault. */
export const healthy: Plant = (result) => result;

/**
 * A watch, driven check by check. After each check the watch reads the state as after a
 * restart.
 */
export class Watched {
  state: WatchState = emptyState;
  /** Milliseconds since 1970. */
  now = Date.parse('2027-01-01T00:00:00Z');

  healthy(domain: string): CheckResult {
    return healthyResult(domain);
  }

  /** Checks once, six hours after the last check. */
  decide(plant: Plant, more: Partial<WatchedCheck> = {}, pause = 6 * HOUR): readonly WatchAlarm[] {
    this.now += pause;
    const { domain = 'a.example' } = more;
    const check = { domain, result: plant(healthyResult(domain)), ...more };
    const { state, alarms } = decideAlarms(this.state, check, this.now);
    this.state = watchStateSchema.parse(JSON.parse(JSON.stringify(state)));
    return alarms;
  }

  /** Checks once, and returns the alarms in short form: `added starttls-absent`. */
  check(plant: Plant, more: Partial<WatchedCheck> = {}, pause = 6 * HOUR): readonly string[] {
    return this.decide(plant, more, pause).map(({ kind, rule }) => `${kind} ${rule}`);
  }
}
