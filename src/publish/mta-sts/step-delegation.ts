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
  /** The domain whose record and policy `domain` uses. */
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
 * the id applies to both domains. `alias`: the name that `_mta-sts` is an alias of now.
 */
export function stepDelegation(
  { domain: domainName, to, body: bodyText, ttl, policyHost }: Delegation,
  aliasName: string | undefined,
  observed: Pick<
    PolicyObservation,
    'policyHosts' | 'policyHostSynthesised' | 'alias' | 'mx' | 'txt'
  >,
): PartialStep {
  const waitFor = (why: string): PartialStep => ({
    steps: [],
    waits: [{ subject: domainName, why }],
  });
  const target = `_mta-sts.${to}`;
  const blocker = mxWildcardBlocker(domainName, observed);
  if (blocker !== undefined) return waitFor(blocker);
  const policy = bodyText === undefined ? undefined : parsePolicy(bodyText);
  if (bodyText === undefined || !policy?.ok) return waitFor(`${to} has no announced policy yet`);
  if (!servesEverywhere(observed, bodyText))
    return preparePolicyHost(
      { domain: domainName, observed, desired: { ttl, policyHost } },
      bodyText,
    );
  if (aliasName === target) return { steps: [], waits: [] };
  if (aliasName !== undefined)
    return waitFor(`_mta-sts.${domainName} is an alias of ${aliasName}: remove that alias first`);
  const mx = agreedRrset(observed.mx);
  const texts = agreedRrset(observed.txt);
  if (!mx) return waitFor(disagreement(domainName, 'MX records', observed.mx).why);
  if (!texts)
    return waitFor(disagreement(`_mta-sts.${domainName}`, '_mta-sts record', observed.txt).why);
  if (ownRecords(texts).length > 0)
    return waitFor(
      `_mta-sts.${domainName} has records, and an alias cannot exist next to them: remove them first`,
    );
  const outside = mx.records
    .map(hostOf)
    .find((hostName) => !policy.value.mx.some((pattern) => matchMx(pattern, hostName)));
  if (outside !== undefined)
    return waitFor(`${outside} receives mail and is not in the policy of ${to}`);
  return {
    steps: [
      {
        action: {
          kind: 'set-rrset',
          name: `_mta-sts.${domainName}`,
          type: 'CNAME',
          from: [],
          to: [`${target}.`],
          ttl,
        },
        because: `the policy of ${to} is served for ${domainName} and names its hosts`,
        clause: 'RFC 8461 §8.2',
      },
    ],
    waits: [],
  };
}
