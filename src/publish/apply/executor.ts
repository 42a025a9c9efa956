import type { Action, Certify, Deploy, SetRrset } from '../actions.js';

/**
 * The result of an action. `manual`: the operator has to do it, and `text` is what to
 * paste or run; the next reading shows whether it took effect. `until`: nothing is tried
 * before that time (milliseconds since 1970). `untried`: nothing was tried, so an earlier
 * failure stands.
 */
export type ActionOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'manual'; readonly text: string }
  | {
      readonly status: 'failed';
      readonly code: string;
      readonly detail: string;
      readonly until?: number;
      readonly untried?: true;
    };

/** How records get into the zones of one entry of `publish.dns`. */
export type DnsWriter = (action: SetRrset, signal?: AbortSignal) => Promise<ActionOutcome>;

/** Who carries actions out. Each of them may be asked again for what is done already. */
export interface Executor {
  setRrset(action: SetRrset, dns: string): Promise<ActionOutcome>;
  certify(action: Certify): Promise<ActionOutcome>;
  deploy(action: Deploy): Promise<ActionOutcome>;
  /** Keys, and bodies that are served, are local. */
  local(action: Exclude<Action, SetRrset | Certify | Deploy>): ActionOutcome;
}
