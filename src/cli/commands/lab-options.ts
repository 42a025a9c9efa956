import type { CheckOptions } from '../../check/index.js';
import type { Lab } from '../../lab/index.js';

/** Everything a check needs to live inside the lab. */
export function labOptions(lab: Lab): CheckOptions {
  const { network, upstreams, anchors, trustStore, spacingMs } = lab;
  return { network, upstreams, anchors, trustStore, spacingMs, timeoutMs: 5000 };
}
