import type { ActionOutcome } from '../apply/executor.js';

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
 * Shows answers where a CA looks for one kind of challenge. Showing and hiding twice is
 * the same as once.
 */
export interface ChallengeSolver {
  readonly type: ChallengeType;
  /** Done when the CA will find it; `manual` where a person has to put it there first. */
  show(challenge: Challenge): Promise<ActionOutcome>;
  hide(challenge: Pick<Challenge, 'host' | 'token'>): Promise<void>;
}
