import { formatPolicy, matchMx, type StsPolicy } from '../../mta-sts/index.js';
import { judgePromotion, reportedFailures } from './judge-promotion.js';
import { policyId } from './policy-id.js';
import { currentPolicy } from './read-policy-world.js';
import type { PolicyReading, PolicyState, PolicyWish, Proposal, ServedPolicy } from './types.js';
import type { Wait } from '../actions.js';

/** A day: what a first policy and a last one are kept for. */
const DAY = 86_400;

export interface Goal {
  /** Undefined: nothing is to be served. */
  readonly policy?: StsPolicy & { readonly id: string; readonly body: string };
  readonly because: string;
  readonly clause: string;
  readonly waits: readonly Wait[];
  readonly proposals: readonly Proposal[];
}

/**
 * The policy that should be served now. Modes climb from none over testing to enforce, `max_age` through the ramp, and only on evidence; evidence holds a
 * policy where it is but never takes it back, because whoever sits on the path makes failures at will. Out of enforce leads only a person's word.
 */
export function goalPolicy(state: PolicyState, seen: PolicyReading, wish: PolicyWish): Goal {
  const current = currentPolicy(state);
  const mx = goalMx(state, current, wish);
  const first = wish.maxAges[0] ?? DAY;
  const of = (policy: StsPolicy, because: string, clause: string, rest: Partial<Pick<Goal, 'waits' | 'proposals'>> = {}): Goal => {
    const body = formatPolicy(policy);
    return { policy: { ...policy, body, id: policyId(body) }, because, clause, waits: [], proposals: [], ...rest };
  };
  if (!current || current.mode === 'none') {
    if (wish.mode !== 'none')
      return of({ mode: 'testing', maxAge: first, mx }, 'a policy in testing mode holds no mail back', 'RFC 8461 §5');
    if (!current) return { because: 'no policy is wanted and none is served', clause: '', waits: [], proposals: [] };
    return of(current, '', '');
  }
  const keep = (because: string, rest: Partial<Pick<Goal, 'waits' | 'proposals'>> = {}): Goal =>
    of({ mode: current.mode, maxAge: current.maxAge, mx }, because, 'RFC 8461 §8.1', rest);
  const moved = 'every MX host that senders may know is in it';
  if (wish.mode !== current.mode && (current.mode === 'enforce' || wish.mode === 'none')) {
    const token = `leave-${current.mode}:${state.domain}:${current.id.slice(0, 8)}`;
    const what = wish.mode === 'none' ? `remove MTA-STS of ${state.domain}` : `take ${state.domain} out of enforce`;
    const why = 'from then on whoever sits on the path can read its mail again; where something is broken, repair that first';
    if (current.mode === 'enforce' && !wish.confirmed.includes(token))
      return keep(moved, { proposals: [{ token, subject: state.domain, what, why }] });
    return wish.mode === 'none'
      ? of({ mode: 'none', maxAge: DAY, mx: [] }, 'mode none tells senders that the removal is meant', 'RFC 8461 §8.3')
      : of({ mode: 'testing', maxAge: first, mx }, 'a person confirmed it', 'RFC 8461 §5');
  }
  const inForce = current.announced ? seen.at - current.announced.at : 0;
  if (wish.mode === 'enforce' && current.mode === 'testing') {
    const token = `enforce:${state.domain}:${current.id.slice(0, 8)}`;
    const { holds, until, byPerson } = judgePromotion(state, seen, wish, mx, inForce);
    if (holds.length === 0 || (byPerson && wish.confirmed.includes(token)))
      return of(
        { mode: 'enforce', maxAge: first, mx },
        holds.length === 0 ? 'every address of every MX host passes and signed reports show no failure' : 'a person confirmed it',
        'RFC 8461 §5',
      );
    const waits = holds.map((why) => ({ subject: state.domain, why, ...(until === undefined ? {} : { until }) }));
    const what = `enforce the policy of ${state.domain} without the missing reports`;
    return keep(moved, { waits, proposals: byPerson ? [{ token, subject: state.domain, what, why: holds.join('; ') }] : [] });
  }
  const next = wish.maxAges.find((age) => age > current.maxAge);
  if (current.mode !== 'enforce' || next === undefined) return keep(moved);
  const due = (current.announced?.at ?? seen.at) + current.maxAge * 1000;
  if (seen.at < due || !current.announced)
    return keep(moved, {
      waits: [{ subject: state.domain, why: `max_age rises to ${next} s`, ...(current.announced ? { until: due } : {}) }],
    });
  const failing = [...probedFailures(seen), ...reportedFailures(seen, wish)];
  if (failing.length > 0) return keep(moved, { waits: failing.map((why) => ({ subject: state.domain, why: `max_age stays: ${why}` })) });
  return of({ mode: 'enforce', maxAge: next, mx }, `it has held for its max_age of ${current.maxAge} s`, 'RFC 8461 §3.2');
}

/** What our own probe found wrong with the MX hosts. */
function probedFailures({ hosts }: PolicyReading): readonly string[] {
  return hosts.flatMap(({ host, addresses }) =>
    addresses.filter((a) => a.verdict === 'fail').map((a) => `${host} [${a.address}] ${a.why}`),
  );
}

/**
 * The hosts a policy names: those wanted, and those of the policy before for as long as a sender may still have them from its cache (RFC 8461 §8.1). A host that
 * DNS shows and nobody asked for is never taken in: the answer may be forged.
 */
function goalMx({ hosts }: PolicyState, current: ServedPolicy | undefined, wish: PolicyWish): readonly string[] {
  const wanted = wish.mx.map((host) => host.toLowerCase());
  const leaving = hosts
    .map(({ host }) => host)
    .filter((host) => !wanted.includes(host) && current?.mx.some((pattern) => matchMx(pattern, host)));
  return [...new Set([...wanted, ...leaving])].sort();
}
