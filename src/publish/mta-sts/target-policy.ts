import { formatPolicy, matchMx, type StsPolicy } from '../../mta-sts/index.js';
import type { Wait } from '../actions.js';
import { judgePromotion, probedTroubles, reportedFailures } from './judge-promotion.js';
import { policyId } from '../records/policy-id.js';
import { agreed, currentPolicy, isStsRecord } from './apply-observation.js';
import type { PolicyReading, PolicyState, DesiredPolicy, Proposal, ServedPolicy } from './types.js';

/** A day: what a first policy and a last one are kept for. */
const DAY = 86_400;

export interface TargetPolicy {
  /** Undefined: nothing is to be served. */
  readonly policy?: StsPolicy & { readonly id: string; readonly body: string };
  readonly because: string;
  readonly clause: string;
  readonly waits: readonly Wait[];
  readonly proposals: readonly Proposal[];
}

/** What the choice of a policy rests on. */
interface PolicyContext {
  readonly state: PolicyState;
  readonly seen: PolicyReading;
  readonly wish: DesiredPolicy;
  readonly current: ServedPolicy;
  /** Hosts it has to name. */
  readonly mx: readonly string[];
}

/**
 * The policy that should be served now. Modes climb from none over testing to enforce,
 * `max_age` through the ramp, and only on evidence; evidence holds a policy where it is
 * but never takes it back, because whoever sits on the path makes failures at will. Out
 * of enforce leads only a person's word.
 */
export function goalPolicy(
  state: PolicyState,
  seen: PolicyReading,
  wish: DesiredPolicy,
): TargetPolicy {
  const current = currentPolicy(state);
  const mx = goalMx(state, current, wish);
  if (!current || (current.mode === 'none' && wish.mode !== 'none'))
    return unknownPast(state, seen, wish) ?? enter(wish, mx);
  const scene: PolicyContext = { state, seen, wish, current, mx };
  if (current.mode === 'none') return target(current, '', '');
  if (wish.mode === 'none' || (current.mode === 'enforce' && wish.mode === 'testing'))
    return retire(scene);
  if (current.mode === 'enforce') return climb(scene);
  return wish.mode === 'enforce' ? promote(scene) : keep(scene);
}

/**
 * A record stands, and its policy cannot be had: what senders keep may be enforced, and
 * beginning with testing would take it from them.
 */
function unknownPast(
  { domain, served }: PolicyState,
  { txt }: PolicyReading,
  { mode, confirmed }: DesiredPolicy,
): TargetPolicy | undefined {
  const record = agreed(txt)?.records.find(isStsRecord);
  if (served.length > 0 || record === undefined || mode === 'none') return undefined;
  const token = `begin:${domain}:${policyId(record).slice(0, 8)}-0`;
  if (confirmed.includes(token)) return undefined;
  const why =
    'a record announces a policy that cannot be fetched, and senders may keep it as enforced';
  const what = `begin anew with a policy of ${domain} in testing mode`;
  return {
    because: '',
    clause: '',
    waits: [{ subject: domain, why }],
    proposals: [{ token, subject: domain, what, why }],
  };
}

function enter({ mode, maxAges }: DesiredPolicy, mx: readonly string[]): TargetPolicy {
  if (mode === 'none')
    return {
      because: 'no policy is wanted and none is served',
      clause: '',
      waits: [],
      proposals: [],
    };
  return target(
    { mode: 'testing', maxAge: maxAges[0] ?? DAY, mx },
    'a policy in testing mode holds no mail back',
    'RFC 8461 §5',
  );
}

function retire(scene: PolicyContext): TargetPolicy {
  const { state, wish, current, mx } = scene;
  const token = tokenFor(`leave-${current.mode}`, scene);
  if (current.mode === 'enforce' && !wish.confirmed.includes(token)) {
    const what =
      wish.mode === 'none'
        ? `remove MTA-STS of ${state.domain}`
        : `take ${state.domain} out of enforce`;
    const why =
      'from then on whoever sits on the path can read its mail again; where something is broken, repair that first';
    return keep(scene, { proposals: [{ token, subject: state.domain, what, why }] });
  }
  return wish.mode === 'none'
    ? target(
        { mode: 'none', maxAge: DAY, mx: [] },
        'mode none tells senders that the removal is meant',
        'RFC 8461 §8.3',
      )
    : target(
        { mode: 'testing', maxAge: wish.maxAges[0] ?? DAY, mx },
        'a person confirmed it',
        'RFC 8461 §5',
      );
}

function promote(scene: PolicyContext): TargetPolicy {
  const { state, seen, wish, mx } = scene;
  const enforced: StsPolicy = { mode: 'enforce', maxAge: wish.maxAges[0] ?? DAY, mx };
  const { holds, until, byPerson } = judgePromotion(state, seen, wish, mx, inForce(scene));
  if (holds.length === 0)
    return target(
      enforced,
      'every address of every MX host passes and signed reports show no failure',
      'RFC 8461 §5',
    );
  const token = tokenFor('enforce', scene);
  if (byPerson && wish.confirmed.includes(token))
    return target(enforced, 'a person confirmed it, and every address passes', 'RFC 8461 §5');
  const what = `enforce the policy of ${state.domain} without waiting for that`;
  return keep(scene, {
    waits: holds.map((why) => ({
      subject: state.domain,
      why,
      ...(until === undefined ? {} : { until }),
    })),
    proposals: byPerson ? [{ token, subject: state.domain, what, why: holds.join('; ') }] : [],
  });
}

/** An enforced policy is kept longer once it has held for as long as it was kept. */
function climb(scene: PolicyContext): TargetPolicy {
  const { state, seen, wish, current, mx } = scene;
  const next = wish.maxAges.find((age) => age > current.maxAge);
  if (next === undefined) return keep(scene);
  const wait = (why: string, until?: number): Wait => ({
    subject: state.domain,
    why,
    ...(until === undefined ? {} : { until }),
  });
  const due = current.announced && current.announced.at + current.maxAge * 1000;
  if (due === undefined || seen.at < due)
    return keep(scene, { waits: [wait(`max_age rises to ${next} s`, due)] });
  const troubles = [...probedTroubles(seen), ...reportedFailures(seen, wish)];
  if (troubles.length > 0)
    return keep(scene, { waits: troubles.map((why) => wait(`max_age stays: ${why}`)) });
  return target(
    { mode: 'enforce', maxAge: next, mx },
    `it has held for its max_age of ${current.maxAge} s`,
    'RFC 8461 §3.2',
  );
}

function keep(
  { current: { mode, maxAge }, mx }: PolicyContext,
  rest: Partial<Pick<TargetPolicy, 'waits' | 'proposals'>> = {},
): TargetPolicy {
  return target(
    { mode, maxAge, mx },
    'every MX host that senders may know is in it',
    'RFC 8461 §8.1',
    rest,
  );
}

function target(
  policy: StsPolicy,
  because: string,
  clause: string,
  rest: Partial<Pick<TargetPolicy, 'waits' | 'proposals'>> = {},
): TargetPolicy {
  const body = formatPolicy(policy);
  return {
    policy: { ...policy, body, id: policyId(body) },
    because,
    clause,
    waits: [],
    proposals: [],
    ...rest,
  };
}

function inForce({ seen, current }: PolicyContext): number {
  return current.announced ? seen.at - current.announced.at : 0;
}

/**
 * Names the policy, and which time it is served: what a person said of it does not hold
 * for another one, nor for the same one later.
 */
function tokenFor(what: string, { state, current }: PolicyContext): string {
  return `${what}:${state.domain}:${current.id.slice(0, 8)}-${state.served.length}`;
}

/**
 * The hosts a policy names: those wanted, and those of the policy before for as long as a
 * sender may still have them from its cache (RFC 8461 §8.1). A host that DNS shows and
 * nobody asked for is never taken in: the answer may be forged.
 */
function goalMx(
  { hosts }: PolicyState,
  current: ServedPolicy | undefined,
  wish: DesiredPolicy,
): readonly string[] {
  const wanted = wish.mx.map((host) => host.toLowerCase());
  const leaving = hosts
    .map(({ host }) => host)
    .filter(
      (host) => !wanted.includes(host) && current?.mx.some((pattern) => matchMx(pattern, host)),
    );
  return [...new Set([...wanted, ...leaving])].sort();
}
