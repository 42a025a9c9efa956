export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01' | 'dns-persist-01';

/**
 * What is to be shown to the CA for a name: everything each kind of challenge is made
 * from.
 */
export interface Challenge {
  /** The name that is validated. */
  readonly host: string;
  /** Empty where the kind has none. */
  readonly token: string;
  /** `token.thumbprint` (RFC 8555 §8.1). */
  readonly keyAuthorization: string;
  /** URL of the account. */
  readonly account: string;
  /** RFC 7638, base64url. */
  readonly thumbprint: string;
  /** Names of the CA for dns-persist-01. */
  readonly issuers: readonly string[];
  /** What hashed account URIs begin with, where the CA has them. */
  readonly hashPrefix?: string | undefined;
}

/**
 * The result of publishing a challenge response. `manual`: the operator has to publish it,
 * and `text` is what to paste. `until`: the next attempt is pointless before that time
 * (milliseconds since 1970).
 */
export type SolverOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'manual'; readonly text: string }
  | {
      readonly status: 'failed';
      readonly code: string;
      readonly detail: string;
      readonly until?: number;
    };

/**
 * Publishes responses where a CA looks for one kind of challenge. `show` and `hide`
 * are idempotent.
 */
export interface ChallengeSolver {
  readonly type: ChallengeType;
  /** Done when the CA will find it; `manual` where a person has to put it there first. */
  show(challenge: Challenge): Promise<SolverOutcome>;
  hide(challenge: Pick<Challenge, 'host' | 'token'>): Promise<void>;
}
