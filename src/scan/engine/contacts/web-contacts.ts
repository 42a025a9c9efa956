import { BoundedMap } from '../../../base/index.js';
import type { ScanContext } from '../contract/scan-context.js';
import type {
  ContactDecision,
  Facts,
  WebOutcome,
  WebTarget,
  WebVisits,
} from '../contract/scan-work.js';
import type { ConnectionRate } from '../visits/connection-rate.js';
import { NetworkBreaker, pauseForOwnNetwork } from '../visits/network-breaker.js';
import type { Politeness } from '../visits/politeness.js';
import { returnAddress, takeAddress, type HeldAddress } from './take-address.js';

/** Longest wait of a domain for an address; after this wait, the domain is deferred. */
const MAX_WAIT_MS = 10_000;
/** Shortest pause before a domain is observed again. */
const DEFER_MS = 2000;
const RATE_MS = 100;
/**
 * Random extension of a pause, as a share of the pause, so that workers do not retry at
 * the same moment.
 */
const JITTER = 0.2;
/** Maximum number of addresses with a queue in memory. */
const MAX_ADDRESSES = 10_000;

/** The limits of a worker on contacts with policy hosts. */
export interface WebContactOptions {
  readonly rules: Politeness;
  /** The connection rate, which visits to mail hosts share. */
  readonly rate: ConnectionRate;
}

type WebContext = Pick<ScanContext, 'database' | 'work' | 'clock' | 'signal'> & WebContactOptions;

/**
 * Contacts policy hosts for the scans of one worker. Thousands of domains share the
 * addresses of one provider, so the limits apply to each address: one connection at a
 * time, a pause, a daily budget, and the rests that replies request. The table
 * `web_address` stores the state of each address for all workers.
 */
export class WebContacts {
  readonly #context: WebContext;
  readonly #breaker: NetworkBreaker;
  readonly #queues = new BoundedMap<Promise<unknown>>(MAX_ADDRESSES);

  constructor(context: Omit<WebContext, keyof WebContactOptions>, options: WebContactOptions) {
    this.#context = { ...context, ...options };
    this.#breaker = new NetworkBreaker(context.clock, options.rules.maxTimeouts);
  }

  /** Returns the interface through which one scan contacts policy hosts. */
  of(scanId: number): WebVisits {
    return { contact: (target, visit) => this.#contact(scanId, target, visit) };
  }

  /**
   * Visits an address after the earlier visits of this process and the pause after them.
   * The table records the visits of other processes.
   */
  #contact(scanId: number, target: WebTarget, visit: () => Promise<Facts>): Promise<WebOutcome> {
    const { clock, signal } = this.#context;
    const { address } = target;
    const until = clock.monotonic() + MAX_WAIT_MS;
    const previous = this.#queues.get(address);
    const outcome = (async (): Promise<Ended> => {
      await previous;
      const held = await this.#take(scanId, target, until);
      return held.kind === 'held' ? this.#visit(scanId, held, visit) : { ...held, pauseMs: 0 };
    })();
    const turn = outcome
      .then(({ pauseMs }) => clock.sleep(Math.min(pauseMs, MAX_WAIT_MS), signal))
      .catch(() => undefined)
      .finally(() => {
        if (this.#queues.get(address) === turn) this.#queues.delete(address);
      });
    this.#queues.set(address, turn);
    return outcome;
  }

  /** Waits until the address and the rate of this worker allow a visit. */
  async #take(
    scan: number,
    { address, names }: WebTarget,
    until: number,
  ): Promise<HeldAddress | WebOutcome> {
    const { clock, database, rate, rules, signal } = this.#context;
    for (;;) {
      const left = until - clock.monotonic();
      if (left <= 0) return later(DEFER_MS);
      if (rate.available < 1) {
        await clock.sleep(RATE_MS, signal);
        continue;
      }
      const taken = await takeAddress(database, {
        ...{ table: 'web_address', address, names, scan, connections: 1 },
        ...{ dailyBudget: rules.webDailyBudget, holdMs: rules.abandonedMs },
      });
      if (taken.kind !== 'later') return taken;
      if (taken.ms >= left) return later(Math.max(DEFER_MS, taken.ms));
      await clock.sleep(longer(taken.ms), signal);
    }
  }

  async #visit(scanId: number, held: HeldAddress, visit: () => Promise<Facts>): Promise<Ended> {
    const { database, rate, rules, work } = this.#context;
    rate.spend(1);
    let reply: Facts;
    try {
      reply = await visit();
    } catch (error) {
      // After an aborted visit, the server may have received a connection.
      await returnAddress(database, held, { connections: 1, pauseMs: rules.spacingMs });
      throw error;
    }
    const decision = work.judgeWeb(held.standing, reply);
    const { standing, givesUp, isSlow, restMs, reason, isSettled } = decision;
    const pauseMs = longer(restMs + this.#spacing(decision) * (isSlow ? 2 : 1));
    const givenUpBy = givesUp ? scanId : undefined;
    await returnAddress(database, held, { connections: 1, pauseMs, standing, reason, givenUpBy });
    await this.#note(scanId, held, decision);
    if (isSettled) return { kind: 'visited', pauseMs };
    if (givesUp) return { kind: 'given-up', pauseMs };
    return { ...later(Math.max(DEFER_MS, restMs)), pauseMs };
  }

  /**
   * Returns the pause before the next request. The pause is short after an answer,
   * because many domains share the address.
   */
  #spacing({ isSettled, timedOut }: ContactDecision): number {
    const { spacingMs, webSpacingMs } = this.#context.rules;
    return isSettled && !timedOut ? webSpacingMs : spacingMs;
  }

  /**
   * Counts the first contact with an address, and pauses the scan after too many
   * time-outs. Time-outs of many new addresses indicate a fault of the worker's own
   * network.
   */
  async #note(scanId: number, held: HeldAddress, decision: ContactDecision): Promise<void> {
    if (held.standing) return;
    this.#breaker.count(decision.timedOut);
    if (!this.#breaker.isOpen) return;
    this.#breaker.reset();
    await pauseForOwnNetwork(this.#context.database, [scanId]);
  }
}

/**
 * The outcome of a visit, and the milliseconds until the address may be visited again.
 */
type Ended = WebOutcome & { readonly pauseMs: number };

function later(ms: number): WebOutcome {
  return { kind: 'later', ms: longer(ms) };
}

function longer(milliseconds: number): number {
  return milliseconds * (1 + JITTER * Math.random());
}
