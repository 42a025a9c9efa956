/** When the CA wants a certificate renewed (RFC 9773 §4.2), milliseconds since 1970. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

export interface RenewalFacts {
  readonly notBefore: number;
  readonly notAfter: number;
  /** As the CA suggested it last. */
  readonly window?: RenewalWindow | undefined;
  /** Drawn once for each window and kept: 0 up to, not including, 1. */
  readonly draw: number;
  /**
   * Milliseconds between two looks: the last look of a window is early enough to be
   * inside it.
   */
  readonly round: number;
}

const day = 86_400_000;

/**
 * The moment from which a certificate is to be renewed, milliseconds since 1970: a
 * uniformly drawn instant of the window the CA suggests (a window in the past means now,
 * [9773-4.2-2, 9773-4.2-4]), but never so late that a tenth of the lifetime is not left;
 * without a window, when a third is left, and half of it for lifetimes under ten days.
 */
export function planRenewal({ notBefore, notAfter, window, draw, round }: RenewalFacts): number {
  const lifetime = Math.max(0, notAfter - notBefore);
  if (window)
    return Math.min(
      window.start + draw * Math.max(0, window.end - window.start - round),
      notAfter - lifetime / 10,
    );
  return notAfter - lifetime / (lifetime < 10 * day ? 2 : 3);
}
