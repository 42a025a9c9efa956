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

/**
 * How often is asked where the CA does not say, and the bounds of what it may say (RFC
 * 9773 §4.3.2, §4.3.3).
 */
const hour = 3_600_000;
const [shortest, usual, longest] = [60_000, 6 * hour, 24 * hour];

export interface RenewalAdvice {
  readonly window: RenewalWindow;
  /** A page that says why. */
  readonly explanation: string | undefined;
  /** When to ask again, milliseconds since 1970. */
  readonly askAgain: number;
}

/**
 * How a certificate is named to its CA (RFC 9773 §4.1): base64url of its authority key
 * identifier, a dot, base64url of its serial number. [9773-4.1-1]
 */
export function certificateId({ authorityKeyId, serial }: Certificate): string | undefined {
  const encode = (hex: string): string => Buffer.from(fromHex(hex) ?? []).toString('base64url');
  return authorityKeyId === undefined ? undefined : `${encode(authorityKeyId)}.${encode(serial)}`;
}

/**
 * Asks the CA when it wants a certificate renewed; without signature and without nonce.
 * [9773-4.3-1]
 */
export async function fetchRenewalInfo(
  session: AcmeSession,
  base: string,
  id: string,
  now: number,
): Promise<Result<RenewalAdvice, AcmeFailure>> {
  const got = await session.get(`${base}/${id}`);
  if (!got.ok) return got;
  const parsed = parseJson(schema, got.value.body);
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
    askAgain: askAgainAt(got.value.until, now),
  });
}

const MAX_TRIES = 6;

/**
 * After a failure that may pass: a minute later, then twice as long each time, and after
 * the last try as after one that will not pass, in six hours. [9773-4.3.3-1]
 */
export function tryAgainAt(tries: number, now: number): number {
  return now + (tries < MAX_TRIES ? shortest * 2 ** tries : usual);
}

/** [9773-4.3.2-1] */
export function askAgainAt(until: number | undefined, now: number): number {
  return now + Math.min(Math.max((until ?? now + usual) - now, shortest), longest);
}
