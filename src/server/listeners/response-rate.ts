import { BoundedMap, networkOf } from '../../base/index.js';

/**
 * Maximum number of networks in memory. Beyond this number the least recently used
 * network is evicted, and its count begins again.
 */
const MAX_NETWORKS = 20_000;

/** A decision about one datagram: answer it, answer with TC alone, or drop it. */
export type RateDecision = 'answer' | 'truncate' | 'drop';

interface Bucket {
  tokens: number;
  since: number;
  /** Number of datagrams over the rate. */
  over: number;
}

/**
 * Limits the rate of answers to each network, because a datagram may carry a forged
 * source address. Half of the queries over the rate get a truncated answer: a resolver
 * whose address is forged by others can then repeat its query over TCP, where a source
 * cannot be forged.
 */
export class ResponseRate {
  readonly #buckets = new BoundedMap<Bucket>(MAX_NETWORKS);

  /**
   * `perSecond`: maximum answers to one network in a second; a burst may use four seconds
   * at once.
   */
  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  decide(address: string): RateDecision {
    const network = networkOf(address);
    const now = this.now();
    const burst = this.perSecond * 4;
    const bucket = this.#buckets.get(network) ?? { tokens: burst, since: now, over: 0 };
    this.#buckets.set(network, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.since) * this.perSecond) / 1000);
    bucket.since = now;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 'answer';
    }
    return ++bucket.over % 2 === 0 ? 'truncate' : 'drop';
  }
}
