import type { Action, Alert } from '../actions.js';
import { writeFailure } from '../keys/write-failure.js';
import type { Hands, Outcome } from './hands.js';
import { planAll, type PlanOptions, type SubjectPlan } from './plan.js';

export interface Applied extends Omit<SubjectPlan, 'save'> {
  readonly outcomes: readonly {
    readonly action: Action;
    readonly says: string;
    readonly because: string;
    readonly outcome: Outcome;
  }[];
  /** Alerts that did not stand at the round before: each is told once for as long as it stands. */
  readonly freshAlerts: readonly Alert[];
}

/**
 * One round: reads, plans, writes down, does. An action that fails ends the round of its subject alone; what it rests on is written down, so that the next round
 * takes it up again.
 */
export async function applyOnce(
  options: PlanOptions & { readonly hands: Hands },
): Promise<readonly Applied[]> {
  const { ledger, hands, eyes } = options;
  const plans = await planAll(options);
  const fresh = ledger.alerts(
    plans.flatMap(({ alerts }) => alerts),
    eyes.clock.now(),
  );
  const applied: Applied[] = [];
  for (const plan of plans) {
    // Another process is at it: its next reading sees what this one would have done.
    const steps = plan.save() ? plan.steps : [];
    const outcomes: Applied['outcomes'][number][] = [];
    for (const { action, because } of steps) {
      const outcome = await carryOut(action, plan.dns, hands).catch(writeFailure);
      const says = describe(action);
      outcomes.push({ action, says, because, outcome });
      if (outcome.status === 'done') ledger.note(eyes.clock.now(), plan.subject, says);
      if (outcome.status === 'failed') break;
    }
    applied.push({
      ...plan,
      outcomes,
      freshAlerts: plan.alerts.filter((alert) => fresh.includes(alert)),
    });
  }
  return applied;
}

async function carryOut(action: Action, dns: string, hands: Hands): Promise<Outcome> {
  switch (action.kind) {
    case 'set-rrset':
      return hands.setRrset(action, dns);
    case 'certify':
      return hands.certify(action);
    case 'deploy':
      return hands.deploy(action);
    case 'make-key':
    case 'serve-policy':
    case 'stop-serving':
      return hands.local(action);
  }
}

/** An action in one line for people. */
export function describe(action: Action): string {
  switch (action.kind) {
    case 'make-key':
      return `make the key ${action.key} for ${action.host}`;
    case 'certify':
      return `have ${action.key} of ${action.host} certified`;
    case 'deploy':
      return `let the server of ${action.host} use ${[action.key, ...(action.also ?? [])].join(' and ')}`;
    case 'set-rrset':
      return `set ${action.type} of ${action.name} to ${action.to.join(', ') || 'nothing'}`;
    case 'serve-policy':
      return `serve the policy ${action.id.slice(0, 8)} for ${action.domain}`;
    case 'stop-serving':
      return `stop serving a policy for ${action.domain}`;
  }
}
