import { matchMx, parsePolicy } from '../../mta-sts/index.js';
import type { SetRrset, Step, Wait } from '../actions.js';
import { preparePolicyHost } from './policy-steps.js';
import {
  agreed,
  disagreement,
  heldByWildcard,
  hostOf,
  ownRecords,
  servesEverywhere,
} from './apply-observation.js';
import type { PolicyAction, PolicyReading } from './types.js';

export interface Delegation {
  readonly domain: string;
  /** The domain whose record and policy this one uses. */
  readonly to: string;
  /** The policy served for that domain, once it is announced. */
  readonly body: string | undefined;
  readonly policyHost?: string;
  readonly ttl: number;
}

/**
 * A domain that uses the policy of another (RFC 8461 §8.2): its policy host with a
 * certificate for its own name first, and its record, an alias, when the policy can be
 * fetched there and names its MX hosts. From then on one change of the other's id speaks
 * for both. `alias`: what `_mta-sts` leads to already.
 */
export function stepDelegation(
  { domain, to, body, ttl, ...rest }: Delegation,
  alias: string | undefined,
  seen: Pick<PolicyReading, 'policyHosts' | 'policyHostSynthesised' | 'alias' | 'mx' | 'txt'>,
): { readonly steps: readonly Step<PolicyAction>[]; readonly waits: readonly Wait[] } {
  const wait = (why: string): { steps: []; waits: readonly Wait[] } => ({
    steps: [],
    waits: [{ subject: domain, why }],
  });
  const target = `_mta-sts.${to}`;
  const held = heldByWildcard(domain, seen);
  if (held !== undefined) return wait(held);
  const policy = body === undefined ? undefined : parsePolicy(body);
  if (body === undefined || !policy?.ok) return wait(`${to} has no policy that is announced yet`);
  if (!servesEverywhere(seen as PolicyReading, body))
    return preparePolicyHost(domain, body, seen, { ttl, ...rest });
  if (alias === target) return { steps: [], waits: [] };
  if (alias !== undefined)
    return wait(`_mta-sts.${domain} leads to ${alias}: remove that alias first`);
  const mx = agreed(seen.mx);
  const texts = agreed(seen.txt);
  if (!mx) return wait(disagreement(domain, 'MX records', seen.mx).why);
  if (!texts) return wait(disagreement(`_mta-sts.${domain}`, '_mta-sts record', seen.txt).why);
  if (ownRecords(texts).length > 0)
    return wait(
      `_mta-sts.${domain} has records of its own, and an alias cannot stand beside them: remove them first`,
    );
  const outside = mx.records
    .map(hostOf)
    .find((host) => !policy.value.mx.some((pattern) => matchMx(pattern, host)));
  if (outside !== undefined)
    return wait(`${outside} receives mail and is not in the policy of ${to}`);
  const action: SetRrset = {
    kind: 'set-rrset',
    name: `_mta-sts.${domain}`,
    type: 'CNAME',
    from: [],
    to: [`${target}.`],
    ttl,
  };
  return {
    steps: [
      {
        action,
        because: `the policy of ${to} is served for ${domain} and names its hosts`,
        clause: 'RFC 8461 §8.2',
      },
    ],
    waits: [],
  };
}
