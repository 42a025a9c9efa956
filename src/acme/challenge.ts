/** Supported challenge types (RFC 8555 §8, RFC 8737, draft-ietf-acme-dns-persist). */
export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01' | 'dns-persist-01';

/** A challenge for one name, with the data that the challenge types need. */
export interface Challenge {
  /** The name that the CA validates. */
  readonly host: string;
  /** Token of the challenge; empty for dns-persist-01, which has no token. */
  readonly token: string;
  /** `token.thumbprint` (RFC 8555 §8.1). */
  readonly keyAuthorization: string;
  /** URL of the account. */
  readonly account: string;
  /** Thumbprint of the account key (RFC 7638), base64url. */
  readonly thumbprint: string;
  /** Issuer domain names of the CA, for dns-persist-01. */
  readonly issuers: readonly string[];
  /** Prefix of hashed account URIs, if the CA announces one. */
  readonly hashPrefix?: string | undefined;
}

/**
 * The result of publishing a challenge response. `manual`: the operator has to publish
 * the response; `text` is the record to paste. `until`: earliest time at which another
 * attempt can succeed (milliseconds since 1970).
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
 * Publishes the responses to one kind of challenge for the CA. `show` and `hide` are
 * idempotent.
 */
export interface ChallengeSolver {
  readonly type: ChallengeType;
  /**
   * Publishes the response. `done`: the CA can fetch the response now. `manual`: the
   * operator has to publish the response first.
   */
  show(challenge: Challenge): Promise<SolverOutcome>;
  /** Removes the response. Rejects only if the response could not be removed. */
  hide(challenge: Pick<Challenge, 'host' | 'token'>): Promise<void>;
}
