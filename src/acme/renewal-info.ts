import { z } from 'zod';
import { fail, fromHex, ok, type Result } from '../base/index.js';
import type { Certificate } from '../x509/index.js';
import { acmeFailures } from './failures.js';
import { parseJson, type AcmeFailure, type AcmeSession } from './session.js';
import type { RenewalWindow } from './plan-renewal.js';

const schema = z.object({
  explanationURL: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional()
    .catch(undefined),
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
});

const HOUR = 3_600_000;
/**
 * Interval of requests without a `Retry-After`, and the bounds of a `Retry-After` (RFC
 * 9773 §4.3.2, §4.3.3).
 */
const [MIN_INTERVAL, DEFAULT_INTERVAL, MAX_INTERVAL] = [60_000, 6 * HOUR, 24 * HOUR];

/** The answer of a CA about the renewal of one certificate. */
export interface RenewalAdvice {
  readonly window: RenewalWindow;
  /** URL of a page that explains the window, shown to the operator. */
  readonly explanation: string | undefined;
  /** The time of the next query, milliseconds since 1970. */
  readonly askAgain: number;
}

/**
 * Returns the name of a certificate at its CA (RFC 9773 §4.1): base64url of its authority
 * key identifier, a dot, base64url of its serial number. Undefined: the certificate has
 * no authority key identifier. [9773-4.1-1]
 */
export function certificateId({ authorityKeyId, serial }: Certificate): string | undefined {
  const encode = (hex: string): string => Buffer.from(fromHex(hex) ?? []).toString('base64url');
  return authorityKeyId === undefined ? undefined : `${encode(authorityKeyId)}.${encode(serial)}`;
}

/**
 * Asks the CA when a certificate should be renewed. The request has no signature and no
 * nonce. [9773-4.3-1]
 */
export async function fetchRenewalInfo(
  session: AcmeSession,
  base: string,
  certificateId: string,
  now: number,
): Promise<Result<RenewalAdvice, AcmeFailure>> {
  const response = await session.get(`${base}/${certificateId}`);
  if (!response.ok) return response;
  const parsed = parseJson(schema, response.value.body);
  if (!parsed.ok) return parsed;
  const { start, end } = parsed.value.suggestedWindow;
  const window = { start: Date.parse(start), end: Date.parse(end) };
  // [9773-4.2-1]
  if (window.end <= window.start)
    return fail(
      acmeFailures.make('acme-unreachable', 'a renewal window that ends before it begins'),
    );
  return ok({
    window,
    explanation: parsed.value.explanationURL,
    askAgain: nextQueryAt(response.value.until, now),
  });
}

/**
 * Returns whether the time of the next query has come. A time that is further ahead than
 * any interval was saved while the clock was ahead, and does not count.
 */
export function isQueryDue(askAgain: number, now: number): boolean {
  return now >= askAgain || askAgain - now > MAX_INTERVAL;
}

const MAX_TRIES = 6;

/**
 * Returns the time of the next request after a temporary failure: a minute later, then
 * twice as long each time. After six tries the interval is six hours, as after a
 * permanent failure. [9773-4.3.3-1]
 */
export function retryAt(tries: number, now: number): number {
  return now + (tries < MAX_TRIES ? MIN_INTERVAL * 2 ** tries : DEFAULT_INTERVAL);
}

/**
 * Returns the time of the next request after an answer: at its `Retry-After`, between a
 * minute and a day later. [9773-4.3.2-1]
 */
export function nextQueryAt(until: number | undefined, now: number): number {
  return (
    now + Math.min(Math.max((until ?? now + DEFAULT_INTERVAL) - now, MIN_INTERVAL), MAX_INTERVAL)
  );
}
