/**
 * The time at which the CA wants a certificate renewed (RFC 9773 §4.2), milliseconds
 * since 1970.
 */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

/** The dates of a certificate and the advice of its CA. */
export interface RenewalFacts {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The window that the CA suggested last. */
  readonly window?: RenewalWindow | undefined;
  /** The place in the window: 0 up to but not including 1, drawn once for each window. */
  readonly random: number;
  /**
   * Milliseconds between two renewal rounds. The planned time is at least one round
   * before the end of the window, so that one round runs within it.
   */
  readonly roundMs: number;
}

const DAY = 86_400_000;

/**
 * Returns the time at which a certificate has to be renewed, milliseconds since 1970.
 *
 * With a window: a uniformly drawn time in it, so that a CA with many certificates gets
 * no peak of requests. If the window is past, the renewal is due now.
 * [9773-4.2-2, 9773-4.2-4] At least a tenth of the lifetime always remains.
 *
 * Without a window: the time at which a third of the lifetime remains, or half of a
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
