import { WindowCount } from '../../base/index.js';

/** The state of a limit after a request. */
export interface Quota {
  /** Name of the policy: `token` or `client`. */
  readonly policy: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until another request is permitted. */
  readonly seconds: number;
  readonly windowSeconds: number;
}

/** Counts requests of each token, and reports the remaining requests of its limit. */
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

  /** Counts a request. */
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

/** Adds the fields of draft-ietf-httpapi-ratelimit-headers-09 to a response. */
export function withQuota(response: Response, quota: Quota): Response {
  const { policy, limit, remaining, seconds, windowSeconds } = quota;
  response.headers.set('ratelimit-policy', `"${policy}";q=${limit};w=${windowSeconds}`);
  response.headers.set('ratelimit', `"${policy}";r=${remaining};t=${seconds}`);
  return response;
}
