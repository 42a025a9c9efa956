import type { Step, Wait } from '../actions.js';
import { cacheEnd } from './apply-observation.js';
import { covers } from './rrset.js';
import type {
  KeySlot,
  RolloverAction,
  RolloverObservation,
  TlsaRolloverState,
  RolloverStep,
  DesiredRollover,
  ServerKey,
} from './types.js';

/**
 * Returns deployments that were ordered and are not confirmed at every address. Repeating
 * them changes nothing. A deployment that the operator started by other means is not
 * continued while a cached RRset does not match its key.
 */
export function pendingDeployments({
  host,
  slots,
  alive: cached,
}: TlsaRolloverState): readonly Step<RolloverAction>[] {
  const deployable = Object.values(slots).flatMap(({ next, deploying }: KeySlot) =>
    next && deploying && cached.every((rrset) => covers(rrset, next)) ? [next.name] : [],
  );
  return deployable.map((key) => ({
    action: { kind: 'deploy', host, key },
    because: `every RRset that a cache may hold matches ${key}`,
    clause: 'RFC 7671 §8.1',
  }));
}

/**
 * Plans the next deployment once the records are in order. The next key and its
 * certificate are made in advance. One key at a time is deployed, and only when no cache
 * holds an RRset that does not match it.
 */
export function nextDeployment(
  state: TlsaRolloverState,
  { ring }: RolloverObservation,
  desired: DesiredRollover,
): Omit<RolloverStep, 'alerts'> {
  const { host } = state;
  if (Object.values(state.slots).some(({ deploying }: KeySlot) => deploying))
    return {
      state,
      steps: pendingDeployments(state),
      waits: [{ subject: host, why: 'not every address shows the new key yet' }],
    };
  const steps: Step<RolloverAction>[] = [];
  const waits: Wait[] = [];
  for (const type of desired.types) {
    const slot: KeySlot = state.slots[type] ?? { made: 0 };
    const { current, next } = slot;
    if (!next) {
      if (desired.external) continue;
      const key = `${type}-${slot.made + 1}`;
      steps.push({
        action: { kind: 'make-key', host, key, type },
        because: 'the next key is made before it is used',
        clause: 'RFC 7671 §8.1',
      });
      continue;
    }
    if (current && !desired.retire.includes(current.sha256)) continue;
    if (!ring.some(({ name, certified }) => certified && name === next.name)) {
      steps.push({
        action: { kind: 'certify', host, key: next.name },
        because: 'a certificate in the key ring changes nothing on the server',
        clause: 'RFC 8555 §7.4',
      });
      continue;
    }
    const wait = waitForCaches(state, next);
    if (wait) {
      waits.push(wait);
      continue;
    }
    const deploying: TlsaRolloverState = {
      ...state,
      slots: { ...state.slots, [type]: { ...slot, deploying: true } },
    };
    return { state: deploying, steps: [...steps, ...pendingDeployments(deploying)], waits };
  }
  return { state, steps, waits };
}

/** Returns the wait for cached RRsets that do not match the key, if there are any. */
function waitForCaches(
  { host, alive: cached }: TlsaRolloverState,
  key: ServerKey,
): Wait | undefined {
  const uncovered = cached.filter((rrset) => !covers(rrset, key));
  if (uncovered.length === 0) return undefined;
  const ends = uncovered.map(cacheEnd).filter((end) => end !== undefined);
  // An RRset that is still served has no end yet, so the end of the wait is not known.
  const until = ends.length === uncovered.length ? Math.max(...ends) : undefined;
  return {
    subject: host,
    why: `caches may hold records that do not match ${key.name}`,
    until,
  };
}
