import { startResolver } from './defenders.js';
import type { Plan } from './plan.js';

/** Runs the resolver in a separate process, so that no other role delays it. */
process.once('message', (plan: Plan) => {
  void startResolver(plan).then((anchor) => process.send?.(anchor));
});
process.once('disconnect', () => process.exit());
