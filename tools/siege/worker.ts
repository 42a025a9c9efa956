import { attackers, observers } from './roles.js';
import type { Plan } from './plan.js';

/** One role in a separate process: receives the plan, sends its report, and ends. */
process.once('message', ({ role, plan }: { role: string; plan: Plan }) => {
  const run = { ...attackers, ...observers }[role];
  if (!run) throw new TypeError(`no role ${role}`);
  void run(plan).then((report) => process.send?.(report, () => process.exit()));
});
