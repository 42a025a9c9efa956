import { BoundedMap } from '../../base/index.js';
import type { AddressEvidence } from '../../evidence/index.js';
import { optedOut, type ConnectionBudget, type ProbeLimiter } from './connection-limiter.js';
import type { OptOut } from './opt-out.js';

/** Limits on the connections of a service that checks domains for anonymous visitors. */
export interface VisitLimits {
  /** Maximum TCP connections of one visit to an address. */
  readonly perVisit: number;
  /** Maximum TCP connections to one address in 24 hours. */
  readonly perDay: number;
  /** Milliseconds for which other checks reuse the result of a visit. */
  readonly reuseMs: number;
  /** Hosts and addresses that are never contacted. */
  readonly optOut?: OptOut | undefined;
  /**
   * Limits that this service shares with other programs. They apply in addition to the
   * limits above.
   */
  readonly shared?: SharedAddresses | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Addresses of mail servers that several programs contact, within common limits. */
export interface SharedAddresses {
  /**
   * Reserves an address, and connections from its daily budget. Resolves to the reason of
   * the refusal if another program uses the address, the budget is spent, or the operator
   * refuses checks. Rejects if the limits are unknown.
   */
  take(wanted: {
    readonly hostName: string;
    readonly address: string;
    readonly connections: number;
  }): Promise<SharedContact | { readonly refused: 'net-budget' | 'opt-out' }>;
}

/** An address that is reserved for this program until the program releases it. */
export interface SharedContact {
  /** The number of connections that may be opened. */
  readonly connections: number;
  /**
   * Releases the address, and records the number of opened connections and the result.
   */
  end(used: number, evidence: AddressEvidence | undefined): Promise<void>;
}

/** Options for all visits of one check. */
export interface VisitOptions {
  /**
   * True to repeat the visit instead of reusing an earlier result, for example after a
   * change by the operator. The daily budget still applies.
   */
  readonly fresh: boolean;
  /**
   * Returns whether the operator of a host refuses checks, for example by a TXT record.
   */
  refuses?(hostName: string): Promise<boolean>;
}

const DAY = 86_400_000;
/** Maximum number of remembered addresses: more than a service reaches in a day. */
const MAX_ADDRESSES = 50_000;
/** Maximum number of results that are cached for reuse. */
const MAX_RESULTS = 5000;

type Probe = (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>;

interface SharedVisit {
  readonly hostName: string;
  readonly address: string;
  readonly probe: Probe;
}

/** A budget that counts the connections of its visit. */
interface CountedBudget extends ConnectionBudget {
  readonly used: number;
}

interface Spent {
  readonly since: number;
  connections: number;
}

interface Known {
  readonly at: number;
  readonly result: Promise<AddressEvidence>;
}

/**
 * Limits the load on mail servers as long as a service runs. A visitor chooses the
 * domain, and the domain's owner chooses the MX host, so the operator of a mail server
 * has chosen neither. Therefore all checks together are limited to one open connection
 * for each address, to a daily budget, and to one visit in a period: a further domain at
 * the same host gets the evidence of that visit.
 */
export class AddressVisits {
  readonly #results = new BoundedMap<Known>(MAX_RESULTS);
  readonly #spent = new BoundedMap<Spent>(MAX_ADDRESSES);
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(private readonly limits: VisitLimits) {}

  /** Returns the number of connections opened to an address in the last 24 hours. */
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
          // The check that began the visit may have been stopped; this check then repeats
          // the visit.
          const earlier = await known.result.catch(() => undefined);
          if (earlier) return earlier;
        }
        own.add(identity);
        return this.#visit(hostName, address, probe);
      },
    };
  }

  /** Visits an address after all earlier visits to it. Failed visits are not reused. */
  #visit(hostName: string, address: string, probe: Probe): Promise<AddressEvidence> {
    const identity = `${hostName} ${address}`;
    const previous = this.#busy.get(address);
    const result = (async () => {
      await previous?.catch(() => undefined);
      const { perVisit, shared } = this.limits;
      const connectionBudget = this.#budgetOf(address, perVisit);
      if (connectionBudget.remaining <= 0) return exhausted(address);
      return shared
        ? this.#visitShared(shared, { hostName, address, probe })
        : probe(connectionBudget);
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

  /** Visits an address that other programs contact as well. */
  async #visitShared(
    shared: SharedAddresses,
    { hostName, address, probe }: SharedVisit,
  ): Promise<AddressEvidence> {
    const connections = this.#budgetOf(address, this.limits.perVisit).remaining;
    const taken = await shared.take({ hostName, address, connections });
    if ('refused' in taken)
      return taken.refused === 'opt-out' ? optedOut(address) : exhausted(address);
    const connectionBudget = this.#budgetOf(address, taken.connections);
    let evidence: AddressEvidence | undefined;
    try {
      return (evidence = await probe(connectionBudget));
    } finally {
      await taken.end(connectionBudget.used, evidence);
    }
  }

  #spentAt(address: string): Spent {
    const now = this.limits.now();
    const known = this.#spent.get(address);
    return known && now - known.since < DAY ? known : { since: now, connections: 0 };
  }

  /**
   * Returns the budget of one visit: its own limit, or the rest of the daily budget if
   * that is less.
   */
  #budgetOf(address: string, perVisit: number): CountedBudget {
    const { perDay } = this.limits;
    const spent = this.#spentAt(address);
    this.#spent.set(address, spent);
    let used = 0;
    return {
      get remaining() {
        return Math.min(perVisit - used, perDay - spent.connections);
      },
      get used() {
        return used;
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
