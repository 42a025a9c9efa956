import { collect, collectOptions, nameOf, type CheckOptions } from '../check/index.js';
import type { Evidence } from '../evidence/index.js';
import type { Lab } from '../lab/index.js';
import { labOptions } from './commands/lab-options.js';

/**
 * With more at once each waits for all the others in this one process, and a busy machine
 * passes for silent servers.
 */
const MAX_CONCURRENT = 8;

/**
 * What a check sees of each of these domains of a lab, in their order, as soon as it is
 * there.
 */
export function checkDomains(
  lab: Lab,
  domains: readonly string[],
  more: CheckOptions = {},
): readonly Promise<Evidence>[] {
  const options = collectOptions({ ...labOptions(lab), ...more });
  const lanes: Promise<unknown>[] = Array.from({ length: MAX_CONCURRENT }, () => Promise.resolve());
  return domains.map((domain, i) => {
    const seen = (lanes[i % MAX_CONCURRENT] as Promise<unknown>).then(() =>
      collect(nameOf(domain), options),
    );
    lanes[i % MAX_CONCURRENT] = seen.catch(() => undefined);
    return seen;
  });
}
