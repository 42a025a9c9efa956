import type { CheckOptions } from '../../check/index.js';
import type { Lab } from '../../lab/index.js';

/** Everything a check needs to live inside the lab. */
export function labOptions(lab: Lab): CheckOptions {
  return { network: lab.network, upstreams: lab.upstreams, anchors: lab.anchors, trustStore: lab.trustStore, timeoutMs: 2000 };
}
