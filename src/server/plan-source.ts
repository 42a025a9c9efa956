import { setMaxListeners } from 'node:events';
import type { PlanSource } from '../web/index.js';
import type { JobContext } from './service.js';

/**
 * Returns the plans of the section `publish` for the pages, for one domain and its mail
 * hosts. They write nothing: the rounds of the job `publish` execute. The code of
 * publishing is loaded with the first plan. Undefined without the section.
 */
export function planSource(jobContext: JobContext, signal: AbortSignal): PlanSource | undefined {
  const section = jobContext.publish;
  if (!section) return undefined;
  // Every query of an observation listens to the signal, and many run concurrently.
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
