import type { Action, ActionOutcome, Certify, Deploy, SetRrset } from '../actions.js';

/**
 * Executes actions. Every method is idempotent: calling it again for an executed action
 * changes nothing. A method returns the failure of an action and throws only for bugs.
 */
export interface Executor {
  /** Changes a record set through the entry `dns` of `publish.dns`. */
  setRrset(action: SetRrset, dns: string): Promise<ActionOutcome>;
  certify(action: Certify): Promise<ActionOutcome>;
  deploy(action: Deploy): Promise<ActionOutcome>;
  /**
   * Executes the actions that need no network: keys of the ring and served policy bodies.
   */
  local(action: Exclude<Action, SetRrset | Certify | Deploy>): Promise<ActionOutcome>;
}
