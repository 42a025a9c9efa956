import type { OldVersion } from './question.js';

/** One thing to find out, settled by as many answers as it takes. */
export type Ask =
  | { readonly kind: 'version'; readonly version: OldVersion }
  | { readonly kind: 'ssl2' }
  /** Is any of these taken? One refusal settles them all. */
  | { readonly kind: 'suites'; readonly id: string; readonly suites: readonly number[] }
  | {
      readonly kind: 'groups';
      readonly id: string;
      readonly groups: readonly number[];
      readonly version: 'TLSv1.2' | 'TLSv1.3';
    }
  | { readonly kind: 'signatures'; readonly id: string; readonly schemes: readonly number[] }
  /**
   * With everything on offer, does a TLS 1.2 server choose one of these although it takes
   * others?
   */
  | { readonly kind: 'order'; readonly worse: readonly number[] }
  /** The finite-field group behind DHE suites. */
  | { readonly kind: 'dhe' };

/**
 * The goals of a run: certificates for each kind of key, and these asks in order of
 * importance. An inventory enumerates everything else as well.
 */
export interface Goals {
  readonly inventory: boolean;
  readonly asks: readonly Ask[];
  /** Send the first hello at the size of one with an ML-KEM key share. */
  readonly largeHello?: boolean;
}
