import { WindowCount } from '../../base/index.js';

/** The state of a rate limit after a request. */
export interface Quota {
  /** The name of the limit: `token` or `client`. */
  readonly policy: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the limit is reset. */
  readonly seconds: number;
  readonly windowSeconds: number;
}

/** Counts the requests of each token in a fixed period. */
export class FixedWindow {
  readonly #requests: WindowCount;

  /** `now`: milliseconds of a monotonic clock. */
  constructor(
    private readonly limit: number,
    private readonly windowSeconds: number,
    now: () => number,
  ) {
    this.#requests = new WindowCount(windowSeconds * 1000, now);
  }

  /** Counts a request, and returns the state of the limit. */
  count(identity: string): Quota & { readonly isExceeded: boolean } {
    const { limit, windowSeconds } = this;
    const { count, restMs } = this.#requests.count(identity);
    return {
      policy: 'token',
      limit,
      remaining: Math.max(0, limit - count),
      seconds: Math.max(1, Math.ceil(restMs / 1000)),
      windowSeconds,
      isExceeded: count > limit,
    };
  }
}

/**
 * Adds the fields of draft-ietf-httpapi-ratelimit-headers-09 to a response, and returns
 * the response.
 */
export function withQuota(response: Response, quota: Quota): Response {
  const { policy, limit, remaining, seconds, windowSeconds } = quota;
  response.headers.set('ratelimit-policy', `"${policy}";q=${limit};w=${windowSeconds}`);
  response.headers.set('ratelimit', `"${policy}";r=${remaining};t=${seconds}`);
  return response;
}
