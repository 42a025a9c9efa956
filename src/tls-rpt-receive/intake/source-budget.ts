import { networkOf, sourceOf } from '../../base/index.js';

/**
 * The work that one source may cause, since any client may send to this receiver (RFC
 * 8460 §7) [8460-7-3]. A source is an IPv4 address or an IPv6 /64, which one host
 * controls.
 */
export interface SourceBudget {
  /** Returns false if the source has used up its share. */
  admits(address: string): boolean;
  spend(address: string, cost: number): void;
}

const minute = 60_000;
const MAX_SOURCES = 20_000;

/**
 * Creates the budget of one source. `perMinute` is a number of reports; input that costs
 * more than a normal report is charged more. `now` is monotonic, in milliseconds.
 */
export function sourceBudget(perMinute: number, now: () => number): SourceBudget {
  return budgetOver({ window: minute, most: perMinute, keyOf: sourceOf }, now);
}

/**
 * Creates the budget of one network (IPv4 /24, IPv6 /48) for unauthenticated input stored
 * in a day.
 */
export function networkBudget(perDay: number, now: () => number): SourceBudget {
  return budgetOver({ window: 1440 * minute, most: perDay, keyOf: networkOf }, now);
}

/**
 * Creates the budget of one reporter for rows with details in a day. A reporter is the
 * organisation that signed the mail: any organisation can sign.
 */
export function reporterBudget(perDay: number, now: () => number): SourceBudget {
  return budgetOver({ window: 1440 * minute, most: perDay, keyOf: (reporter) => reporter }, now);
}

interface Window {
  /** Milliseconds. */
  readonly window: number;
  readonly most: number;
  keyOf(address: string): string;
}

function budgetOver({ window, most, keyOf }: Window, now: () => number): SourceBudget {
  const spent = new Map<string, { since: number; cost: number }>();
  const stateOf = (address: string): { since: number; cost: number } => {
    const peerKey = keyOf(address);
    const known = spent.get(peerKey);
    if (known && now() - known.since < window) return known;
    const fresh = { since: now(), cost: 0 };
    spent.delete(peerKey);
    spent.set(peerKey, fresh);
    // The oldest entry is dropped first, so that a flood of addresses cannot fill memory.
    if (spent.size > MAX_SOURCES) spent.delete(spent.keys().next().value ?? '');
    return fresh;
  };
  return {
    admits: (address) => stateOf(address).cost < most,
    spend(address, cost) {
      stateOf(address).cost += cost;
    },
  };
}
