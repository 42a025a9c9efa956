import type { CheckOptions } from '../check/index.js';
import type { Lab } from '../lab/index.js';

/**
 * Opens the built-in lab. The part is loaded on demand, because it contains a certificate
 * authority and many servers. `names`: the domains and hosts that the command will query;
 * only their scenarios are built if all of them belong to the lab.
 */
export async function openLab(names: readonly string[] = []): Promise<Lab> {
  const { createLab, scenariosFor } = await import('../lab/index.js');
  const scenarios = scenariosFor(names);
  return createLab(scenarios.length === 0 ? {} : { scenarios });
}

/**
 * Returns the options that restrict a check to the lab.
 *
 * Five seconds are enough for servers in the same process.
 */
export function labOptions(lab: Lab): CheckOptions {
  const { network, upstreams, anchors, trustStore, spacingMs } = lab;
  return { network, upstreams, anchors, trustStore, spacingMs, timeoutMs: 5000 };
}
