import { BoundedMap, networkOf } from '../../base/index.js';

/**
 * Maximum number of networks in memory. The least recently used key is evicted, so its
 * count begins again.
 */
const MAX_NETWORKS = 20_000;

/** A decision about one datagram: answer it, answer with TC alone, or drop it. */
export type RateDecision = 'answer' | 'truncate' | 'drop';

interface Bucket {
  tokens: number;
  since: number;
  /** Datagrams over the rate. */
  over: number;
}

/**
 * Limits the answers to one network, because a datagram may carry a forged source. Every
 * second answer over the rate is a truncated one: a resolver whose network is abused
 * still gets its answer over TCP, which proves the source address.
 */
export class ResponseRate {
  readonly #buckets = new BoundedMap<Bucket>(MAX_NETWORKS);

  /** `perSecond`: answers to one network, with a burst of four seconds. */
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
