/**
 * The period in which the CA wants a certificate renewed (RFC 9773 §4.2), milliseconds
 * since 1970.
 */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

/** The dates of a certificate, and the renewal window of its CA. */
export interface RenewalFacts {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The last window that the CA suggested. */
  readonly window?: RenewalWindow | undefined;
  /**
   * The position in the window, from 0 up to but not including 1, drawn once for each
   * window.
   */
  readonly random: number;
  /**
   * Milliseconds between two renewal rounds. The planned time is at least one round
   * before the end of the window, so that one round starts within the window.
   */
  readonly roundMs: number;
}

const DAY = 86_400_000;

/**
 * Returns the time at which a certificate has to be renewed, milliseconds since 1970.
 *
 * With a window, the time is uniformly distributed within the window, so that a CA with
 * many certificates sees no peak of requests. If the drawn time is past, the renewal is
 * due now. [9773-4.2-2, 9773-4.2-4] The time is never later than a tenth of the lifetime
 * before expiry.
 *
 * Without a window, a third of the lifetime remains at the returned time, or half of a
 * lifetime under ten days. Pure.
 */
export function planRenewal({
  notBefore,
  notAfter,
  window: renewalWindow,
  random,
  roundMs,
}: RenewalFacts): number {
  const lifetime = Math.max(0, notAfter - notBefore);
  if (!renewalWindow) return notAfter - lifetime / (lifetime < 10 * DAY ? 2 : 3);
  const length = Math.max(0, renewalWindow.end - renewalWindow.start - roundMs);
  return Math.min(renewalWindow.start + random * length, notAfter - lifetime / 10);
}
