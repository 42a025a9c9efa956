import { setMaxListeners } from 'node:events';
import type { PlanSource } from '../web/index.js';
import type { JobContext } from './service.js';

/**
 * Returns the source of the plans that the pages show for one domain and its mail hosts;
 * undefined without the section `publish`. Planning writes nothing: only the rounds of
 * the job `publish` execute plans. The code of publishing is loaded with the first plan.
 */
export function planSource(jobContext: JobContext, signal: AbortSignal): PlanSource | undefined {
  const section = jobContext.publish;
  if (!section) return undefined;
  // Many queries of an observation run concurrently, and each adds a listener to the
  // signal.
  setMaxListeners(0, signal);
  const open = async () => {
    const [{ openPublishing }, { findFailure }] = await Promise.all([
      import('./publisher.js'),
      import('../catalogue/index.js'),
    ]);
    return { publishing: openPublishing(section, jobContext, { signal }), findFailure };
  };
  let opened: ReturnType<typeof open> | undefined;
  return {
    async observe(domain) {
      const { publishing, findFailure } = await (opened ??= open());
      const mailHosts = new Set(section.domains[domain]?.mx ?? []);
      const plans = await publishing.plan(({ kind, name }) =>
        kind === 'domain' ? name === domain : mailHosts.has(name),
      );
      return { plans, explain: findFailure };
    },
  };
}
