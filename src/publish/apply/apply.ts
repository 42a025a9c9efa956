import type { Action, Alert } from '../actions.js';
import { writeFailure } from '../keys/write-failure.js';
import type { ActionOutcome } from '../actions.js';
import type { Executor } from './executor.js';
import { readBrought } from '../certificates/read-brought.js';
import { describe } from './describe.js';
import { importing, planAll, type PlanOptions, type SubjectPlan } from './plan.js';
import { dropFailures, recordOutcome } from './record-outcome.js';

export interface Applied extends Omit<SubjectPlan, 'save'> {
  readonly outcomes: readonly {
    readonly action: Action;
    readonly says: string;
    readonly because: string;
    readonly outcome: ActionOutcome;
  }[];
  /**
   * Alerts that did not stand at the round before: each is told once for as long as it
   * stands.
   */
  readonly freshAlerts: readonly Alert[];
}

/**
 * One round: reads, plans, writes down, does. An action that fails ends the round of its
 * subject alone; what it rests on is written down, so that the next round takes it up
 * again.
 */
export async function applyOnce(
  options: PlanOptions & { readonly hands: Executor },
): Promise<readonly Applied[]> {
  const { ledger, hands, eyes } = options;
  const imported = importAll(options);
  const plans = await planAll(options);
  const fresh = ledger.alerts(
    plans.flatMap(({ alerts }) => alerts),
    eyes.clock.now(),
  );
  const applied: Applied[] = [];
  for (const plan of plans) {
    const outcomes = [...(plan.kind === 'host' ? (imported.get(plan.subject) ?? []) : [])];
    // A state that rests on a key which is not in the ring yet is never saved.
    const complete = plan.steps.every(({ action }) => action.kind !== 'import-key');
    // Another process is at it: its next reading sees what this one would have done.
    const steps = complete && plan.save() ? plan.steps : [];
    for (const { action, because } of steps) {
      const outcome = await execute(action, plan.dns, hands).catch(writeFailure);
      outcomes.push({ action, says: describe(action), because, outcome });
      if (outcome.status === 'failed') break;
    }
    report(plan, outcomes, options);
    applied.push({
      ...plan,
      outcomes,
      freshAlerts: plan.alerts.filter((alert) => fresh.includes(alert)),
    });
  }
  return applied;
}

/** Keys come first: every later step of a host is planned with what the ring holds. */
function importAll({
  section,
  ledger,
  ring,
  eyes,
  hands,
}: PlanOptions & { readonly hands: Executor }): ReadonlyMap<string, Applied['outcomes']> {
  const { trustStore: anchors, clock } = eyes;
  return new Map(
    Object.entries(section.hosts).map(([host, wish]) => {
      const steps = importing(
        readBrought(ledger.host(host), wish, { ring, anchors, at: clock.now() }),
      );
      return [
        host,
        steps.map(({ action, because }) => ({
          action,
          says: describe(action),
          because,
          outcome: hands.local(action),
        })),
      ];
    }),
  );
}

function report(
  { kind, subject, steps }: SubjectPlan,
  outcomes: Applied['outcomes'],
  { ledger, eyes }: PlanOptions,
): void {
  const at = eyes.clock.now();
  for (const one of outcomes) {
    if (one.outcome.status === 'done') ledger.note(at, subject, one.says);
    recordOutcome(ledger, { kind, name: subject }, one, at);
  }
  const planned = [...steps, ...outcomes].map(({ action }) => action);
  dropFailures(ledger, { kind, name: subject }, planned);
}

async function execute(action: Action, dns: string, hands: Executor): Promise<ActionOutcome> {
  switch (action.kind) {
    case 'set-rrset':
      return hands.setRrset(action, dns);
    case 'certify':
      return hands.certify(action);
    case 'deploy':
      return hands.deploy(action);
    case 'import-key':
    case 'make-key':
    case 'serve-policy':
    case 'stop-serving':
      return hands.local(action);
  }
}
