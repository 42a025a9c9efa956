import type { ConnectionBudget, ProbeLimiter } from '../../check/index.js';
import type { AddressEvidence, ConnectionEvidence } from '../../evidence/index.js';
import type { VisitObservation } from '../facts/observations.js';
import { familyOf } from '../family/family-of.js';
import {
  afterVisit,
  inferenceError,
  inferVisit,
  newFamily,
  planVisit,
  type FamilyAtAddress,
  type InferenceError,
} from '../family/inference.js';
import { decideRest, rested, type RestState } from '../schedule/rest.js';
import type { SharedPolicyOptions } from './shared-policy-visits.js';

/** Limits on the visits of one run. */
export interface SharedVisitsOptions extends SharedPolicyOptions {
  /** Maximum TCP connections of one visit. */
  readonly perVisit: number;
  /** Maximum TCP connections to one address in the whole run. */
  readonly perAddress: number;
}

/** The state of one address in a run. */
interface AddressState {
  /** Settles when the last visit has ended. */
  turn: Promise<unknown>;
  connections: number;
  /** Monotonic time of the last connection's end; undefined before the first one. */
  endedAt: number | undefined;
  rest: RestState;
  /** Monotonic time until which the address is not contacted, and the reason. */
  restUntil: number;
  restReason: string;
  /** The visit whose answers about TLS also apply to other names. */
  known: AddressEvidence | undefined;
  readonly families: Map<string, FamilyAtAddress>;
  /** The visits that represent their families, by host. */
  readonly models: Map<string, VisitObservation>;
}

/**
 * The visits of a run over many domains. All visits together open one connection at a
 * time to each address, with a pause between two connections, and stay within a budget
 * for each address:
 * - a host name is visited once at each of its addresses;
 * - the answers about TLS at an address also apply to its other names, which are visited
 *   for their certificates only;
 * - names of one provider are inferred if `planVisit` allows it;
 * - an address that refuses a visit is not contacted for the time that `decideRest`
 *   gives.
 */
export class SharedVisits implements ProbeLimiter {
  readonly #addresses = new Map<string, AddressState>();
  readonly #results = new Map<string, Promise<AddressEvidence>>();
  readonly #matters = new Set<string>();
  /** Visited names by family and result, over all addresses. */
  readonly #equal = new Map<string, number>();

  constructor(private readonly options: SharedVisitsOptions) {}

  /**
   * Records that a policy or TLSA records depend on the host, so that the host is
   * visited.
   */
  matter(hostName: string): void {
    this.#matters.add(hostName);
  }

  /** Returns the answers of an earlier visit to the address for another name. */
  knownAt(address: string): AddressEvidence | undefined {
    return this.#addresses.get(address)?.known;
  }

  /** The number of connections so far, and of addresses with a connection. */
  get connections(): { readonly connections: number; readonly addresses: number } {
    const counts = [...this.#addresses.values()].map(({ connections }) => connections);
    return {
      connections: counts.reduce((sum, count) => sum + count, 0),
      addresses: counts.filter((count) => count > 0).length,
    };
  }

  get inference(): InferenceError {
    return inferenceError(
      [...this.#addresses.values()].flatMap(({ families }) => [...families.values()]),
    );
  }

  async run(
    hostName: string,
    address: string,
    probe: (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    if (this.options.optOut?.(hostName, address))
      return { ip: address, status: 'skipped', reason: 'opt-out', connections: [] };
    const identity = `${hostName} ${address}`;
    const earlier = this.#results.get(identity);
    const known = await earlier;
    const serves = known && (known.inferredFrom === undefined || !this.#matters.has(hostName));
    if (serves) return known;
    // Another domain may have begun the visit while this domain waited.
    const begun = this.#results.get(identity);
    if (begun && begun !== earlier) return begun;
    const state = this.#stateOf(address);
    const result = state.turn.then(() => this.#visit(hostName, address, probe));
    state.turn = result.catch(() => undefined);
    this.#results.set(identity, result);
    return result;
  }

  async #visit(
    hostName: string,
    address: string,
    probe: (connectionBudget: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    const state = this.#stateOf(address);
    const family = familyOf(hostName);
    const before = state.families.get(family) ?? newFamily;
    const model = state.models.get(before.model ?? '');
    const matters = this.#matters.has(hostName);
    const result = `${family} ${before.digest}`;
    const equalElsewhere = (this.#equal.get(result) ?? 0) - before.equal;
    const name = { host: hostName, address, matters, seed: '', otherFamilies: 0, equalElsewhere };
    const planned = planVisit(before, name, model);
    const serverName = hostName;
    if (planned === 'infer' && model) {
      const inferred = inferVisit(model, { host: hostName, serverName });
      state.families.set(family, afterVisit(before, planned, inferred));
      return inferred.address;
    }
    const { clock } = this.options;
    if (clock.monotonic() < state.restUntil) return leftAlone(address, state.restReason);
    await this.#pause(state);
    const evidence = await probe(this.#budgetOf(state));
    this.#note(state, evidence);
    // The comparison of names uses the completed handshake, since later handshakes answer
    // fewer questions.
    const visit = { host: hostName, serverName, observedAt: '', address: firstOf(evidence) };
    const after = afterVisit(before, planned, visit);
    state.families.set(family, after);
    if (after.equal > before.equal) {
      const shown = `${family} ${after.digest}`;
      this.#equal.set(shown, (this.#equal.get(shown) ?? 0) + 1);
    }
    if (after.model === hostName) state.models.set(hostName, { ...visit, address: evidence });
    return evidence;
  }

  /** Waits until the pause after the last connection has passed. */
  async #pause({ endedAt, rest }: AddressState): Promise<void> {
    const { clock, spacingMs, signal } = this.options;
    if (endedAt === undefined) return;
    const left = endedAt + spacingMs * (rest.slow ? 2 : 1) - clock.monotonic();
    if (left > 0) await clock.sleep(left, signal);
  }

  #note(state: AddressState, evidence: AddressEvidence): void {
    const now = this.options.clock.monotonic();
    state.endedAt = now;
    const own = evidence.connections.filter(({ earlier }) => earlier === undefined);
    const visited = { ...evidence, connections: own };
    const { state: rest, restMs, reason } = decideRest(state.rest, visited);
    state.rest = rest;
    if (restMs > 0) {
      state.restUntil = now + restMs;
      state.restReason = evidence.reason ?? reason ?? '';
    }
    state.known ??= answersOf(evidence);
  }

  #budgetOf(state: AddressState): ConnectionBudget {
    const { perVisit, perAddress } = this.options;
    let used = 0;
    return {
      get remaining() {
        return Math.min(perVisit - used, perAddress - state.connections);
      },
      consume: () => {
        used++;
        state.connections++;
      },
    };
  }

  #stateOf(address: string): AddressState {
    const known = this.#addresses.get(address);
    if (known) return known;
    const state: AddressState = {
      turn: Promise.resolve(),
      connections: 0,
      endedAt: undefined,
      rest: rested,
      restUntil: -Infinity,
      restReason: '',
      known: undefined,
      families: new Map(),
      models: new Map(),
    };
    this.#addresses.set(address, state);
    return state;
  }
}

/** Returns the evidence of an address that refused an earlier visit. */
function leftAlone(ip: string, reason: string): AddressEvidence {
  return { ip, status: 'inconclusive', reason, connections: [] };
}

/**
 * Returns the visit reduced to its last completed handshake, or else to its first
 * connection.
 */
function firstOf(evidence: AddressEvidence): AddressEvidence {
  const { connections } = evidence;
  const own = connections.filter(({ earlier }) => earlier === undefined);
  const shown = own.find(({ handshake }) => handshake) ?? own[0];
  const { stopped: _, submission: __, ...rest } = evidence;
  return { ...rest, connections: shown ? [shown] : [] };
}

/**
 * Returns the answers of the address for every name, without certificates. Undefined
 * without such an answer.
 */
function answersOf(evidence: AddressEvidence): AddressEvidence | undefined {
  const connections = evidence.connections
    .filter(({ probe, withoutSni }) => withoutSni ?? (probe && probe.question.kind !== 'handshake'))
    .map(({ handshake: _, presented: __, ...answer }): ConnectionEvidence => answer);
  if (connections.length === 0) return undefined;
  const { submission: ___, ...rest } = evidence;
  return { ...rest, connections };
}
