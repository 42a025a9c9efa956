import type { Step, Wait } from '../actions.js';
import { goalPolicy } from './target-policy.js';
import { moveMx } from './move-mx.js';
import { policyAlerts } from './policy-alerts.js';
import { aliasWritten, setRecord, serve } from './policy-steps.js';
import {
  agreed,
  allExpired,
  announces,
  currentPolicy,
  disagreement,
  heldByWildcard,
  ownRecords,
  readPolicyWorld,
  servesEverywhere,
  settled,
} from './apply-observation.js';
import { removeOwn } from './remove-own.js';
import type {
  AgreedRrset,
  PolicyAction,
  PolicyReading,
  PolicyState,
  PolicyStep,
  DesiredPolicy,
  ServedPolicy,
} from './types.js';

/** A domain nothing is known of yet. */
export function startPolicy(domain: string): PolicyState {
  return { schema: 'hermetic.sts/1', domain, served: [], hosts: [] };
}

/**
 * One step of a domain's MTA-STS: the body at every address of the policy host, then the
 * record (RFC 8461 §8.1), then the MX; and the reverse on the way out (§8.3). A new
 * policy is begun only when the one before is announced and no cache holds an older
 * record. [8461-8.1-1, 8461-8.1-2]
 *
 * The state that is returned must be written down before its steps are carried out; then
 * a crash at any point is harmless.
 */
export function stepPolicy(
  before: PolicyState,
  seen: PolicyReading,
  wish: DesiredPolicy,
): PolicyStep {
  const state = readPolicyWorld(before, seen);
  const goal = goalPolicy(state, seen, wish);
  const rest = { alerts: policyAlerts(state, seen, wish), proposals: goal.proposals };
  const answer = (part: Part, after = state): PolicyStep => ({
    ...rest,
    state: { ...after, ...aliasWritten(part.steps) },
    ...part,
  });
  const current = currentPolicy(state);
  const held = heldByWildcard(state.domain, seen);
  if (held !== undefined) return answer(waiting(state, held));
  const txt = agreed(seen.txt);
  if (!txt) return answer(waiting(state, recordUnknown(state, seen)));
  if (current) {
    const leaving = current.mode === 'none' && goal.policy?.mode === 'none';
    const over =
      leaving && current.announced !== undefined && seen.at >= (allExpired(state) ?? Infinity);
    if (over) return answer(finishRemoval(state, txt, seen, wish));
    if (!servesEverywhere(seen, current.body))
      return answer(serve(state.domain, current, seen, wish));
    if (!announces(txt.records, current.id))
      return answer({
        steps: [
          setRecord(
            state.domain,
            ownRecords(txt),
            current.id,
            wish.ttl,
            'every address of the policy host serves the policy',
            'RFC 8461 §8.1',
          ),
        ],
        waits: goal.waits,
      });
    if (leaving)
      return answer(
        waiting(state, 'senders may hold a policy that was served before', allExpired(state)),
      );
  }
  const { policy } = goal;
  if (!policy && !current && wish.mode === 'none' && state.served.length > 0)
    return answer(removeName(state, seen, wish));
  if (!policy) return answer({ steps: [], waits: goal.waits });
  if (current && policy.id === current.id)
    return answer(moveMx(state, current, seen, wish, goal.waits));
  if (current?.announced && seen.at < settled(current.announced))
    return answer(
      waiting(
        state,
        'caches may hold the record before the present one',
        settled(current.announced),
      ),
    );
  const { mode, maxAge, mx, id, body } = policy;
  const served: ServedPolicy = { id, body, mode, maxAge, mx, first: seen.at };
  return answer(serve(state.domain, served, seen, wish, goal), {
    ...state,
    served: [...state.served, served],
  });
}

interface Part {
  readonly steps: readonly Step<PolicyAction>[];
  readonly waits: readonly Wait[];
}

function waiting({ domain }: PolicyState, why: string, until?: number): Part {
  return {
    steps: [],
    waits: [{ subject: domain, why, ...(until === undefined ? {} : { until }) }],
  };
}

/** Why the record is not known, and what to do where it is an alias (RFC 8461 §8.2). */
function recordUnknown({ domain }: PolicyState, { txt }: PolicyReading): string {
  const name = `_mta-sts.${domain}`;
  const { why, alias } = disagreement(name, '_mta-sts record', txt);
  if (alias === undefined) return why;
  return `${why}, so the policy announced there applies (RFC 8461 §8.2): remove the alias to have ${domain} announce its own policy, or take ${domain} out of publish.domains`;
}

/** RFC 8461 §8.3, step 3: the record goes, then, when no cache holds it, the endpoint. */
function finishRemoval(
  state: PolicyState,
  txt: AgreedRrset,
  seen: PolicyReading,
  wish: DesiredPolicy,
): Part {
  const { domain, unannounced } = state;
  const why = 'every policy ever served has expired in every cache';
  if (!unannounced && txt.synthesised)
    return waiting(state, `a wildcard answers for _mta-sts.${domain} with v=STSv1: remove that`);
  if (!unannounced)
    return {
      steps: [setRecord(domain, txt.records, undefined, wish.ttl, why, 'RFC 8461 §8.3')],
      waits: [],
    };
  const until = settled(unannounced);
  if (seen.at < until) return waiting(state, 'caches may hold the record that was removed', until);
  return {
    steps: [
      {
        action: { kind: 'stop-serving', domain },
        because: `${why}, and no record points to it`,
        clause: 'RFC 8461 §8.3',
      },
    ],
    waits: [],
  };
}

/**
 * The last of all: no sender holds a policy, and none is served that the name could lead
 * to.
 */
function removeName(
  { domain, alias }: PolicyState,
  seen: PolicyReading,
  { ttl }: DesiredPolicy,
): Part {
  const rest = {
    because: 'no sender holds a policy, and none is served under this name',
    clause: 'RFC 8461 §8.3',
  };
  const rdata = (target: string): string => `${target}.`;
  return removeOwn(
    {
      domain,
      name: `mta-sts.${domain}`,
      type: 'CNAME',
      written: alias,
      isKind: () => true,
      rdata,
      ttl,
      ...rest,
    },
    seen.alias,
  );
}
