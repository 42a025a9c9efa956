import { systemClock } from '../../base/index.js';
import {
  collect,
  DEFAULT_BUDGET,
  nameOf,
  type CollectOptions,
  type OptOut,
} from '../../check/index.js';
import type { Evidence } from '../../evidence/index.js';
import { announcesPolicy, observeDomain, observeHost } from '../facts/observe.js';
import type { InferenceError } from '../family/inference.js';
import { SharedPolicyVisits } from './shared-policy-visits.js';
import { SharedVisits } from './shared-visits.js';

/**
 * Maximum number of connections to one address in a run; a higher maximum of one visit
 * takes precedence.
 */
const PER_ADDRESS = 60;

/** Limits of a run that concern all of its domains. */
export interface ListLimits {
  /** Hosts and addresses that are never contacted. */
  readonly optOut?: OptOut | undefined;
  /**
   * Maximum connections to one address. Default: 60, or the connections of one visit if
   * that number is higher.
   */
  readonly perAddress?: number | undefined;
}

/** The traffic of a run. */
export interface ListCounts {
  /** Number of connections to mail servers. */
  readonly connections: number;
  /** Number of addresses with such a connection. */
  readonly addresses: number;
  /**
   * Number of questions to the resolver; undefined if the resolver does not count
   * questions.
   */
  readonly questions: number | undefined;
  readonly inference: InferenceError;
}

/**
 * Checks the domains of a list in memory. The evidence of a domain equals the evidence of
 * a single check, except for connections shared with other domains.
 */
export class ListCheck {
  readonly #options: CollectOptions;
  readonly #visits: SharedVisits;

  constructor(options: CollectOptions, { optOut, perAddress }: ListLimits = {}) {
    const { clock = systemClock, budget = DEFAULT_BUDGET, spacingMs = 200, signal } = options;
    const shared = { spacingMs, clock, signal, optOut };
    this.#visits = new SharedVisits({
      ...shared,
      perVisit: budget,
      perAddress: perAddress ?? Math.max(PER_ADDRESS, budget),
    });
    this.#options = {
      ...options,
      manners: this.#visits,
      policyVisitor: new SharedPolicyVisits(shared),
      knownAt: (address) => this.#visits.knownAt(address),
    };
  }

  /**
   * Collects the evidence of a domain.
   * @throws HermeticError for a text that is not a domain name, or the `signal.reason` of
   * an abort.
   */
  async collect(domain: string): Promise<Evidence> {
    const name = nameOf(domain);
    await this.#noteImportance(domain);
    return collect(name, this.#options);
  }

  /**
   * Finds the hosts whose results must not be inferred. The resolver caches the answers,
   * so that the check does not repeat the questions.
   */
  async #noteImportance(domain: string): Promise<void> {
    const { mx, ...rest } = this.#options;
    const facts = await observeDomain(domain, rest);
    const hasPolicy = announcesPolicy(facts);
    const names = mx ? [mx.toLower()] : facts.mx.map(({ name }) => name);
    await Promise.all(
      names.map(async (host) => {
        const { tlsa } = hasPolicy ? { tlsa: undefined } : await observeHost(host, rest);
        if (hasPolicy || tlsa?.status === 'usable') this.#visits.matter(host);
      }),
    );
  }

  /** Returns the traffic so far. */
  counts(): ListCounts {
    return {
      ...this.#visits.connections,
      questions: this.#options.resolver.health().questions,
      inference: this.#visits.inference,
    };
  }
}
