import type { OldVersion } from './question.js';

/** One question, which may need several answers. */
export type Ask =
  | { readonly kind: 'version'; readonly version: OldVersion }
  | { readonly kind: 'ssl2' }
  /**
   * Whether the server accepts any of these code points. One refusal applies to all of
   * these code points.
   */
  | { readonly kind: 'suites'; readonly id: string; readonly suites: readonly number[] }
  | {
      readonly kind: 'groups';
      readonly id: string;
      readonly groups: readonly number[];
      readonly version: 'TLSv1.2' | 'TLSv1.3';
    }
  | { readonly kind: 'signatures'; readonly id: string; readonly schemes: readonly number[] }
  /**
   * Whether a TLS 1.2 server chooses one of these suites, if all suites are offered,
   * although it accepts others.
   */
  | { readonly kind: 'order'; readonly worse: readonly number[] }
  /** Whether a client with the settings `strictTls` can complete a handshake. */
  | { readonly kind: 'strict' }
  /** The finite-field group that DHE suites use. */
  | { readonly kind: 'dhe' };

/**
 * The goals of a run: the certificate for each kind of key, and the answers to `asks`, in
 * order of importance. An inventory also enumerates every version, suite and group.
 */
export interface Goals {
  readonly inventory: boolean;
  readonly asks: readonly Ask[];
  /** Whether the first hello has the size of a hello with an ML-KEM key share. */
  readonly largeHello?: boolean;
}
