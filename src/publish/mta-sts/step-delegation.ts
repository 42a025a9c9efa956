import { matchMx, parsePolicy } from '../../mta-sts/index.js';
import { preparePolicyHost, type PartialStep } from './policy-steps.js';
import {
  agreedRrset,
  disagreement,
  hostOf,
  mxWildcardBlocker,
  ownRecords,
  servesEverywhere,
} from './apply-observation.js';
import type { PolicyObservation } from './types.js';

/** A domain that uses the policy of another domain (RFC 8461 §8.2). */
export interface Delegation {
  readonly domain: string;
  /** The domain whose record and policy this one uses. */
  readonly to: string;
  /** The policy served for that domain, once it is announced. */
  readonly body: string | undefined;
  readonly policyHost?: string | undefined;
  /** Seconds. */
  readonly ttl: number;
}

/**
 * Plans a domain that uses the policy of another (RFC 8461 §8.2). First comes the policy
 * host with a certificate for its own name. The record, an alias, follows when the policy
 * can be fetched there and names the MX hosts of this domain. From then on one change of
 * the id counts for both domains. `alias`: the name that `_mta-sts` is an alias of now.
 */
export function stepDelegation(
  { domain, to, body, ttl, policyHost }: Delegation,
  alias: string | undefined,
  observed: Pick<
    PolicyObservation,
    'policyHosts' | 'policyHostSynthesised' | 'alias' | 'mx' | 'txt'
  >,
): PartialStep {
  const waitFor = (why: string): PartialStep => ({ steps: [], waits: [{ subject: domain, why }] });
  const target = `_mta-sts.${to}`;
  const blocker = mxWildcardBlocker(domain, observed);
  if (blocker !== undefined) return waitFor(blocker);
  const policy = body === undefined ? undefined : parsePolicy(body);
  if (body === undefined || !policy?.ok) return waitFor(`${to} has no announced policy yet`);
  if (!servesEverywhere(observed, body))
    return preparePolicyHost({ domain, observed, desired: { ttl, policyHost } }, body);
  if (alias === target) return { steps: [], waits: [] };
  if (alias !== undefined)
    return waitFor(`_mta-sts.${domain} is an alias of ${alias}: remove that alias first`);
  const mx = agreedRrset(observed.mx);
  const texts = agreedRrset(observed.txt);
  if (!mx) return waitFor(disagreement(domain, 'MX records', observed.mx).why);
  if (!texts)
    return waitFor(disagreement(`_mta-sts.${domain}`, '_mta-sts record', observed.txt).why);
  if (ownRecords(texts).length > 0)
    return waitFor(
      `_mta-sts.${domain} has records, and an alias cannot exist next to them: remove them first`,
    );
  const outside = mx.records
    .map(hostOf)
    .find((host) => !policy.value.mx.some((pattern) => matchMx(pattern, host)));
  if (outside !== undefined)
    return waitFor(`${outside} receives mail and is not in the policy of ${to}`);
  return {
    steps: [
      {
        action: {
          kind: 'set-rrset',
          name: `_mta-sts.${domain}`,
          type: 'CNAME',
          from: [],
          to: [`${target}.`],
          ttl,
        },
        because: `the policy of ${to} is served for ${domain} and names its hosts`,
        clause: 'RFC 8461 §8.2',
      },
    ],
    waits: [],
  };
}
