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
 * Minimum, default and maximum interval between two renewalInfo requests
 * (RFC 9773 §4.3.2, §4.3.3).
 */
const [MIN_INTERVAL, DEFAULT_INTERVAL, MAX_INTERVAL] = [60_000, 6 * HOUR, 24 * HOUR];

/** The answer of a CA about the renewal of one certificate. */
export interface RenewalAdvice {
  readonly window: RenewalWindow;
  /** URL of a page that explains the window, shown to the operator. */
  readonly explanation: string | undefined;
  /** The time of the next request to the CA, milliseconds since 1970. */
  readonly askAgain: number;
}

/**
 * Returns the identifier of a certificate at its CA (RFC 9773 §4.1): the base64url of the
 * authority key identifier, a dot, and the base64url of the serial number; undefined if
 * the certificate has no authority key identifier. [9773-4.1-1]
 */
export function certificateId({ authorityKeyId, serial }: Certificate): string | undefined {
  const encode = (hex: string): string => Buffer.from(fromHex(hex) ?? []).toString('base64url');
  return authorityKeyId === undefined ? undefined : `${encode(authorityKeyId)}.${encode(serial)}`;
}

/**
 * Fetches the renewal window of a certificate from its CA. The request has no signature
 * and no nonce. [9773-4.3-1]
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
    return fail(acmeFailures.make('acme-unreachable', 'the renewal window ends before it begins'));
  return ok({
    window,
    explanation: parsed.value.explanationURL,
    askAgain: nextQueryAt(response.value.until, now),
  });
}

/**
 * Returns whether the next renewalInfo request is due. A time further ahead than the
 * longest interval was saved while the clock was ahead. The request is then due.
 */
export function isQueryDue(askAgain: number, now: number): boolean {
  return now >= askAgain || askAgain - now > MAX_INTERVAL;
}

const MAX_TRIES = 6;

/**
 * Returns the time of the next request after a temporary failure: one minute later, with
 * the delay doubled after each further failure. After six failures the delay is six
 * hours, as after a permanent failure. [9773-4.3.3-1]
 */
export function retryAt(tries: number, now: number): number {
  return now + (tries < MAX_TRIES ? MIN_INTERVAL * 2 ** tries : DEFAULT_INTERVAL);
}

/**
 * Returns the time of the next request after an answer: its `Retry-After`, but at least a
 * minute and at most a day from now. [9773-4.3.2-1]
 */
export function nextQueryAt(until: number | undefined, now: number): number {
  return (
    now + Math.min(Math.max((until ?? now + DEFAULT_INTERVAL) - now, MIN_INTERVAL), MAX_INTERVAL)
  );
}
