import { BoundedMap } from '../../base/index.js';
import type { AddressEvidence } from '../../evidence/index.js';
import { optedOut, type ConnectionBudget, type ProbeLimiter } from './connection-limiter.js';
import type { OptOut } from './opt-out.js';

/** Limits on the connections of a service that checks domains for strangers. */
export interface VisitLimits {
  /** TCP connections of one visit to an address. */
  readonly perVisit: number;
  /** TCP connections to one address in 24 hours. */
  readonly perDay: number;
  /** Milliseconds for which the result of a visit serves other checks. */
  readonly reuseMs: number;
  /** Hosts and addresses that are never contacted. */
  readonly optOut?: OptOut | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** The particulars of one check. */
export interface VisitOptions {
  /**
   * Visits again although an earlier result would serve: the operator of the domain has
   * changed something. The daily budget applies.
   */
  readonly fresh: boolean;
  /** Asks, for example by DNS, whether the operator of a host refuses checks. */
  refuses?(hostName: string): Promise<boolean>;
}

const DAY = 86_400_000;
/** Maximum number of remembered addresses: more than a service reaches in a day. */
const MAX_ADDRESSES = 50_000;
/** Results that are cached for reuse. */
const MAX_RESULTS = 5000;

interface Spent {
  readonly since: number;
  connections: number;
}

interface Known {
  readonly at: number;
  readonly result: Promise<AddressEvidence>;
}

/**
 * Limits the load on mail servers over the life of a service. A visitor chooses the
 * domain, and the domain's owner chooses the MX host, so the operator of a mail server has
 * chosen neither. Therefore all checks together keep to one open connection for each
 * address, to a daily budget, and to one visit in a while: a further domain at the same
 * host gets the evidence of that visit.
 */
export class AddressVisits {
  readonly #results = new BoundedMap<Known>(MAX_RESULTS);
  readonly #spent = new BoundedMap<Spent>(MAX_ADDRESSES);
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(private readonly limits: VisitLimits) {}

  /** Connections opened to an address in the last 24 hours. */
  connectionsTo(address: string): number {
    return this.#spentAt(address).connections;
  }

  /** Returns the limiter of one check. */
  limiter({ fresh, refuses }: VisitOptions): ProbeLimiter {
    const own = new Set<string>();
    return {
      run: async (hostName, address, probe) => {
        const { limits } = this;
        if (limits.optOut?.(hostName, address) || (await refuses?.(hostName)))
          return optedOut(address);
        const identity = `${hostName} ${address}`;
        const known = this.#results.get(identity);
        const serves = known && limits.now() - known.at < limits.reuseMs;
        if (serves && (!fresh || own.has(identity))) {
          // The check that began the visit may have been stopped; then this one visits.
          const earlier = await known.result.catch(() => undefined);
          if (earlier) return earlier;
        }
        own.add(identity);
        return this.#visit(identity, address, probe);
      },
    };
  }

  /** Visits an address after all earlier visits to it. Failed visits are not reused. */
  #visit(
    identity: string,
    address: string,
    probe: (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    const previous = this.#busy.get(address);
    const result = (async () => {
      await previous?.catch(() => undefined);
      const connectionBudget = this.#budgetOf(address);
      return connectionBudget.remaining > 0 ? probe(connectionBudget) : exhausted(address);
    })();
    this.#busy.set(address, result);
    this.#results.set(identity, { at: this.limits.now(), result });
    const end = (failed: boolean): void => {
      if (this.#busy.get(address) === result) this.#busy.delete(address);
      if (failed && this.#results.get(identity)?.result === result) this.#results.delete(identity);
    };
    result.then(
      ({ reason }) => end(reason === BUDGET_SPENT),
      () => end(true),
    );
    return result;
  }

  #spentAt(address: string): Spent {
    const now = this.limits.now();
    const known = this.#spent.get(address);
    return known && now - known.since < DAY ? known : { since: now, connections: 0 };
  }

  /** The budget of one visit: its own limit, and no more than the day has left. */
  #budgetOf(address: string): ConnectionBudget {
    const { perVisit, perDay } = this.limits;
    const spent = this.#spentAt(address);
    this.#spent.set(address, spent);
    let used = 0;
    return {
      get remaining() {
        return Math.min(perVisit - used, perDay - spent.connections);
      },
      consume() {
        used++;
        spent.connections++;
      },
    };
  }
}

/** The reason in the evidence of an address without a visit: a code of `net`. */
const BUDGET_SPENT = 'net-budget';

function exhausted(ip: string): AddressEvidence {
  return { ip, status: 'inconclusive', reason: BUDGET_SPENT, connections: [] };
}
