import type { Outcome } from '../apply/hands.js';

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01';

/** What is to be shown to the CA for a name: everything each kind of challenge is made from. */
export interface Challenge {
  readonly host: string;
  readonly token: string;
  /** `token.thumbprint` (RFC 8555 §8.1). */
  readonly keyAuthorization: string;
}

/** Shows answers where a CA looks for one kind of challenge. Showing and hiding twice is the same as once. */
export interface ChallengeAnswers {
  readonly type: ChallengeType;
  show(challenge: Challenge): Promise<Outcome>;
  hide(challenge: Challenge): Promise<void>;
}
