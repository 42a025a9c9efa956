import { collect, collectOptions, nameOf, type CheckOptions } from '../src/check/index.js';
import { labOptions } from '../src/cli/commands/lab-options.js';
import type { Evidence } from '../src/evidence/index.js';
import type { Lab } from '../src/lab/index.js';

/** With more at once each waits for all the others in this one process, and a busy machine passes for silent servers. */
const AT_ONCE = 8;

/** What a check sees of each of these domains of a lab, in their order. */
export async function checkDomains(lab: Lab, domains: readonly string[], more: CheckOptions = {}): Promise<readonly Evidence[]> {
  const options = collectOptions({ ...labOptions(lab), ...more });
  const seen: Evidence[] = [];
  const waiting = domains.entries();
  const work = async (): Promise<void> => {
    for (const [i, domain] of waiting) seen[i] = await collect(nameOf(domain), options);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return seen;
}
