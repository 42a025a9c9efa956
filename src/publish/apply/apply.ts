import type { Action, ActionOutcome, Alert } from '../actions.js';
import { writeFailure } from '../keys/durable-file.js';
import type { Executor } from './executor.js';
import { planImports } from '../certificates/import-external.js';
import { describeAction } from './describe.js';
import { importSteps, planAll, type PlanOptions, type SubjectPlan } from './plan.js';
import { dropFailures, recordOutcome } from './record-outcome.js';

/** An executed action with its outcome. */
export interface ExecutedAction {
  readonly action: Action;
  /** The action in one line, human-readable. */
  readonly says: string;
  readonly because: string;
  readonly outcome: ActionOutcome;
}

/** The result of one round for one host or one domain. */
export interface Applied extends Omit<SubjectPlan, 'save'> {
  readonly outcomes: readonly ExecutedAction[];
  /** Alerts that the previous round did not have: each alert is reported once. */
  readonly freshAlerts: readonly Alert[];
}

export interface ApplyOptions extends PlanOptions {
  readonly executor: Executor;
}

/**
 * Runs one round: observe, plan, save, execute. A failed action ends the round of its own
 * subject only. The saved state still requires the failed action, so the next round plans
 * it again.
 */
export async function applyOnce(options: ApplyOptions): Promise<readonly Applied[]> {
  const { ledger, executor, observer } = options;
  const imported = await importAll(options);
  const subjectPlans = await planAll(options);
  const freshAlerts = await ledger.alerts(
    subjectPlans.flatMap(({ alerts }) => alerts),
    observer.clock.now(),
  );
  const applied: Applied[] = [];
  for (const subjectPlan of subjectPlans) {
    const outcomes = [
      ...(subjectPlan.kind === 'host' ? (imported.get(subjectPlan.subject) ?? []) : []),
    ];
    // A state that names a key is saved only when the ring has the key.
    const isComplete = subjectPlan.steps.every(({ action }) => action.kind !== 'import-key');
    // If the state of a subject cannot be saved, another process is changing the same
    // subject. The next observation shows the result of that process.
    const steps = isComplete && (await subjectPlan.save()) ? subjectPlan.steps : [];
    for (const { action, because } of steps) {
      const outcome = await execute(action, subjectPlan.dns, executor).catch(writeFailure);
      outcomes.push({ action, says: describeAction(action), because, outcome });
      if (outcome.status === 'failed') break;
    }
    await saveOutcomes(subjectPlan, outcomes, options);
    applied.push({
      ...subjectPlan,
      outcomes,
      freshAlerts: subjectPlan.alerts.filter((alert) => freshAlerts.includes(alert)),
    });
  }
  return applied;
}

/**
 * Imports keys before anything is planned: later steps depend on the content of the ring.
 */
async function importAll({
  section,
  ledger,
  ring,
  observer,
  executor,
}: ApplyOptions): Promise<ReadonlyMap<string, Applied['outcomes']>> {
  const { trustStore: anchors, clock } = observer;
  const outcomes = new Map<string, Applied['outcomes']>();
  for (const [hostName, desired] of Object.entries(section.hosts)) {
    const importPlan = planImports(ledger.host(hostName), desired, {
      ring,
      anchors,
      at: clock.now(),
    });
    const executed: ExecutedAction[] = [];
    for (const { action, because } of importSteps(importPlan)) {
      const outcome = await executor.local(action);
      executed.push({ action, says: describeAction(action), because, outcome });
    }
    outcomes.set(hostName, executed);
  }
  return outcomes;
}

async function saveOutcomes(
  { kind, subject, steps }: SubjectPlan,
  outcomes: Applied['outcomes'],
  { ledger, observer }: PlanOptions,
): Promise<void> {
  const instant = observer.clock.now();
  for (const executed of outcomes) {
    if (executed.outcome.status === 'done') await ledger.note(instant, subject, executed.says);
    await recordOutcome(ledger, { kind, name: subject }, executed, instant);
  }
  const planned = [...steps, ...outcomes].map(({ action }) => action);
  await dropFailures(ledger, { kind, name: subject }, planned);
}

async function execute(action: Action, dns: string, executor: Executor): Promise<ActionOutcome> {
  switch (action.kind) {
    case 'set-rrset':
      return executor.setRrset(action, dns);
    case 'certify':
      return executor.certify(action);
    case 'deploy':
      return executor.deploy(action);
    case 'import-key':
    case 'make-key':
    case 'serve-policy':
    case 'stop-serving':
      return executor.local(action);
  }
}
