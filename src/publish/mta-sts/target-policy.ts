import { formatPolicy, matchMx, type StsPolicy } from '../../mta-sts/index.js';
import type { Wait } from '../actions.js';
import { judgePromotion, probeFailures, reportedFailures } from './judge-promotion.js';
import { policyId } from '../records/policy-id.js';
import { agreedRrset, currentPolicy, isStsRecord } from './apply-observation.js';
import type {
  DesiredPolicy,
  PolicyContext,
  PolicyObservation,
  PolicyState,
  Proposal,
  ServedPolicy,
} from './types.js';

/** A day in seconds: the `max_age` of the first policy and of the last policy. */
const DAY = 86_400;

/** The policy that should be served now, with the reason. */
export interface TargetPolicy {
  /** The policy to serve; undefined if no policy should be served. */
  readonly policy?: StsPolicy & { readonly id: string; readonly body: string };
  readonly because: string;
  readonly clause: string;
  readonly waits: readonly Wait[];
  readonly proposals: readonly Proposal[];
}

type Remarks = Partial<Pick<TargetPolicy, 'waits' | 'proposals'>>;

/**
 * Returns the policy that should be served now. The mode rises from none through testing
 * to enforce, `max_age` rises through the configured values, and both need evidence.
 * Missing evidence prevents a rise but never lowers a policy, because an on-path attacker
 * can cause failures at will. Only the operator may end `enforce`. Pure.
 */
export function targetPolicy(
  policyState: PolicyState,
  observed: PolicyObservation,
  desired: DesiredPolicy,
): TargetPolicy {
  const current = currentPolicy(policyState);
  const exchangers = targetMx(policyState, current, desired);
  if (!current || (current.mode === 'none' && desired.mode !== 'none'))
    return unfetchablePolicy(policyState, observed, desired) ?? startTesting(desired, exchangers);
  const context: PolicyContext = { state: policyState, observed, desired, current, mx: exchangers };
  if (current.mode === 'none') return withBody(current, '', '');
  const isLowered = current.mode === 'enforce' && desired.mode === 'testing';
  if (desired.mode === 'none' || isLowered) return retire(context);
  if (current.mode === 'enforce') return raiseMaxAge(context);
  return desired.mode === 'enforce' ? promote(context) : keepPolicy(context);
}

/**
 * Handles a record whose policy cannot be fetched: senders may have cached that policy as
 * enforced, and a policy in testing mode would replace it. The operator has to decide.
 */
function unfetchablePolicy(
  { domain: domainName, served }: PolicyState,
  { txt }: PolicyObservation,
  { mode, confirmed }: DesiredPolicy,
): TargetPolicy | undefined {
  const record = agreedRrset(txt)?.records.find(isStsRecord);
  if (served.length > 0 || record === undefined || mode === 'none') return undefined;
  const token = `begin:${domainName}:${policyId(record).slice(0, 8)}-0`;
  if (confirmed.includes(token)) return undefined;
  const why =
    'a record announces a policy that cannot be fetched, and senders may have cached it as enforced';
  const effect = `start again with a policy of ${domainName} in testing mode`;
  return {
    because: '',
    clause: '',
    waits: [{ subject: domainName, why }],
    proposals: [{ token, subject: domainName, what: effect, why }],
  };
}

function startTesting({ mode, maxAges }: DesiredPolicy, mx: readonly string[]): TargetPolicy {
  if (mode === 'none')
    return {
      because: 'the configuration requests no policy, and no policy is served',
      clause: '',
      waits: [],
      proposals: [],
    };
  return withBody(
    { mode: 'testing', maxAge: maxAges[0] ?? DAY, mx },
    'a policy in testing mode defers no mail',
    'RFC 8461 §5',
  );
}

/** Lowers a policy. Ending `enforce` needs a confirmation; ending `testing` does not. */
function retire(context: PolicyContext): TargetPolicy {
  const { state, desired, current, mx } = context;
  const { domain } = state;
  const token = tokenFor(`leave-${current.mode}`, context);
  if (current.mode === 'enforce' && !desired.confirmed.includes(token)) {
    const effect =
      desired.mode === 'none' ? `remove MTA-STS of ${domain}` : `end mode enforce of ${domain}`;
    const why =
      'from then on an on-path attacker can read its mail again; if delivery fails, repair the server instead';
    return keepPolicy(context, { proposals: [{ token, subject: domain, what: effect, why }] });
  }
  if (desired.mode === 'none')
    return withBody(
      { mode: 'none', maxAge: DAY, mx: [] },
      'mode none shows senders that the removal is intended',
      'RFC 8461 §8.3',
    );
  return withBody(
    { mode: 'testing', maxAge: desired.maxAges[0] ?? DAY, mx },
    'the operator confirmed it',
    'RFC 8461 §5',
  );
}

/** Enforces a policy in testing when the evidence or the operator allows it. */
function promote(context: PolicyContext): TargetPolicy {
  const { state, desired, mx } = context;
  const { domain } = state;
  const enforced: StsPolicy = { mode: 'enforce', maxAge: desired.maxAges[0] ?? DAY, mx };
  const { blockers, until, confirmable } = judgePromotion(context, announcedMs(context));
  if (blockers.length === 0)
    return withBody(
      enforced,
      'every address of every MX host passes and signed reports show no failure',
      'RFC 8461 §5',
    );
  const token = tokenFor('enforce', context);
  if (confirmable && desired.confirmed.includes(token))
    return withBody(enforced, 'the operator confirmed it, and every address passes', 'RFC 8461 §5');
  const effect = `enforce the policy of ${domain} now`;
  const proposal = { token, subject: domain, what: effect, why: blockers.join('; ') };
  return keepPolicy(context, {
    waits: blockers.map((why) => ({ subject: domain, why, until })),
    proposals: confirmable ? [proposal] : [],
  });
}

/**
 * Raises `max_age` of an enforced policy once it was enforced for its present `max_age`.
 * A long `max_age` extends the protection against an attacker who blocks the policy (RFC
 * 8461 §10.2), but also the effect of a mistake.
 */
function raiseMaxAge(context: PolicyContext): TargetPolicy {
  const { state, observed, desired, current, mx } = context;
  const next = desired.maxAges.find((age) => age > current.maxAge);
  if (next === undefined) return keepPolicy(context);
  const waitFor = (why: string, until?: number): Wait => ({ subject: state.domain, why, until });
  const due = current.announced && current.announced.at + current.maxAge * 1000;
  if (due === undefined || observed.at < due)
    return keepPolicy(context, { waits: [waitFor(`max_age rises to ${next} s`, due)] });
  const failures = [...probeFailures(observed), ...reportedFailures(observed, desired)];
  if (failures.length > 0)
    return keepPolicy(context, {
      waits: failures.map((reason) => waitFor(`max_age stays: ${reason}`)),
    });
  return withBody(
    { mode: 'enforce', maxAge: next, mx },
    `it was enforced for its max_age of ${current.maxAge} s`,
    'RFC 8461 §3.2',
  );
}

function keepPolicy(
  { current: { mode, maxAge }, mx }: PolicyContext,
  remarks: Remarks = {},
): TargetPolicy {
  const because = 'it names every MX host that senders may know';
  return { ...withBody({ mode, maxAge, mx }, because, 'RFC 8461 §8.1'), ...remarks };
}

function withBody(stsPolicy: StsPolicy, because: string, clause: string): TargetPolicy {
  const bodyText = formatPolicy(stsPolicy);
  return {
    policy: { ...stsPolicy, body: bodyText, id: policyId(bodyText) },
    because,
    clause,
    waits: [],
    proposals: [],
  };
}

function announcedMs({ observed, current }: PolicyContext): number {
  return current.announced ? observed.at - current.announced.at : 0;
}

/**
 * Returns the token of a confirmation. The token contains the policy and the number of
 * earlier policies, so that a confirmation is valid neither for another policy nor for
 * the same policy later.
 */
function tokenFor(change: string, { state, current }: PolicyContext): string {
  return `${change}:${state.domain}:${current.id.slice(0, 8)}-${state.served.length}`;
}

/**
 * Returns the hosts that a policy names: the configured ones, and those of the previous
 * policy for as long as a cache may hold their MX record (RFC 8461 §8.1). A host that
 * only the DNS names is never added: the answer may be forged.
 */
function targetMx(
  { hosts }: PolicyState,
  current: ServedPolicy | undefined,
  desired: DesiredPolicy,
): readonly string[] {
  const wanted = desired.mx.map((hostName) => hostName.toLowerCase());
  const cached = hosts
    .map(({ host }) => host)
    .filter(
      (hostName) =>
        !wanted.includes(hostName) && current?.mx.some((pattern) => matchMx(pattern, hostName)),
    );
  return [...new Set([...wanted, ...cached])].sort();
}
