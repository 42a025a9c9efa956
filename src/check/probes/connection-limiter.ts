import type { AddressEvidence } from '../../evidence/index.js';
import type { OptOut } from './opt-out.js';

/** Limits on the connections of one run. */
export interface ConnectionLimits {
  /** Maximum TCP connections to one IP address in the whole run. */
  readonly budget: number;
  /** Hosts and addresses that are never contacted. */
  readonly optOut?: OptOut;
}

/** The number of connections that may still be opened to one IP address in this run. */
export interface ConnectionBudget {
  readonly remaining: number;
  /** Counts one connection. Call it before the connection is opened. */
  consume(): void;
}

/** Decides when an address is probed, and how many connections the probe may open. */
export interface ProbeLimiter {
  /**
   * Runs `probe` when the address is free, or returns an earlier result for the same host
   * and address. Rejects as `probe` does.
   */
  run(
    hostName: string,
    address: string,
    probe: (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence>;
}

/**
 * Limits the load of one run on mail servers:
 * - at most one open connection per IP address, for all host names that resolve to it;
 * - at most `budget` connections per IP address over the whole run;
 * - each pair of host and address is probed once, and its domains share the result;
 * - addresses and hosts on the opt-out list are never contacted.
 */
export class ConnectionLimiter implements ProbeLimiter {
  readonly #spent = new Map<string, number>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #results = new Map<string, Promise<AddressEvidence>>();

  constructor(private readonly limits: ConnectionLimits) {}

  /**
   * Runs `probe` when the address is free. Returns the earlier result for a pair that was
   * probed before, and `skipped` for a pair on the opt-out list. Rejects as `probe` does.
   * A failed probe does not block later probes.
   */
  run(
    hostName: string,
    address: string,
    probe: (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    const identity = `${hostName} ${address}`;
    const known = this.#results.get(identity);
    if (known) return known;
    const result = this.limits.optOut?.(hostName, address)
      ? Promise.resolve(optedOut(address))
      : this.#enqueue(address, probe);
    this.#results.set(identity, result);
    return result;
  }

  /**
   * Runs a probe after all earlier probes of the same address. One connection at a time
   * stays below the limits that servers set for each client.
   */
  async #enqueue(
    address: string,
    probe: (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    const previous = this.#queues.get(address);
    const result = (async () => {
      await previous?.catch(() => undefined);
      return probe(this.#budgetOf(address));
    })();
    this.#queues.set(address, result);
    return result;
  }

  /**
   * Returns the budget of one address. The budget exists as long as the limiter, so host
   * names that share an address share its budget.
   */
  #budgetOf(address: string): ConnectionBudget {
    const spent = this.#spent;
    const { budget } = this.limits;
    return {
      get remaining() {
        return budget - (spent.get(address) ?? 0);
      },
      consume: () => void spent.set(address, (spent.get(address) ?? 0) + 1),
    };
  }
}

/** Returns the evidence of an address that is never contacted. */
export function optedOut(ip: string): AddressEvidence {
  return { ip, status: 'skipped', reason: 'opt-out', connections: [] };
}
