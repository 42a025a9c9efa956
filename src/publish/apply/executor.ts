import type { Action, ActionOutcome, Certify, Deploy, SetRrset } from '../actions.js';

/** Executes actions. Each method may be called again for an action that is done. */
export interface Executor {
  setRrset(action: SetRrset, dns: string): Promise<ActionOutcome>;
  certify(action: Certify): Promise<ActionOutcome>;
  deploy(action: Deploy): Promise<ActionOutcome>;
  /** Keys, and bodies that are served, are local. */
  local(action: Exclude<Action, SetRrset | Certify | Deploy>): ActionOutcome;
}
