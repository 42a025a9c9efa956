import type { Action, ActionOutcome, SetRrset } from '../actions.js';
import type { Ledger, Subject } from '../ledger/ledger.js';
import { describeAction } from './describe.js';

/**
 * Returns the kind and target of an action, an identifier that all attempts of the action
 * share.
 */
export function actionKey(action: Action): string {
  if (action.kind === 'set-rrset') return `${action.kind} ${action.name} ${action.type}`;
  if ('domain' in action) return `${action.kind} ${action.domain}`;
  return `${action.kind} ${action.host} ${action.key}`;
}

/**
 * Saves the failure of an action. The failure remains saved until the action succeeds or
 * the operator takes over. If a pause prevented the attempt, only the time of the next
 * attempt changes, not the recorded cause.
 */
export async function recordOutcome(
  ledger: Ledger,
  subject: Subject,
  { action, outcome }: { readonly action: Action; readonly outcome: ActionOutcome },
  at: number,
): Promise<void> {
  const identity = actionKey(action);
  if (outcome.status === 'done' && action.kind === 'set-rrset')
    return recordChange(ledger, subject, action, at);
  if (outcome.status !== 'failed') return ledger.clearFailure(subject, identity);
  const { code, detail, until, untried } = outcome;
  const known = ledger.failures(subject).find((failure) => failure.action === identity);
  if (untried && known)
    await ledger.saveFailure(subject, { ...known, until: until ?? known.until });
  else if (!untried || until !== undefined)
    await ledger.saveFailure(subject, {
      action: identity,
      says: describeAction(action),
      code,
      detail,
      at,
      until,
    });
}

/**
 * Milliseconds after which a change that is reported as done, but is not visible, counts
 * as failed.
 */
const UNSEEN_AFTER = 3_600_000;

/**
 * Saves the time at which a change of records first succeeded. A visible change is not
 * planned again. If the same change succeeds again an hour later, the first change had no
 * effect. The cause is a hook or a provider that reports success without a change, or a
 * zone that is not published.
 */
async function recordChange(
  ledger: Ledger,
  subject: Subject,
  action: SetRrset,
  at: number,
): Promise<void> {
  const [identity, says] = [actionKey(action), describeAction(action)];
  const known = ledger.attempts(subject).find((attempt) => attempt.action === identity);
  const isSame = known?.code === UNSEEN && known.says === says;
  const since = isSame && known.since !== undefined && known.since <= at ? known.since : at;
  const pending = at - since < UNSEEN_AFTER ? true : undefined;
  const detail = `reported as done since ${new Date(since).toISOString()}`;
  const attempt = { action: identity, says, code: UNSEEN, detail, at, since, pending } as const;
  await ledger.saveFailure(subject, attempt);
}

const UNSEEN = 'publish-change-unseen';

/**
 * Removes saved failures of actions that are no longer planned. Failures of renewals
 * remain saved, because `renewDue` plans renewals, not the plan of a subject.
 */
export async function dropFailures(
  ledger: Ledger,
  subject: Subject,
  planned: readonly Action[],
): Promise<void> {
  const keys = new Set(planned.map(actionKey));
  for (const { action } of ledger.attempts(subject))
    if (!keys.has(action) && !action.startsWith('certify '))
      await ledger.clearFailure(subject, action);
}
