import type { Action } from '../actions.js';
import type { Ledger, Subject } from '../ledger/ledger.js';
import { describe } from './describe.js';
import type { ActionOutcome } from '../actions.js';

/** Kind and target of an action: the same for every attempt at it. */
export function actionKey(action: Action): string {
  if (action.kind === 'set-rrset') return `${action.kind} ${action.name} ${action.type}`;
  if ('domain' in action) return `${action.kind} ${action.domain}`;
  return `${action.kind} ${action.host} ${action.key}`;
}

/**
 * Remembers how an action failed, until it succeeds or the operator takes over. An
 * attempt that was not made, because of a pause, moves the time and leaves the cause.
 */
export function recordOutcome(
  ledger: Ledger,
  subject: Subject,
  { action, outcome }: { readonly action: Action; readonly outcome: ActionOutcome },
  at: number,
): void {
  const key = actionKey(action);
  if (outcome.status !== 'failed') return ledger.clearFailure(subject, key);
  const { code, detail, until, untried } = outcome;
  const known = ledger.failures(subject).find((failure) => failure.action === key);
  const pause = until === undefined ? {} : { until };
  if (untried && known) ledger.saveFailure(subject, { ...known, ...pause });
  else if (!untried || until !== undefined)
    ledger.saveFailure(subject, {
      action: key,
      says: describe(action),
      code,
      detail,
      at,
      ...pause,
    });
}

/**
 * Forgets failures of actions that are no longer planned. Renewals are none of a plan's
 * steps.
 */
export function dropFailures(ledger: Ledger, subject: Subject, planned: readonly Action[]): void {
  const keys = new Set(planned.map(actionKey));
  for (const { action } of ledger.failures(subject))
    if (!keys.has(action) && !action.startsWith('certify ')) ledger.clearFailure(subject, action);
}
