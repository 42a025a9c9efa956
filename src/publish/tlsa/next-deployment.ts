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
 * Returns deployments that were ordered and are not confirmed at every address. A
 * repeated deployment is harmless. A deployment that the operator started by other means
 * is not continued while a cached RRset does not match its key.
 */
export function pendingDeployments({
  host,
  slots,
  alive: cached,
}: TlsaRolloverState): readonly Step<RolloverAction>[] {
  const deployable = Object.values(slots).flatMap(({ next, deploying }: KeySlot) =>
    next && deploying && cached.every((cachedRrset) => covers(cachedRrset, next))
      ? [next.name]
      : [],
  );
  return deployable.map((identity) => ({
    action: { kind: 'deploy', host, key: identity },
    because: `every RRset that a cache may hold matches ${identity}`,
    clause: 'RFC 7671 §8.1',
  }));
}

/**
 * Plans the next deployment once the records are correct. The steps create the next key
 * and its certificate in advance. The plan deploys one key at a time, and only when no
 * cache holds an RRset that does not match it.
 */
export function nextDeployment(
  tlsaRolloverState: TlsaRolloverState,
  { ring }: RolloverObservation,
  desired: DesiredRollover,
): Omit<RolloverStep, 'alerts'> {
  const { host } = tlsaRolloverState;
  if (Object.values(tlsaRolloverState.slots).some(({ deploying }: KeySlot) => deploying))
    return {
      state: tlsaRolloverState,
      steps: pendingDeployments(tlsaRolloverState),
      waits: [{ subject: host, why: 'not every address shows the new key yet' }],
    };
  const steps: Step<RolloverAction>[] = [];
  const waits: Wait[] = [];
  for (const keyType of desired.types) {
    const keySlot: KeySlot = tlsaRolloverState.slots[keyType] ?? { made: 0 };
    const { current, next } = keySlot;
    if (!next) {
      if (desired.external) continue;
      const key = `${keyType}-${keySlot.made + 1}`;
      steps.push({
        action: { kind: 'make-key', host, key, type: keyType },
        because: 'the next key is created before its use',
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
    const wait = waitForCaches(tlsaRolloverState, next);
    if (wait) {
      waits.push(wait);
      continue;
    }
    const deploying: TlsaRolloverState = {
      ...tlsaRolloverState,
      slots: { ...tlsaRolloverState.slots, [keyType]: { ...keySlot, deploying: true } },
    };
    return { state: deploying, steps: [...steps, ...pendingDeployments(deploying)], waits };
  }
  return { state: tlsaRolloverState, steps, waits };
}

/** Returns the wait for cached RRsets that do not match the key, if there are any. */
function waitForCaches(
  { host, alive: cached }: TlsaRolloverState,
  serverKey: ServerKey,
): Wait | undefined {
  const uncovered = cached.filter((cachedRrset) => !covers(cachedRrset, serverKey));
  if (uncovered.length === 0) return undefined;
  const ends = uncovered.map(cacheEnd).filter((end) => end !== undefined);
  // While a server still serves such an RRset, the end of the wait is unknown.
  const until = ends.length === uncovered.length ? Math.max(...ends) : undefined;
  return {
    subject: host,
    why: `caches may hold records that do not match ${serverKey.name}`,
    until,
  };
}
