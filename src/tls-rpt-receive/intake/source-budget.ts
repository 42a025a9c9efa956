import { networkOf, sourceOf } from '../../base/index.js';

/**
 * A limit for the work that each source may cause, since any client may send to this
 * receiver (RFC 8460 §7) [8460-7-3]. A source is an IPv4 address or an IPv6 /64, which
 * one host usually controls.
 */
export interface SourceBudget {
  /**
   * Returns whether a source may still cause work; false if it has used up its budget.
   */
  admits(address: string): boolean;
  spend(address: string, cost: number): void;
}

const minute = 60_000;
const MAX_SOURCES = 20_000;

/**
 * Creates a budget for each source. `perMinute`: the number of normal reports in a
 * minute; larger input costs more. `now`: the milliseconds of a monotonic clock.
 */
export function sourceBudget(perMinute: number, now: () => number): SourceBudget {
  return budgetOver({ window: minute, most: perMinute, keyOf: sourceOf }, now);
}

/**
 * Creates a budget for each network (IPv4 /24, IPv6 /48): the number of its
 * unauthenticated reports that are stored in a day.
 */
export function networkBudget(perDay: number, now: () => number): SourceBudget {
  return budgetOver({ window: 1440 * minute, most: perDay, keyOf: networkOf }, now);
}

/**
 * Creates a budget for each reporter: the number of its detailed rows that are stored in
 * a day. Signed reports also need a limit, because any organisation can sign mail.
 */
export function reporterBudget(perDay: number, now: () => number): SourceBudget {
  return budgetOver({ window: 1440 * minute, most: perDay, keyOf: (reporter) => reporter }, now);
}

interface Window {
  /** The length of the period in milliseconds. */
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
    // The oldest entry is deleted, so that a flood of addresses cannot fill the memory.
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
