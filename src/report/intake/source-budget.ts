import { sourceOf } from '../../base/index.js';

/** What one source may cost in a minute, since anybody may send here (RFC 8460 §7) [8460-7-3]. A source is an IPv4 address or an IPv6 /64, which one host has whole. */
export interface SourceBudget {
  /** False when the source has spent its minute. */
  admits(address: string): boolean;
  spend(address: string, cost: number): void;
}

const minute = 60_000;
const MAX_SOURCES = 20_000;

/** `perMinute` is in reports; what costs more than a good report is charged more. `now` is monotonic, in milliseconds. */
export function sourceBudget(perMinute: number, now: () => number): SourceBudget {
  const spent = new Map<string, { since: number; cost: number }>();
  const stateOf = (address: string): { since: number; cost: number } => {
    const key = sourceOf(address);
    const known = spent.get(key);
    if (known && now() - known.since < minute) return known;
    const fresh = { since: now(), cost: 0 };
    spent.delete(key);
    spent.set(key, fresh);
    // The oldest goes first: a flood of addresses cannot hold memory.
    if (spent.size > MAX_SOURCES) spent.delete(spent.keys().next().value ?? '');
    return fresh;
  };
  return {
    admits: (address) => stateOf(address).cost < perMinute,
    spend(address, cost) {
      stateOf(address).cost += cost;
    },
  };
}
