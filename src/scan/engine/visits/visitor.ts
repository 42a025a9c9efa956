import { isConnectionLoss } from '../database/errors.js';
import type { ScanContext } from '../contract/scan-context.js';
import type { ContactDecision, Facts, VisitObservation } from '../contract/scan-work.js';
import { claimVisits, type ClaimedNetwork, type ClaimedVisit } from './claim-visits.js';
import { completeVisits, type CompletedNetwork, type MadeVisit } from './complete-visits.js';
import type { ConnectionRate } from './connection-rate.js';
import { NetworkBreaker, pauseForOwnNetwork } from './network-breaker.js';
import { leaseMs, type Politeness } from './politeness.js';

/** Pause after a claim that found no due network. */
const IDLE_MS = 1000;
/**
 * Pause between two claims, and before results are stored: a claim or a transaction for
 * one visit costs ten times as much as its share of a batch.
 */
const GATHER_MS = 250;
/** Pause after a failed statement. */
const RETRY_MS = 1000;
/** Maximum number of networks whose results one transaction stores. */
const MAX_COMPLETED = 100;

/**
 * Returns the decision after a visit without a connection; the standing does not change.
 */
function unchanged(standing: Facts): ContactDecision {
  return {
    standing,
    isSettled: true,
    ...{ givesUp: false, restMs: 0, isSlow: false, timedOut: false },
  };
}

export interface VisitorOptions {
  readonly workerId: string;
  readonly rules: Politeness;
  readonly rate: ConnectionRate;
  /** Receives temporary faults, such as a database that restarts. */
  readonly onError: (error: Error) => void;
}

/**
 * Visits mail hosts: claims networks that are due, makes their visits and stores results.
 *
 * Only the holder of a lease contacts the addresses of a network. The visitor measures
 * the lease by the monotonic clock from before the claim, and begins no visit that could
 * outlast the lease. If the database is unreachable, the visitor claims nothing and
 * waits.
 */
export class Visitor {
  readonly #context: ScanContext;
  readonly #options: VisitorOptions;
  readonly #breaker: NetworkBreaker;
  readonly #completed: CompletedNetwork[] = [];
  readonly #running = new Set<Promise<void>>();
  #inFlight = 0;
  #storing: Promise<void> | undefined;
  /** Ends the pause before the next claim: a returned network may be due at once. */
  #wake = new AbortController();

  constructor(context: ScanContext, options: VisitorOptions) {
    this.#context = context;
    this.#options = options;
    this.#breaker = new NetworkBreaker(context.clock, options.rules.maxTimeouts);
  }

  /** The running visits. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Runs until `stopping` aborts; then finishes the running visits and stores their
   * results. The signal of the context aborts visits that last too long.
   */
  async run(stopping: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    while (!stopping.aborted) {
      const pause = await this.#claim().catch((error: Error) => {
        this.#options.onError(error);
        return RETRY_MS;
      });
      await clock.sleep(Math.min(pause, GATHER_MS), stopping).catch(() => undefined);
      const woken = AbortSignal.any([stopping, this.#wake.signal]);
      await clock.sleep(pause - GATHER_MS, woken).catch(() => undefined);
      this.#wake = new AbortController();
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
    await this.#storing;
  }

  /** Claims as many visits as the limits allow, and returns the pause before the next claim. */
  async #claim(): Promise<number> {
    const { clock, facts } = this.#context;
    const { workerId, rules, rate } = this.#options;
    const limit = Math.min(rules.maxInFlight - this.#inFlight, rate.available, 4 * MAX_COMPLETED);
    if (limit < 1) return IDLE_MS;
    const askedAt = clock.monotonic();
    const networks = await claimVisits(this.#context, workerId, { limit, rules });
    // One statement loads the facts of all visits; each visit then finds its facts in
    // memory.
    await facts.load(networks.flatMap(({ visits }) => visits.map((one) => one.host_fact_id)));
    for (const network of networks) this.#start(network, askedAt);
    return networks.length * rules.perNetwork >= limit ? GATHER_MS : IDLE_MS;
  }

  #start(network: ClaimedNetwork, askedAt: number): void {
    this.#options.rate.spend(network.visits.length);
    this.#inFlight += network.visits.length;
    const running = this.#visitNetwork(network, askedAt).finally(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #visitNetwork(network: ClaimedNetwork, askedAt: number): Promise<void> {
    const made = await Promise.all(network.visits.map((visit) => this.#visit(visit, askedAt)));
    this.#inFlight -= made.length;
    if (network.isNew && made.length > 0)
      this.#breaker.count(made.every(({ result }) => result?.decision.timedOut));
    this.#completed.push({ network, made });
    await this.#store(askedAt);
    this.#wake.abort();
    if (this.#breaker.isOpen) await this.#stopScans(made.map(({ visit }) => visit.scan_id));
  }

  async #visit(visit: ClaimedVisit, askedAt: number): Promise<MadeVisit> {
    const { clock, facts, work, signal } = this.#context;
    const { rules } = this.#options;
    const lease = leaseMs(rules);
    const mayConnect = (): boolean =>
      !signal.aborted && clock.monotonic() - askedAt + rules.visitMs <= lease;
    const limit = AbortSignal.timeout(rules.visitMs);
    const judged = (observation: VisitObservation): MadeVisit => {
      const decision = work.judgeVisit(visit.standing ?? undefined, observation);
      return { visit, result: { observation, decision } };
    };
    try {
      const { host_fact_id } = visit;
      const hostFacts = (await facts.load([host_fact_id])).get(host_fact_id) ?? {};
      // After a suspension, a worker must not contact an address that another worker may
      // have leased.
      if (!mayConnect()) return { visit };
      const target = { host: visit.host, address: visit.address, hostFacts, mayConnect };
      const observation = await work.visitHost(target, AbortSignal.any([signal, limit]));
      if (observation?.optedOut)
        return { visit, result: { observation, decision: unchanged(visit.standing ?? {}) } };
      return observation ? judged(observation) : { visit };
    } catch (error) {
      // This worker aborted the visit, so the visit stays due.
      if (signal.aborted) return { visit };
      if (!limit.aborted) this.#options.onError(error as Error);
      return judged({ facts: {}, connections: rules.connectionsPerVisit });
    }
  }

  /**
   * Stores all completed networks; the next round stores results that arrive meanwhile.
   */
  async #store(askedAt: number): Promise<void> {
    while (this.#completed.length > 0) {
      this.#storing ??= this.#storeBatch(askedAt).finally(() => {
        this.#storing = undefined;
      });
      await this.#storing;
    }
  }

  async #storeBatch(askedAt: number): Promise<void> {
    const { clock } = this.#context;
    const { rules, onError } = this.#options;
    await clock.sleep(GATHER_MS);
    const batch = this.#completed.splice(0, MAX_COMPLETED);
    for (;;)
      try {
        return await completeVisits(this.#context, batch, rules);
      } catch (error) {
        onError(error as Error);
        // Results after the end of the lease are discarded, because another worker
        // repeats the visits.
        const isOver = clock.monotonic() - askedAt > leaseMs(rules);
        if (isOver || !isConnectionLoss(error)) return;
        await clock.sleep(RETRY_MS);
      }
  }

  async #stopScans(scans: readonly number[]): Promise<void> {
    this.#breaker.reset();
    await pauseForOwnNetwork(this.#context.database, scans).catch(this.#options.onError);
  }
}
