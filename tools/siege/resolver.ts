import { startResolver } from './defenders.js';
import type { Plan } from './plan.js';

/**
 * The resolver in a separate process: it stands for another machine, and no other role
 * delays it.
 */
process.once('message', (plan: Plan) => {
  void startResolver(plan).then((anchor) => process.send?.(anchor));
});
process.once('disconnect', () => process.exit());
