import type { Step, Wait } from '../actions.js';
import { endOf } from './apply-observation.js';
import { covers } from './rrset.js';
import type {
  KeySlot,
  RolloverAction,
  RolloverReading,
  RolloverState,
  RolloverStep,
  DesiredRollover,
  ServerKey,
} from './types.js';

/**
 * Deployments that were ordered and not yet seen at every address. Ordering them again
 * changes nothing; one that somebody else began is not pushed on.
 */
export function pendingDeployments({
  host,
  slots,
  alive,
}: RolloverState): readonly Step<RolloverAction>[] {
  return Object.values(slots).flatMap(({ next, deploying }: KeySlot) =>
    next && deploying && alive.every((rrset) => covers(rrset, next))
      ? [
          {
            action: { kind: 'deploy', host, key: next.name },
            because: `every RRset that a cache may hold matches ${next.name}`,
            clause: 'RFC 7671 §8.1',
          },
        ]
      : [],
  );
}

/**
 * With the records in order: the next key and its certificate are made ahead, and one key
 * is deployed once no cache holds an RRset without it.
 */
export function nextDeployment(
  state: RolloverState,
  { ring }: RolloverReading,
  wish: DesiredRollover,
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
  for (const type of wish.types) {
    const slot: KeySlot = state.slots[type] ?? { made: 0 };
    const { current, next } = slot;
    if (!next && wish.brought) continue;
    if (!next) {
      const key = `${type}-${slot.made + 1}`;
      steps.push({
        action: { kind: 'make-key', host, key, type },
        because: 'the next key is made ahead of its use',
        clause: 'RFC 7671 §8.1',
      });
    } else if (current && !wish.leave.includes(current.sha256)) continue;
    else if (!ring.some(({ name, certified }) => certified && name === next.name))
      steps.push({
        action: { kind: 'certify', host, key: next.name },
        because: 'a certificate at hand changes nothing yet',
        clause: 'RFC 8555 §7.4',
      });
    else {
      const wait = cachesWithout(state, next);
      if (wait) waits.push(wait);
      else {
        const deploying: RolloverState = {
          ...state,
          slots: { ...state.slots, [type]: { ...slot, deploying: true } },
        };
        return { state: deploying, steps: [...steps, ...pendingDeployments(deploying)], waits };
      }
    }
  }
  return { state, steps, waits };
}

function cachesWithout({ host, alive }: RolloverState, key: ServerKey): Wait | undefined {
  const without = alive.filter((rrset) => !covers(rrset, key));
  if (without.length === 0) return undefined;
  const ends = without.map(endOf).filter((end) => end !== undefined);
  const until = ends.length === without.length ? { until: Math.max(...ends) } : {};
  return {
    subject: host,
    why: `caches may hold records that ${key.name} does not match`,
    ...until,
  };
}
