import type { Step } from '../actions.js';
import { targetPolicy } from './target-policy.js';
import { moveMx } from './move-mx.js';
import { policyAlerts } from './policy-alerts.js';
import {
  aliasWritten,
  servePolicySteps,
  setStsRecord,
  type PartialStep,
  type PolicyHostContext,
} from './policy-steps.js';
import {
  agreedRrset,
  allExpired,
  announcedTtl,
  applyPolicyObservation,
  cacheExpiry,
  currentPolicy,
  disagreement,
  mxWildcardBlocker,
  ownRecords,
  servesEverywhere,
} from './apply-observation.js';
import { removeOwn } from './remove-own.js';
import type {
  AgreedRrset,
  DesiredPolicy,
  PolicyAction,
  PolicyObservation,
  PolicyState,
  PolicyStep,
  ServedPolicy,
} from './types.js';

/** Returns the state of a domain before its first observation. */
export function startPolicy(domain: string): PolicyState {
  return { schema: 'hermetic.sts/1', domain, served: [], hosts: [] };
}

/**
 * Plans one step of a domain's MTA-STS. The order of a change is: the body at every
 * address of the policy host, then the record (RFC 8461 §8.1), then the MX records. A
 * removal has the reverse order (§8.3). A new policy starts only when the previous one is
 * announced and no cache holds an older record. [8461-8.1-1, 8461-8.1-2]
 *
 * The returned state must be saved before its steps are executed. A crash at any point is
 * then harmless: every action can be repeated. Pure.
 */
export function stepPolicy(
  before: PolicyState,
  observed: PolicyObservation,
  desired: DesiredPolicy,
): PolicyStep {
  const policyState = applyPolicyObservation(before, observed);
  const { domain } = policyState;
  const target = targetPolicy(policyState, observed, desired);
  const alerts = policyAlerts(policyState, observed, desired);
  const stepWith = (part: PartialStep, after = policyState): PolicyStep => ({
    alerts,
    proposals: target.proposals,
    state: { ...after, ...aliasWritten(part.steps) },
    ...part,
  });
  const policyHost: PolicyHostContext = { domain, observed, desired };
  const current = currentPolicy(policyState);
  const blocker = mxWildcardBlocker(domain, observed);
  if (blocker !== undefined) return stepWith(waitFor(policyState, blocker));
  const txt = agreedRrset(observed.txt);
  const unknown = (): PolicyStep =>
    stepWith(waitFor(policyState, recordUnknown(policyState, observed)));
  const isAnnounced = current !== undefined && announcedTtl(observed.txt, current.id) !== undefined;
  if (!txt && !isAnnounced) return unknown();
  if (current) {
    const isRemoval = current.mode === 'none' && target.policy?.mode === 'none';
    const isExpired =
      current.announced !== undefined && observed.at >= (allExpired(policyState) ?? Infinity);
    if (isRemoval && isExpired)
      return txt ? stepWith(finishRemoval(policyState, txt, observed, desired)) : unknown();
    if (!servesEverywhere(observed, current.body))
      return stepWith(servePolicySteps(policyHost, current));
    if (txt && !isAnnounced)
      return stepWith({ steps: [announce(domain, txt, current, desired)], waits: target.waits });
    if (isRemoval)
      return stepWith(
        waitFor(
          policyState,
          'senders may have a policy that was served before',
          allExpired(policyState),
        ),
      );
  }
  const { policy } = target;
  if (!policy) {
    const isRemoved = !current && desired.mode === 'none' && policyState.served.length > 0;
    if (isRemoved) return stepWith(removeName(policyState, observed, desired));
    return stepWith({ steps: [], waits: target.waits });
  }
  if (current && policy.id === current.id)
    return stepWith(moveMx({ state: policyState, current, observed, desired }, target.waits));
  const until = current?.announced && cacheExpiry(current.announced);
  if (until !== undefined && observed.at < until)
    return stepWith(
      waitFor(policyState, 'caches may hold the record before the current one', until),
    );
  const { mode, maxAge, mx, id, body } = policy;
  const served: ServedPolicy = { id, body, mode, maxAge, mx, first: observed.at };
  return stepWith(servePolicySteps(policyHost, served, target), {
    ...policyState,
    served: [...policyState.served, served],
  });
}

function waitFor({ domain }: PolicyState, why: string, until?: number): PartialStep {
  return { steps: [], waits: [{ subject: domain, why, until }] };
}

/**
 * Plans the `_mta-sts` record after the policy body, so that no sender finds an old
 * policy (RFC 8461 §8.1).
 */
function announce(
  domain: string,
  txt: AgreedRrset,
  { id }: ServedPolicy,
  { ttl }: DesiredPolicy,
): Step<PolicyAction> {
  return setStsRecord(
    { domain, texts: ownRecords(txt), id, ttl },
    {
      because: 'every address of the policy host serves the policy',
      clause: 'RFC 8461 §8.1',
    },
  );
}

/**
 * Explains why the record is not known, and the fix for an alias (RFC 8461 §8.2).
 */
function recordUnknown({ domain }: PolicyState, { txt }: PolicyObservation): string {
  const { why, alias } = disagreement(`_mta-sts.${domain}`, '_mta-sts record', txt);
  if (alias === undefined) return why;
  return `${why}, so the policy announced there applies (RFC 8461 §8.2): remove the alias so that ${domain} announces its own policy, or remove ${domain} from publish.domains`;
}

/**
 * Plans the end of a removal: first the record is removed, then the endpoint
 * (RFC 8461 §8.3, step 3).
 */
function finishRemoval(
  policyState: PolicyState,
  txt: AgreedRrset,
  observed: PolicyObservation,
  { ttl }: DesiredPolicy,
): PartialStep {
  const { domain, unannounced } = policyState;
  const because = 'every policy that was served has expired in every cache';
  const clause = 'RFC 8461 §8.3';
  if (!unannounced) {
    if (txt.synthesised)
      return waitFor(
        policyState,
        `a wildcard answers for _mta-sts.${domain} with v=STSv1: remove that wildcard`,
      );
    const { records: texts } = txt;
    const removal = setStsRecord({ domain, texts, id: undefined, ttl }, { because, clause });
    return { steps: [removal], waits: [] };
  }
  const until = cacheExpiry(unannounced);
  if (observed.at < until)
    return waitFor(policyState, 'caches may hold the record that was removed', until);
  return {
    steps: [
      {
        action: { kind: 'stop-serving', domain },
        because: `${because}, and no record announces it`,
        clause,
      },
    ],
    waits: [],
  };
}

/**
 * Removes the name of the policy host as the last step: no sender has a policy, and no
 * policy is served at the name.
 */
function removeName(
  { domain, alias }: PolicyState,
  observed: PolicyObservation,
  { ttl }: DesiredPolicy,
): PartialStep {
  return removeOwn(
    {
      domain,
      name: `mta-sts.${domain}`,
      type: 'CNAME',
      written: alias,
      isKind: () => true,
      rdata: (target) => `${target}.`,
      ttl,
      because: 'no sender has a policy, and no policy is served at this name',
      clause: 'RFC 8461 §8.3',
    },
    observed.alias,
  );
}
