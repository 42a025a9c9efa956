import { BoundedMap, SingleFlight, type Clock, type Failure } from '../../base/index.js';
import type { DnsAnswer } from '../types.js';
import { answerSize, dataSize } from './answer-size.js';
import type { Upstream } from './upstream.js';

/**
 * An upstream that strips DNSSEC records or does not validate, with the failure that
 * reports this fault.
 */
export interface Stripping {
  readonly upstream: Upstream;
  readonly failure: Failure;
}

/**
 * The result of a question, and the upstream that can answer the question with
 * unvalidated data.
 */
export interface Resolved {
  readonly answer: DnsAnswer;
  readonly stripping?: Stripping | undefined;
}

/** Maximum octets of a cached answer. Keys, policies and mail routes are smaller. */
const MAX_ANSWER_OCTETS = 8192;

/**
 * Milliseconds for which a failure is cached, so that repeated queries cannot force
 * repeated work (RFC 4035 §4.7).
 */
const FAILURE_TTL_MS = 5_000;

/**
 * The cached answers of a resolver, each until its TTL ends, and the questions that are
 * being resolved. Above its limits, the cache removes the least recently used answers.
 */
export class AnswerCache {
  readonly #answers: BoundedMap<Resolved & { readonly until: number }>;
  readonly #questions = new SingleFlight<Resolved>();

  constructor(
    size: number,
    octets: number,
    private readonly clock: Clock,
  ) {
    this.#answers = new BoundedMap(size, {
      maximum: octets,
      weigh: ({ answer }) => answerSize(answer),
    });
  }

  /**
   * Returns the cached result with its remaining TTL, or the result of `work`. Concurrent
   * calls with the same key share one run of `work`.
   */
  get(
    cacheKey: string,
    signal: AbortSignal | undefined,
    work: (shared: AbortSignal | undefined) => Promise<Resolved>,
  ): Promise<Resolved> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const known = this.#answers.get(cacheKey);
    const remaining = known ? known.until - this.clock.now() : 0;
    if (known && remaining > 0) {
      const ttl = Math.min(known.answer.ttl, Math.ceil(remaining / 1000));
      return Promise.resolve({ ...known, answer: { ...known.answer, ttl } });
    }
    const storedWork = async (shared: AbortSignal | undefined): Promise<Resolved> => {
      const resolved = await work(shared);
      this.#store(cacheKey, resolved);
      return resolved;
    };
    return this.#questions.run(cacheKey, storedWork, signal);
  }

  #store(cacheKey: string, { answer, stripping }: Resolved): void {
    const lifetime = answer.status === 'failed' ? FAILURE_TTL_MS : answer.ttl * 1000;
    if (lifetime <= 0 || dataSize(answer.records) > MAX_ANSWER_OCTETS) return;
    this.#answers.set(cacheKey, { answer, stripping, until: this.clock.now() + lifetime });
  }
}
