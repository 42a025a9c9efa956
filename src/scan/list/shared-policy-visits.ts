import type { Clock } from '../../base/index.js';
import type { OptOut, PolicyHostTarget, PolicyVisitor, RefusedVisit } from '../../check/index.js';
import type { PolicyVisit } from '../../mta-sts/index.js';
import { rested, type RestState } from '../schedule/rest.js';
import { decideWebRest } from '../schedule/web-rest.js';

/** Maximum number of fetches from one address in a run. */
const MAX_FETCHES = 10_000;
/**
 * Longest pause after an answered fetch, since a provider hosts thousands of policies.
 */
const ANSWERED_MS = 50;

/** Limits on the connections of one run. */
export interface SharedPolicyOptions {
  /** Milliseconds between two connections to one address; at most 50 after a fetch. */
  readonly spacingMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly optOut?: OptOut | undefined;
}

/** The state of one address in a run. */
interface AddressState {
  /** Settles when the last fetch has ended. */
  turn: Promise<unknown>;
  fetches: number;
  /** Monotonic times of the next fetch and of the end of a rest. */
  nextAt: number;
  restUntil: number;
  rest: RestState;
}

/**
 * The fetches of a run over many domains, whose policy hosts share few addresses. Each
 * domain has a policy of its own, so the run fetches every policy. Each address gets one
 * connection at a time, a pause between connections, and a rest if the server requests
 * it.
 */
export class SharedPolicyVisits implements PolicyVisitor {
  readonly #addresses = new Map<string, AddressState>();

  constructor(private readonly options: SharedPolicyOptions) {}

  run(
    { host, canonicalName, address }: PolicyHostTarget,
    visit: () => Promise<PolicyVisit>,
  ): Promise<PolicyVisit | RefusedVisit> {
    const { optOut } = this.options;
    if ([host, canonicalName].some((name) => optOut?.(name, address)))
      return Promise.resolve({ refused: { code: 'opt-out', detail: host } });
    const state = this.#stateOf(address);
    const result = state.turn.then(() => this.#visit(state, address, visit));
    state.turn = result.catch(() => undefined);
    return result;
  }

  async #visit(
    state: AddressState,
    address: string,
    visit: () => Promise<PolicyVisit>,
  ): Promise<PolicyVisit | RefusedVisit> {
    const { clock, signal, spacingMs } = this.options;
    if (clock.monotonic() < state.restUntil || state.fetches >= MAX_FETCHES)
      return { refused: { code: 'net-budget', detail: address } };
    const left = state.nextAt - clock.monotonic();
    if (left > 0) await clock.sleep(left, signal);
    state.fetches++;
    const made = await visit();
    const { state: rest, restMs } = decideWebRest(state.rest, made.reply);
    const isAnswered = made.reply.status !== undefined;
    const pauseMs = isAnswered ? Math.min(ANSWERED_MS, spacingMs) : spacingMs;
    const now = clock.monotonic();
    state.rest = rest;
    state.nextAt = now + pauseMs * (rest.slow ? 2 : 1);
    state.restUntil = now + restMs;
    return made;
  }

  #stateOf(address: string): AddressState {
    const known = this.#addresses.get(address);
    if (known) return known;
    const state: AddressState = {
      turn: Promise.resolve(),
      fetches: 0,
      nextAt: -Infinity,
      restUntil: -Infinity,
      rest: rested,
    };
    this.#addresses.set(address, state);
    return state;
  }
}
