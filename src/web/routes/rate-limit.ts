import { BoundedMap } from '../../base/index.js';

/** The rest of a limit. */
export interface Quota {
  /** Name of the policy: `token` or `client`. */
  readonly policy: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until more is permitted. */
  readonly seconds: number;
  readonly windowSeconds: number;
}

const MAX_KEYS = 10_000;

/** Counts requests in windows of fixed length: constant work for each request. */
export class FixedWindow {
  readonly #counts = new BoundedMap<{ readonly start: number; readonly count: number }>(MAX_KEYS);

  /** `now`: milliseconds of a monotonic clock. */
  constructor(
    private readonly limit: number,
    private readonly windowSeconds: number,
    private readonly now: () => number,
  ) {}

  /** Counts a request. */
  count(identity: string): Quota & { readonly isExceeded: boolean } {
    const length = this.windowSeconds * 1000;
    const start = Math.floor(this.now() / length) * length;
    const before = this.#counts.get(identity);
    const count = before?.start === start ? before.count + 1 : 1;
    this.#counts.set(identity, { start, count });
    return {
      policy: 'token',
      limit: this.limit,
      remaining: Math.max(0, this.limit - count),
      seconds: Math.max(1, Math.ceil((start + length - this.now()) / 1000)),
      windowSeconds: this.windowSeconds,
      isExceeded: count > this.limit,
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
